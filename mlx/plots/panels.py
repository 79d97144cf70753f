"""Small multiples: similarity against entropy, a panel for every predicted class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.similarity import (
    X_LABEL,
    Y_LABEL,
    draw_points,
    draw_trend,
    known_points,
    leave_headroom,
    point_style,
    set_similarity_limits,
    statistics_text,
)
from mlx.plots.style import MUTED, PAGE, figure, styled, text_width
from mlx.plots.text import PValue, class_labels, status_text
from mlx.results.classification_residuals import ClassSummary
from mlx.stats.permutation import is_at_floor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

MAX_PANELS, WORST_PANELS, FOUR_COLUMNS = 25, 24, 16
LEFT, RIGHT, TOP, BOTTOM, GAP, ROW_GAP, ROW = 0.48, 0.08, 0.34, 0.42, 0.1, 0.24, 1.3  # inches
HEADROOM = 0.3
BOLD = 1.15  # width of bold text, relative to regular


@styled
def similarity_entropy_panels(samples: DataFrame, classes: Sequence[ClassSummary], *, max_points: int = 2000) -> Figure:
    """Draw a panel for each predicted class, on common axes; a class without statistics says why.

    The title of a panel counts the wrong among the samples predicted as its class. With more than 25
    classes the 24 with the most wrong predictions are drawn, and the figure says so.

    Parameters
    ----------
    samples
        y_pred, correct, entropy (nats), similarity; a row per sample.
    classes
        Of one layer.
    max_points
        Points drawn at most in each panel.
    """
    chosen = _worst(classes, samples)
    made, panels = _grid(len(chosen))
    counted = "wrong" if len(chosen) <= FOUR_COLUMNS else ""  # no room for the word in a fifth of the width
    predicted = [samples[samples["y_pred"].to_numpy() == classes[k].label] for k in chosen]
    counts = [f"{int((~own['correct'].to_numpy(bool)).sum())}/{len(own)} {counted}".strip() for own in predicted]
    labels = _labels([one.name for one in classes], dict(zip(chosen, counts, strict=True)))
    for ax, k, own, count in zip(panels, chosen, predicted, counts, strict=False):
        _draw_class(ax, own, classes[k], (labels[k], count), max_points=max_points)
    _set_limits(panels[0], samples)
    note = "one panel for each predicted class"
    if len(chosen) < len(classes):
        note = f"{len(chosen)} of {len(classes)} predicted classes: those with the most wrong predictions"
    _label(made, note if counted else f"{note}; at each panel, wrong / predicted")
    return made


def _labels(names: Sequence[str], counts: Mapping[int, str]) -> list[str]:
    """Return the labels of all classes, of which those of the panels have room beside the counts."""
    columns = _columns(len(counts))
    inside = (PAGE - LEFT - RIGHT - (columns - 1) * GAP) / columns - 0.06
    for width in range(16, 5, -1):
        labels = class_labels(names, width=width)
        if all(BOLD * text_width([labels[k]], 7) + text_width([count], 7) < inside for k, count in counts.items()):
            break
    return labels


def _worst(classes: Sequence[ClassSummary], samples: DataFrame) -> list[int]:
    """Return the places of the classes that are drawn."""
    if len(classes) <= MAX_PANELS:
        return list(range(len(classes)))
    mistaken = samples["y_pred"].to_numpy()[~samples["correct"].to_numpy(bool)]
    wrong = np.array([(mistaken == one.label).sum() for one in classes])
    return [int(k) for k in np.argsort(-wrong, kind="stable")[:WORST_PANELS]]


def _grid(n: int) -> tuple[Figure, list[Axes]]:
    """`n` panels on common axes; margins in inches, because measuring 25 panels takes longer than drawing."""
    columns = _columns(n)
    count = math.ceil(n / columns)
    height = TOP + count * ROW + (count - 1) * ROW_GAP + BOTTOM
    made = figure(PAGE, height, constrained=False)
    made.subplots_adjust(
        left=LEFT / PAGE, right=1 - RIGHT / PAGE, bottom=BOTTOM / height, top=1 - TOP / height,
        wspace=GAP * columns / (PAGE - LEFT - RIGHT), hspace=ROW_GAP / ROW,
    )  # fmt: skip
    panels = list(made.subplots(count, columns, sharex=True, sharey=True, squeeze=False).flat)
    for k, ax in enumerate(panels):
        ax.set_visible(k < n)
        if n - columns <= k < n:  # the lowest of its column, also where the last row is not full
            ax.tick_params(labelbottom=True)
    return made, panels


def _columns(n: int) -> int:
    return min(n, 5) if n <= 3 or n > FOUR_COLUMNS else min(4, math.ceil(math.sqrt(n)))


def _draw_class(ax: Axes, own: DataFrame, summary: ClassSummary, titles: tuple[str, str], *, max_points: int) -> None:
    x, y, correct = known_points(own["similarity"], own["entropy"], own["correct"])
    draw_points(ax, x, y, correct, max_points=max_points, size=7.0)
    ax.set_title(titles[0], fontsize=7, pad=3)
    ax.set_title(titles[1], loc="right", fontsize=7, fontweight="normal", color=MUTED, pad=3)
    status = status_text(summary.status)
    if status and not np.isfinite(summary.pearson):
        ax.text(0.5, 0.45 if not len(x) else 0.88, status, transform=ax.transAxes, ha="center", va="center",
                fontsize=7, color=MUTED, style="italic")  # fmt: skip
        return
    draw_trend(ax, x, y, below=1 - HEADROOM)
    p = PValue(summary.pearson_p, is_at_floor(summary.pearson_p, summary.pearson_permutations))
    text = statistics_text(summary.pearson, summary.pearson_low, summary.pearson_high, p=p, spearman=summary.spearman)
    ax.text(0.03, 0.975, text, transform=ax.transAxes, va="top", fontsize=7, linespacing=1.25)


def _set_limits(ax: Axes, samples: DataFrame) -> None:
    leave_headroom(ax, samples["entropy"].to_numpy(float), HEADROOM)
    set_similarity_limits(ax, samples["similarity"].to_numpy(float), most=4)
    ax.locator_params(axis="y", nbins=4)


def _label(made: Figure, note: str) -> None:
    width, height = made.get_size_inches()
    middle = (LEFT + width - RIGHT) / 2 / width
    made.text(middle, 0.05 / height, X_LABEL, ha="center", va="bottom", fontsize=8)
    made.text(0.05 / width, 0.5, Y_LABEL, ha="left", va="center", rotation=90, fontsize=8)
    made.text(LEFT / width, 1 - 0.03 / height, note, va="top", fontsize=7, color=MUTED)
    handles = [made.axes[0].scatter([], [], label=label, **point_style(ok, 14))
               for ok, label in ((True, "correct"), (False, "wrong"))]  # fmt: skip
    made.legend(handles=handles, loc="upper right", ncols=2, bbox_to_anchor=(1 - RIGHT / width, 1.0),
                fontsize=7, handletextpad=0.1, columnspacing=1.0)  # fmt: skip
