"""Curves: learning, ROC, precision over recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.plots.style import CORRECT, MUTED, NOTE, WRONG, axes_or_new, category_style, few_ticks, styled, unit_square
from mlx.plots.text import class_labels, fixed, significant

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from mlx.core.array_types import Floats, Integers
    from mlx.results.evaluation_tables import PrecisionRecallCurves, RocCurves

OVER_CURVES: dict[str, Any] = {"frameon": True, "facecolor": "white", "edgecolor": "none", "framealpha": 0.85}
NAMED_CURVES = 7  # colors there are; with more classes a few have a name and the rest is drawn in gray
WORST_CURVES, BEST_CURVES = 5, 1
PARTS = (("", "training", CORRECT, "o", "-"), ("val_", "validation", WRONG, "s", "--"))


@styled
def plot_learning_curves(history: DataFrame, *, quantity: str = "loss", ax: Axes | None = None) -> Axes:
    """Draw one recorded quantity over epochs, in training and validation; the best epoch is marked.

    The best epoch is that of the lowest validation loss (training loss, where there is no other). A
    single row (a model that is not trained in epochs) is drawn as two values with their numbers.

    Parameters
    ----------
    history
        One row per epoch: epoch, loss, val_loss, and optionally accuracy, val_accuracy or another pair.
    quantity
        One of `recorded_quantities`.
    """
    single = len(history) == 1
    ax = axes_or_new(ax, height=1.2 if single else 2.2)
    label = LABELS.get(quantity, quantity.replace("_", " "))
    if single:
        _draw_single(ax, history, quantity, "loss" if quantity == "loss" else label)
        return ax
    _draw_epochs(ax, history, quantity, label)
    if len(history):
        _mark_best(ax, history)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=2, columnspacing=1.0)
    return ax


LABELS = {"loss": "loss (as optimized)", "accuracy": "accuracy (share correct)"}


def recorded_quantities(history: DataFrame) -> list[str]:
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
    ax.set(xlabel="epoch (passes over the training samples)", ylabel=label)


def _draw_single(ax: Axes, history: DataFrame, quantity: str, label: str) -> None:
    for k, (prefix, _, color, marker, _) in enumerate(PARTS):
        value = float(history[prefix + quantity].iloc[0]) if prefix + quantity in history else np.nan
        if np.isfinite(value):
            ax.plot([value], [k], color=color, marker=marker, markersize=6)
            ax.annotate(significant(value), (value, k), xytext=(0, 6), textcoords="offset points",
                        ha="center", fontsize=NOTE)  # fmt: skip
    ax.set_yticks([0, 1], [label for _, label, *_ in PARTS])
    ax.set(ylim=(1.6, -0.8), xlabel=label, ylabel="samples")
    ax.margins(x=0.2)
    few_ticks(ax)


def _mark_best(ax: Axes, history: DataFrame) -> None:
    watched = "val_loss" if "val_loss" in history and history["val_loss"].notna().any() else "loss"
    losses = history[watched].to_numpy(float)
    if not np.isfinite(losses).any():
        return
    best = int(np.nanargmin(losses))
    epoch = int(history["epoch"].iloc[best])
    ax.axvline(epoch, color=MUTED, linestyle=":", linewidth=1)
    what = "validation loss" if watched == "val_loss" else "loss"
    ax.set_title(f"best epoch {epoch}: {what} {significant(losses[best])}", fontsize=NOTE, fontweight="normal", pad=15)


@styled
def plot_roc(roc: RocCurves, *, class_names: Sequence[str] = (), ax: Axes | None = None) -> Axes:
    """Draw one-against-the-rest ROC curves, the area under each in the legend, the smallest first.

    With more than 7 classes the five of the smallest area and that of the largest are named, the others gray.

    Parameters
    ----------
    class_names
        Names by label.
    """
    curves = _curves(roc.label, roc.false_positive_rate, roc.true_positive_rate)
    areas = {label: float(np.trapezoid(y, x)) for label, (x, y) in curves.items()}
    ax = axes_or_new(ax, height=3.3)
    _draw_classes(ax, curves, areas, class_names)
    unit_square(ax, "false positive rate (share)", "true positive rate (share)")
    is_high = _mean(areas) >= 0.5
    ax.legend(
        loc="lower right" if is_high else "upper left", title="area under the curve", title_fontsize=NOTE, **OVER_CURVES
    )
    return ax


@styled
def plot_precision_recall(
    curves: PrecisionRecallCurves, *, class_names: Sequence[str] = (), ax: Axes | None = None
) -> Axes:
    """Draw one-against-the-rest precision over recall, as steps, the average precision of each in the legend.

    With more than 7 classes those of the smallest and of the largest average precision are named, the others gray.
    Precision depends on how frequent a class is: what guessing would give is its share of the samples.

    Parameters
    ----------
    class_names
        Names by label.
    """
    of_class = _curves(curves.label, curves.recall, curves.precision)
    areas = {label: float((np.diff(x) * y[1:]).sum()) for label, (x, y) in of_class.items()}
    ax = axes_or_new(ax, height=3.3)
    _draw_classes(ax, of_class, areas, class_names, drawstyle="steps-pre")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="recall (share of the class found)",
           ylabel="precision (share of those found)", aspect="equal")  # fmt: skip
    is_high = _mean(areas) >= 0.5
    ax.legend(
        loc="lower left" if is_high else "upper right", title="average precision", title_fontsize=NOTE, **OVER_CURVES
    )
    return ax


def _mean(areas: dict[int, float]) -> float:
    """Return the mean area: where it is small, the curves are where a legend usually stands."""
    known = [area for area in areas.values() if np.isfinite(area)]
    return sum(known) / len(known) if known else 1.0


Curves = dict[int, "tuple[Floats, Floats]"]


def _curves(labels: Integers, x: Floats, y: Floats) -> Curves:
    return {int(label): (x[labels == label], y[labels == label]) for label in np.unique(labels)}


def _draw_classes(
    ax: Axes, curves: Curves, areas: dict[int, float], class_names: Sequence[str], *, drawstyle: str = "default"
) -> None:
    """Draw the curves in the order of their areas, of many those of the smallest and the largest with a name."""
    names = class_labels(class_names, width=14)
    ranked = sorted(curves, key=lambda label: np.nan_to_num(areas[label], nan=2.0))
    named = ranked if len(curves) <= NAMED_CURVES else [*ranked[:WORST_CURVES], *ranked[-BEST_CURVES:]]
    for label in [label for label in curves if label not in named]:
        ax.plot(*curves[label], color="#BDBDBD", linewidth=0.6, drawstyle=drawstyle)
    for k, label in enumerate(named):
        look = category_style(k)
        name = names[label] if names else str(label)
        ax.plot(*curves[label], color=look.color, linestyle=look.linestyle, drawstyle=drawstyle,
                label=f"{name}  {fixed(areas[label], 3)}")  # fmt: skip
    if len(named) < len(curves):
        ax.plot([], [], color="#BDBDBD", label=f"{len(curves) - len(named)} others, between")
