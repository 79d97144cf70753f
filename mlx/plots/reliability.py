"""Reliability diagrams, and the mean entropy at different temperatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import CORRECT, FAINT, INK, MUTED, NOTE, WRONG, axes_or_new, styled, unit_square
from mlx.plots.text import fixed, level_text, significant
from mlx.results.classification_residuals import TemperaturePoint
from mlx.results.evaluation_tables import ReliabilityBins
from mlx.stats.proportions import wilson_intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlx.core.array_types import Floats


LARGEST, SMALLEST = 60.0, 3.0  # points squared: of the dot of the fullest bin, and of an empty one
FAINTEST = 0.25  # opacity of the interval of a bin with hardly any samples


@styled
def plot_reliability(bins: ReliabilityBins, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw accuracy against confidence in bins, with Wilson intervals and what a calibrated model would show.

    Below the diagonal the model is overconfident. A dot has the area of its share of the samples, and the interval of
    a bin with few of them is pale. The band holds the middle share `level` of the accuracies of a
    calibrated model with as many samples in each bin (Bröcker & Smith 2007), as binomial at the bin's mean
    confidence. Outlined bars are the share of samples.

    Parameters
    ----------
    bins
        Empty ones are not drawn.
    level
        Of the intervals and of the band.
    """
    columns = (bins.count, bins.lower, bins.upper, bins.confidence, bins.accuracy)
    count, lower, upper, confidence, accuracy = (np.asarray(column, float)[bins.count > 0] for column in columns)
    width = upper - lower
    low, high = wilson_intervals(accuracy, count, level)
    ax = axes_or_new(ax, height=3.3)
    weight = count / max(count.max(initial=1), 1)
    ax.vlines(confidence, np.minimum(low, accuracy), np.maximum(high, accuracy), color=CORRECT, linewidth=0.9,
              alpha=FAINTEST + (1 - FAINTEST) * np.sqrt(weight), zorder=2.5)  # fmt: skip
    ax.scatter(confidence, accuracy, LARGEST * weight + SMALLEST, color=CORRECT, linewidth=0, zorder=3,
               label=f"accuracy, {level_text(level)} interval")  # fmt: skip
    ax.bar(lower, count / max(count.sum(), 1), width, align="edge", label="share of samples", facecolor="none",
           edgecolor=MUTED, linewidth=0.7)  # fmt: skip
    for k, (start, end) in enumerate(zip(*calibrated_band(confidence, count, level=level), strict=True)):
        left, right = lower[k], lower[k] + width[k]
        # Along the diagonal through its bin, so that the band of wide bins doesn't hang beside it.
        slope = np.array([left, right]) - confidence[k]
        ax.fill_between([left, right], np.clip(start + slope, 0, 1), np.clip(end + slope, 0, 1), color=INK,
                        alpha=0.13, linewidth=0, label=None if k else f"{level_text(level)} if calibrated")  # fmt: skip
    unit_square(ax, "confidence (largest probability)", "accuracy (share correct)")
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=2, columnspacing=1.0)
    return ax


def calibrated_band(confidence: Floats, count: Floats, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Limits, (n_bins,) each, of the middle of a bin's accuracies if its mean confidence is its true accuracy."""
    chance = np.clip(confidence, 0, 1)
    low, high = (_binomial_quantile(tail, count, chance) / count for tail in (0.5 - level / 2, 0.5 + level / 2))
    return low, high


def _binomial_quantile(tail: float, count: Floats, chance: Floats) -> Floats:
    """Smallest number whose probability, with all below, is at least `tail`; SciPy's, without its second of import."""
    from scipy.special import bdtr, bdtrik

    count, inside = np.asarray(count, dtype=np.float64), np.clip(chance, 1e-15, 1 - 1e-15)
    found = np.ceil(bdtrik(tail, count, inside)).clip(0, count)
    below = np.maximum(found - 1, 0)
    found = np.where(bdtr(below, count.astype(np.int64), inside) >= tail, below, found)
    return np.asarray(np.where(chance < 1, found, count), dtype=np.float64)


@styled
def plot_temperature(points: Sequence[TemperaturePoint], *, n_classes: int, ax: Axes | None = None) -> Axes:
    """Draw mean entropy of correct and of wrong predictions over the temperature that divides the logits.

    At 1 the model is as it is; the marked temperature has the lowest log loss on these samples: above 1 the
    model is overconfident. The dotted line is ln K, the entropy of a uniform prediction.

    Parameters
    ----------
    points
        By rising temperature.
    n_classes
        K.
    """
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    ax = axes_or_new(ax, height=2.7)
    t, loss = (np.array([getattr(point, key) for point in points], float) for key in ("temperature", "log_loss"))
    for name, color, line in (("wrong", WRONG, "--"), ("correct", CORRECT, "-")):
        values = np.array([getattr(point, f"entropy_{name}") for point in points], float)
        label = f"{name} predictions" if np.isfinite(values).any() else f"{name} predictions: none"
        ax.plot(t, values, color=color, linestyle=line, label=label)
    bound = float(np.log(n_classes))
    ax.axhline(bound, color=MUTED, linestyle=":", linewidth=1)
    ax.annotate(f"ln {n_classes}", (0.01, bound), xycoords=("axes fraction", "data"), xytext=(0, -2),
                textcoords="offset points", va="top", fontsize=NOTE, color=MUTED,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip
    ax.axvline(1, color=FAINT, linewidth=1.2, zorder=1)
    if np.isfinite(loss).any():
        best = float(t[np.nanargmin(loss)])
        lowest = f"lowest log loss, {significant(float(np.nanmin(loss)))} nats, at {fixed(best)}"
        ax.axvline(best, color=INK, linestyle="-.", linewidth=0.9,
                   label=lowest if t[0] < best < t[-1] else f"log loss still falls at {significant(best)}")  # fmt: skip
    ax.set_xscale("log", base=2)
    marks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]
    ax.xaxis.set_major_locator(FixedLocator(marks))
    ax.xaxis.set_major_formatter(FixedFormatter(["⅛", "¼", "½", "1", "2", "4", "8"]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="temperature (1: the model as it is)", ylabel="mean entropy (nats)", ylim=(0, (bound or 1) * 1.06))
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0))
    return ax
