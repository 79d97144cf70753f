"""Similarity to the samples predicted alike against entropy, with its trend and its statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.plots.style import CORRECT, INK, MUTED, NOTE, WRONG, axes_or_new, styled
from mlx.plots.text import RHO, PValue, fixed, p_text, thousands, with_interval
from mlx.plots.thinning import evenly_spaced, note_thinned
from mlx.plots.trend import fit_trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from mlx.core.array_types import Flags, Floats

X_LABEL = "mean cosine similarity to samples predicted alike"
Y_LABEL = "entropy (nats)"
HEADROOM = 0.2  # share of the panel above the points, for statistics and legend


@styled
def plot_similarity_entropy(
    similarity: ArrayLike,
    entropy: ArrayLike,
    correct: ArrayLike,
    *,
    title: str = "",
    statistics: str = "",
    max_points: int = 2000,
    ax: Axes | None = None,
) -> Axes:
    """Scatter entropy over similarity, correct and wrong apart, with the least-squares line of all points.

    The shaded band is the pointwise 95 % confidence band of the mean from ordinary least squares
    (`fit_trend`): a description, since similarities share their samples. The interval in `statistics`
    is the one to quote.

    Parameters
    ----------
    similarity
        (n_samples,), mean cosine similarity, in [−1, 1]; NaN (alone in its class) is not drawn.
    entropy
        (n_samples,), in nats, higher is less certain.
    correct
        (n_samples,) of truth values.
    statistics
        Up to two lines for the panel, as `statistics_text` writes them.
    max_points
        Points drawn at most; the line uses all.
    """
    x, y, ok = known_points(similarity, entropy, correct)
    ax = axes_or_new(ax, height=2.9)
    ax.set(xlabel=X_LABEL, ylabel=Y_LABEL, title=title)
    ax.text(0.02, 0.985, statistics, transform=ax.transAxes, va="top", fontsize=NOTE, linespacing=1.35)
    if not len(x):
        ax.text(0.5, 0.4, "no sample has a similarity", transform=ax.transAxes, ha="center", color=MUTED)
        return ax
    draw_points(ax, x, y, ok, max_points=max_points)
    draw_trend(ax, x, y, below=1 - HEADROOM)
    leave_headroom(ax, y, HEADROOM)
    set_similarity_limits(ax, x, most=6)
    for is_correct, label in ((True, "correct"), (False, "wrong")):
        count = int((ok == is_correct).sum())
        ax.scatter([], [], label=f"{label} ({thousands(count)})", **point_style(is_correct, 14))
    ax.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=2, handletextpad=0.1, columnspacing=0.8)
    note_thinned(ax, min(len(x), max_points), len(x), pad=15)
    return ax


def statistics_text(
    r: float, low: float, high: float, *, p: float | PValue, spearman: float, n: int | None = None
) -> str:
    """Write two lines: Pearson's r with its interval; Spearman's ρ, the p-value and, where given, `n`."""
    first = f"r = {with_interval(r, low, high)}"
    if n is None:
        return f"{first}\n{RHO} = {fixed(spearman)}   {p_text(p)}"
    return f"{first}   {RHO} = {fixed(spearman)}\n{p_text(p)}   n = {thousands(n)}"


def known_points(similarity: ArrayLike, entropy: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats, Flags]:
    """Return the three arrays without the samples that have no similarity or no entropy."""
    x, y, ok = np.asarray(similarity, float), np.asarray(entropy, float), np.asarray(correct, bool)
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known], ok[known]


def point_style(is_correct: bool, size: float) -> dict[str, Any]:
    """How a correct (blue disc) or wrong (vermilion cross) sample is marked, in points²."""
    if is_correct:
        return {"s": size, "marker": "o", "color": CORRECT, "alpha": 0.5, "linewidths": 0}
    return {"s": size * 1.8, "marker": "X", "color": WRONG, "edgecolors": "white", "linewidths": 0.3}


def draw_points(
    ax: Axes,
    x: Floats,
    y: Floats,
    correct: Flags,
    *,
    max_points: int,
    size: float = 9.0,
) -> None:
    """Scatter at most `max_points`, the wrong ones on top since they are few and are what one looks for."""
    rows = evenly_spaced(len(x), max_points)
    for is_correct in (True, False):
        part = rows[correct[rows] == is_correct]
        ax.scatter(x[part], y[part], zorder=2.5 if is_correct else 2.7, **point_style(is_correct, size))


def draw_trend(ax: Axes, x: Floats, y: Floats, *, below: float) -> None:
    """Draw the line of `fit_trend` and its band, if any, in the lower part `below` of the panel's height."""
    from matplotlib.patches import Rectangle

    trend = fit_trend(x, y)
    if trend is None:
        return
    band = ax.fill_between(trend.x, trend.low, trend.high, color=INK, alpha=0.16, linewidth=0, zorder=2.8)
    (line,) = ax.plot(trend.x, trend.fit, color=INK, linewidth=1.1, zorder=2.9, label="_trend")
    for artist in (band, line):  # a steep line would run through the statistics
        artist.set_clip_path(Rectangle((0, 0), 1, below, transform=ax.transAxes))


def set_similarity_limits(ax: Axes, similarity: Floats, *, most: int) -> None:
    """Set the axis of similarities, of which at least 0.02 are shown, with ticks away from its ends.

    A tick at an end has its label beyond the panel, over that of the next. Similarities that are the same but for
    rounding would be told apart by ticks of a dozen digits.
    """
    from matplotlib.ticker import MaxNLocator

    known = similarity[np.isfinite(similarity)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    pad = max(0.04 * (high - low), 0.01)
    places = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low - pad, high + pad)
    ax.set_xlim(low - pad, high + pad)
    ax.set_xticks([place for place in places if low - pad / 2 <= place <= high + pad / 2])


def leave_headroom(ax: Axes, entropy: Floats, share: float) -> None:
    """Set the entropy axis from just below 0, with the top `share` of it free for text."""
    known = entropy[np.isfinite(entropy)]
    top = max(float(known.max(initial=0.0)), 0.02) * 1.03  # less is the same as certain
    low = -0.04 * top
    ax.set_ylim(low, low + (top - low) / (1 - share))
