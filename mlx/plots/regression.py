"""Residuals of a regression: against the fitted values, against normal quantiles, and their histogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import CORRECT, INK, MUTED, NOTE, WRONG, axes_or_new, few_ticks, styled
from mlx.plots.text import MINUS, significant
from mlx.plots.thinning import evenly_spaced, note_thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from mlx.core.array_types import Floats

LABEL = f"residual, true {MINUS} predicted (target units)"


@styled
def plot_residuals_fitted(
    y_pred: ArrayLike, residual: ArrayLike, *, max_points: int = 2000, ax: Axes | None = None
) -> Axes:
    """Scatter residuals over predictions, with their median in up to 12 groups of equal size.

    A median that leaves zero means a bent relation that the model misses; a widening cloud, errors that
    grow with the prediction.

    Parameters
    ----------
    y_pred, residual
        (n_samples,), in the units of the target.
    """
    x, e = _known(y_pred, residual)
    ax = axes_or_new(ax, height=2.8)
    rows = evenly_spaced(len(x), max_points)
    ax.scatter(x[rows], e[rows], s=9, color=CORRECT, alpha=0.5, linewidths=0)
    ax.axhline(0, color=MUTED, linewidth=0.9)
    if len(x) >= 20:
        groups = np.array_split(np.argsort(x, kind="stable"), min(12, len(x) // 10))
        ax.plot([np.median(x[g]) for g in groups], [np.median(e[g]) for g in groups], color=WRONG, marker="s",
                markersize=3, linewidth=1.2, label="median of a group")  # fmt: skip
        ax.legend(loc="upper left", bbox_to_anchor=(0, 1.1))
    few_ticks(ax)
    ax.set(xlabel="predicted value (target units)", ylabel="residual (target units)")
    note_thinned(ax, len(rows), len(x))
    return ax


@styled
def plot_leverage(
    leverage: ArrayLike,
    standardised: ArrayLike,
    *,
    index: ArrayLike | None = None,
    mean_leverage: float | None = None,
    max_points: int = 2000,
    ax: Axes | None = None,
) -> Axes:
    """Scatter standardised residuals over leverage; the samples of the largest leverage are named by `index`.

    Leverage is that in the training design: a sample far to the right is unlike those that the model was fitted to,
    and its prediction is as uncertain. The dashed line is twice the mean leverage (Hoaglin & Welsch 1978).

    Parameters
    ----------
    leverage
        (n_samples,), at least 0; NaN (no linear regression) is not drawn.
    standardised
        (n_samples,), residuals in standard deviations.
    index
        (n_samples,), what names each sample, such as its row in the data; its place in `leverage` by default.
    mean_leverage
        Mean over the training samples: number of coefficients over number of samples. By default no line is drawn.
    """
    h, e = (np.asarray(values, float) for values in (leverage, standardised))
    names = np.arange(len(h)) if index is None else np.asarray(index)
    known = np.flatnonzero(np.isfinite(h) & np.isfinite(e))
    ax = axes_or_new(ax, height=2.8)
    ax.set(xlabel="leverage (share of the residual variance)", ylabel="residual (standard deviations)")
    if not len(known):
        ax.text(0.5, 0.5, "leverage is that of a linear regression", transform=ax.transAxes, ha="center", color=MUTED)
        return ax
    largest = known[np.argsort(-h[known], kind="stable")[:3]]
    rows = np.union1d(known[evenly_spaced(len(known), max_points)], largest)
    ax.scatter(h[rows], e[rows], s=9, color=CORRECT, alpha=0.5, linewidths=0)
    ax.scatter(h[largest], e[largest], s=20, facecolors="none", edgecolors=WRONG, linewidths=1.1,
               label=f"largest leverages, up to {significant(float(h[largest[0]]), 2)}")  # fmt: skip
    ax.axhline(0, color=MUTED, linewidth=0.9)
    if mean_leverage is not None:
        label = "twice the mean of the training samples"
        ax.axvline(2 * mean_leverage, color=MUTED, linestyle="--", linewidth=0.9, label=label)
    ax.margins(x=0.12, y=0.12)
    _name_points(ax, h[largest], e[largest], [f"sample {name}" for name in names[largest]])
    few_ticks(ax)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0))
    return ax


def _name_points(ax: Axes, x: Floats, y: Floats, names: Sequence[str]) -> None:
    """Name points on their side with more room, one name above the other where points are at one height."""
    order, (low, high), middle = np.argsort(y, kind="stable"), ax.get_ylim(), sum(ax.get_xlim()) / 2
    points = 72 * ax.get_window_extent().height / ax.figure.dpi / (high - low)
    at = points * y[order]
    apart = at.copy()
    for k in range(1, len(apart)):
        apart[k] = max(apart[k], apart[k - 1] + NOTE + 3)
    up = apart - at - (apart - at).mean()
    for k, shift in zip(order, up, strict=True):
        left = x[k] > middle
        ax.annotate(names[k], (x[k], y[k]), xytext=(-5 if left else 5, shift), textcoords="offset points", va="center",
                    ha="right" if left else "left", fontsize=NOTE)  # fmt: skip


@styled
def plot_residual_qq(residual: ArrayLike, *, max_points: int = 2000, ax: Axes | None = None) -> Axes:
    """Draw ordered standardised residuals against normal quantiles.

    The i-th of n is placed at the quantile of (i − ½)/n. The band holds 95 % of each order statistic of
    n normal values: its probability has a Beta(i, n − i + 1) distribution.

    Parameters
    ----------
    residual
        (n_samples,).
    """
    from scipy.special import betaincinv, ndtri

    e = np.sort(_known(residual, residual)[0])
    ax = axes_or_new(ax, height=2.8)
    ax.set(xlabel="normal quantile (standard deviations)", ylabel="residual (standard deviations)")
    n, s = len(e), e.std(ddof=1) if len(e) > 1 else 0.0
    if s == 0:
        ax.text(0.5, 0.5, "residuals have no spread", transform=ax.transAxes, ha="center", color=MUTED)
        return ax
    i = evenly_spaced(n, max_points) + 1
    q = ndtri((i - 0.5) / n)
    band = [ndtri(betaincinv(i, n - i + 1, tail)) for tail in (0.025, 0.975)]
    ax.fill_between(q, band[0], band[1], color=INK, alpha=0.12, linewidth=0, label="95 % of normal samples")
    ax.plot(q, q, color=INK, linewidth=0.9)
    ax.scatter(q, (e[i - 1] - e.mean()) / s, s=8, color=CORRECT, linewidths=0, zorder=3, label="residuals")
    ax.legend(loc="upper left")
    return ax


@styled
def plot_residual_histogram(residual: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw the distribution of residuals, with the normal one of the same mean and standard deviation.

    Parameters
    ----------
    residual
        (n_samples,), in the units of the target.
    """
    e = _known(residual, residual)[0]
    ax = axes_or_new(ax, height=2.5)
    ax.set(xlabel=LABEL, ylabel="samples in a bin (count)")
    if not len(e):
        return ax
    mean, s = float(e.mean()), float(e.std(ddof=1)) if len(e) > 1 else 0.0
    bins = min(40, max(5, int(2 * len(e) ** (1 / 3))))
    _, edges, _ = ax.hist(e, bins=bins, color=CORRECT, alpha=0.55, edgecolor="white", linewidth=0.4)
    ax.axvline(0, color=MUTED, linewidth=0.9)
    few_ticks(ax)
    if s > 0:
        x = np.linspace(mean - 4 * s, mean + 4 * s, 200)
        scale = len(e) * (edges[1] - edges[0]) / (s * np.sqrt(2 * np.pi))
        ax.plot(x, scale * np.exp(-0.5 * ((x - mean) / s) ** 2), color=INK, linewidth=1.1, label="normal")
        ax.legend(loc="upper right")
    ax.set_title(f"mean {significant(mean)}, standard deviation {significant(s)}", fontsize=NOTE, fontweight="normal")
    return ax


def _known(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(a, float), np.asarray(b, float)
    known = np.isfinite(a) & np.isfinite(b)
    return a[known], b[known]
