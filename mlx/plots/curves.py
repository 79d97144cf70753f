"""Curves: learning, ROC, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import (
    COLUMN,
    CORRECT,
    FAINT,
    MUTED,
    WRONG,
    axes_or_new,
    category_style,
    figure,
    styled,
)
from mlx.plots.text import class_labels, fixed, significant

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from pandas import DataFrame

NAMED_CURVES = 7  # colours there are; with more classes the rest is drawn in grey
PARTS = (("", "training", CORRECT, "o", "-"), ("val_", "validation", WRONG, "s", "--"))


@styled
def plot_learning_curves(history: DataFrame) -> Figure:
    """Draw the loss and, below it, one more recorded quantity over epochs; the best epoch is marked.

    The best epoch is that of the lowest validation loss (training loss, where there is no other). A
    single row (a model that is not trained in epochs) is drawn as two values with their numbers.

    Parameters
    ----------
    history : DataFrame
        A row an epoch: epoch, loss, val_loss, and optionally accuracy, val_accuracy or another pair.
    """
    quantities = _quantities(history)
    single = len(history) == 1
    made = figure(COLUMN, (0.1 if single else 0.5) + (1.1 if single else 1.45) * len(quantities))
    panels = made.subplots(len(quantities), 1, sharex=not single, squeeze=False)[:, 0]
    for ax, quantity in zip(panels, quantities, strict=True):
        label = "accuracy (share correct)" if quantity == "accuracy" else quantity.replace("_", " ")
        (_draw_single if single else _draw_epochs)(ax, history, quantity, label)
    if not single and len(history):
        panels[-1].set_xlabel("epoch")
        _mark_best(list(panels), history)
        panels[0].legend(loc="upper right")
        made.align_ylabels(list(panels))
    return made


def _quantities(history: DataFrame) -> list[str]:
    """Return loss, and accuracy or else the first quantity that has a validation column."""
    pairs = [str(c) for c in history.columns if f"val_{c}" in history.columns and c != "loss"]
    return ["loss", *sorted(pairs, key=lambda name: name != "accuracy")[:1]]


def _draw_epochs(ax: Axes, history: DataFrame, quantity: str, label: str) -> None:
    marked = len(history) <= 15
    for prefix, part, color, marker, line in PARTS:
        if prefix + quantity in history:
            ax.plot(history["epoch"], history[prefix + quantity], color=color, linestyle=line, label=part,
                    marker=marker if marked else None, markersize=2.8)  # fmt: skip
    ax.locator_params(axis="x", integer=True)
    ax.set_ylabel(label)


def _draw_single(ax: Axes, history: DataFrame, quantity: str, label: str) -> None:
    for k, (prefix, _, color, marker, _) in enumerate(PARTS):
        value = float(history[prefix + quantity].iloc[0]) if prefix + quantity in history else np.nan
        if np.isfinite(value):
            ax.plot([value], [k], color=color, marker=marker, markersize=6)
            ax.annotate(significant(value), (value, k), xytext=(0, 6), textcoords="offset points",
                        ha="center", fontsize=7)  # fmt: skip
    ax.set_yticks([0, 1], [label for _, label, *_ in PARTS])
    ax.set(ylim=(1.6, -0.8), xlabel=label)
    ax.margins(x=0.2)


def _mark_best(panels: Sequence[Axes], history: DataFrame) -> None:
    watched = "val_loss" if "val_loss" in history and history["val_loss"].notna().any() else "loss"
    losses = history[watched].to_numpy(float)
    if not np.isfinite(losses).any():
        return
    best = int(np.nanargmin(losses))
    epoch = int(history["epoch"].iloc[best])
    for ax in panels:
        ax.axvline(epoch, color=MUTED, linestyle=":", linewidth=1)
    what = "validation loss" if watched == "val_loss" else "loss"
    panels[0].set_title(f"best epoch {epoch}: {what} {significant(losses[best])}", fontsize=7, fontweight="normal")


@styled
def plot_roc(roc: DataFrame, *, class_names: Sequence[str] = (), ax: Axes | None = None) -> Axes:
    """Draw one-against-the-rest ROC curves, the area under each in the legend.

    With more than 7 classes those of the smallest area are named, the others grey.

    Parameters
    ----------
    roc : DataFrame
        class (label), false_positive_rate, true_positive_rate.
    class_names : sequence of str, optional
        Names by label.
    """
    labels = sorted(int(label) for label in roc["class"].unique())
    curves = {label: roc[roc["class"] == label] for label in labels}
    area = {label: _area(part) for label, part in curves.items()}
    names = class_labels(class_names, width=14)
    ranked = sorted(curves, key=lambda label: np.nan_to_num(area[label], nan=2.0))
    named = set(curves if len(curves) <= NAMED_CURVES else ranked[: NAMED_CURVES - 1])
    ax = axes_or_new(ax, height=3.2)
    for label in [label for label in curves if label not in named]:
        part = curves[label]
        ax.plot(part["false_positive_rate"], part["true_positive_rate"], color="#BDBDBD", linewidth=0.6)
    for k, label in enumerate([label for label in curves if label in named]):
        look = category_style(k)
        name = names[label] if names else str(label)
        ax.plot(curves[label]["false_positive_rate"], curves[label]["true_positive_rate"], color=look.color,
                linestyle=look.linestyle, label=f"{name}  {fixed(area[label], 3)}")  # fmt: skip
    if len(named) < len(curves):
        ax.plot([], [], color="#BDBDBD", label=f"{len(curves) - len(named)} others, larger area")
    _finish_unit_square(ax, "false positive rate", "true positive rate")
    ax.legend(loc="lower right", title="area under the curve", title_fontsize=7)
    return ax


def _area(part: DataFrame) -> float:
    return float(np.trapezoid(part["true_positive_rate"].to_numpy(float), part["false_positive_rate"].to_numpy(float)))


def _finish_unit_square(ax: Axes, xlabel: str, ylabel: str) -> None:
    ax.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1, zorder=1)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=xlabel, ylabel=ylabel, aspect="equal")


@styled
def plot_reliability(reliability: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw accuracy against confidence in bins, with Wilson 95 % intervals; bars are the share of samples.

    Below the diagonal the model is overconfident.

    Parameters
    ----------
    reliability : DataFrame
        lower, upper, count, confidence (mean), accuracy; a row a bin, empty bins with count 0.
    """
    bins = reliability[reliability["count"] > 0]
    count = bins["count"].to_numpy(float)
    confidence, accuracy = bins["confidence"].to_numpy(float), bins["accuracy"].to_numpy(float)
    low, high = _wilson(accuracy, count)
    ax = axes_or_new(ax, height=3.2)
    lower, width = bins["lower"].to_numpy(float), (bins["upper"] - bins["lower"]).to_numpy(float)
    ax.bar(lower, count / max(count.sum(), 1), width, align="edge", color=FAINT, label="share of samples",
           edgecolor="white", linewidth=0.5)  # fmt: skip
    ax.errorbar(confidence, accuracy, [np.maximum(accuracy - low, 0), np.maximum(high - accuracy, 0)],
                color=CORRECT, marker="o", markersize=3.5, elinewidth=0.9, label="accuracy, 95 % interval",
                )  # fmt: skip
    _finish_unit_square(ax, "confidence (largest probability)", "accuracy (share correct)")
    ax.text(0.22, 0.1, "overconfident", rotation=45, ha="center", va="center", fontsize=6.5, color=MUTED)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return ax


def _wilson(
    share: NDArray[np.float64], n: NDArray[np.float64], z: float = 1.959964
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's interval for a proportion (Wilson 1927): lower and upper limits, shape (n_bins,)."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - half, centre + half
