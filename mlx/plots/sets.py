"""Coverage of prediction sets, of all test samples and of groups of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import CORRECT, MUTED, PAGE, WRONG, axes_or_new, draw_interval_lines, few_ticks, name_rows, styled
from mlx.plots.text import class_labels, drawn_label, level_text, readable
from mlx.results.prediction_sets import Looked, SetCoverage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 24
CLEAR = 0.05  # adjusted p below which a group is drawn as one that is covered worse


@styled
def plot_set_coverage(rows: Sequence[SetCoverage], *, ax: Axes | None = None) -> Axes:
    """Draw how often prediction sets hold the truth, of all test samples and of groups, with intervals.

    The gray bar behind a mark is the band of the coverage of as many samples if all is as calibrated. Groups with an
    adjusted p (Holm) below 0.05 are orange. Of more than 24 groups, those with the smallest p-values are drawn.

    Parameters
    ----------
    rows
        Of one alpha and method, that of all samples first.
    """
    known = [row for row in rows if not np.isnan(row.coverage)]
    groups = [row for row in known if row.kind is not Looked.ALL]
    if len(groups) > MOST_ROWS:
        worst = sorted(groups, key=lambda row: (np.nan_to_num(row.p, nan=2.0), row.coverage))[:MOST_ROWS]
        groups = [row for row in groups if row in worst]
    shown = [row for row in known if row.kind is Looked.ALL] + groups
    ax = axes_or_new(ax, PAGE, 0.8 + 0.19 * max(3, len(shown)))
    place = np.arange(len(shown)).astype(float)
    values, low, high = (np.array([getattr(row, name) for row in shown], float) for name in ("coverage", "low", "high"))
    for y, row in zip(place, shown, strict=True):
        if row.band_low is not None and row.band_high is not None:
            width = (row.band_high - row.band_low) / row.n
            ax.barh(y, width, 0.7, row.band_low / row.n, color=MUTED, alpha=0.22, linewidth=0)
    worse = np.array([row.p_holm < CLEAR for row in shown])
    for mask, color, label in ((~worse, CORRECT, "coverage"), (worse, WRONG, "covered worse (adjusted p < 0.05)")):
        if mask.any():
            draw_interval_lines(ax, place[mask], values[mask], low[mask], high[mask], color)
            ax.plot(values[mask], place[mask], "o", color=color, markersize=4, label=label)
    aim = 1 - shown[0].alpha
    ax.axvline(aim, color=MUTED, linestyle=":", linewidth=1, label=f"aim, {level_text(aim)}")
    subjects = list(dict.fromkeys(row.subject for row in shown if row.kind not in {Looked.ALL, Looked.SLICE}))
    names = dict(zip(subjects, class_labels(subjects, width=20), strict=True))  # no two of them alike
    name_rows(ax, [_name(row, names.get(row.subject, "")) for row in shown])
    few_ticks(ax)
    ax.set_xlabel("share of samples whose set holds the truth")
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, columnspacing=1.0)
    return ax


PREFIX = {Looked.PREDICTED: "predicted "}


def _name(row: SetCoverage, subject: str) -> str:
    if row.kind is Looked.ALL:
        return f"all ({row.n})"
    if row.kind is Looked.SLICE:
        return f"{drawn_label(readable(row.subject), width=60)} ({row.n})"
    part = f": {drawn_label(row.bin, width=18)}" if row.bin else ""
    return f"{PREFIX.get(row.kind, '')}{subject}{part} ({row.n})"
