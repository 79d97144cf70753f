"""Coverage of prediction sets, of all test samples and of groups of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    name_rows(ax, _names(shown, rows))
    few_ticks(ax)
    ax.set_xlabel("share of samples whose set holds the truth")
    ax.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=3, columnspacing=1.0)  # names may take the left half
    return ax


PREFIX = {Looked.PREDICTED: "predicted "}


def _names(shown: Sequence[SetCoverage], rows: Sequence[SetCoverage]) -> list[str]:
    """Return the name of each row that is shown, no two of them alike; a class has its number among all classes."""
    names: dict[tuple[bool, str], str] = {}
    for by_factor, kinds in ((False, {Looked.CLASS, Looked.PREDICTED}), (True, {Looked.FACTOR})):
        subjects = list(dict.fromkeys(row.subject for row in rows if row.kind in kinds))
        for subject, label in zip(subjects, class_labels(subjects, width=20), strict=True):
            names[by_factor, subject] = label
    parts = {row.subject: _parts(row.subject, rows) for row in shown if row.kind is Looked.FACTOR}
    return [_name(row, names, parts) for row in shown]


def _parts(factor: str, rows: Sequence[SetCoverage]) -> dict[str, str]:
    """Return by part of a factor how it is called."""
    bins = [row.bin for row in rows if (row.kind, row.subject) == (Looked.FACTOR, factor)]
    return dict(zip(bins, class_labels([readable(one) for one in bins], width=26), strict=True))


def _name(row: SetCoverage, names: Mapping[tuple[bool, str], str], parts: Mapping[str, Mapping[str, str]]) -> str:
    if row.kind is Looked.ALL:
        return f"all ({row.n})"
    if row.kind is Looked.SLICE:
        return f"{drawn_label(readable(row.subject), width=60)} ({row.n})"
    if row.kind is Looked.FACTOR:
        return f"{names[True, row.subject]}: {parts[row.subject][row.bin]} ({row.n})"
    return f"{PREFIX.get(row.kind, '')}{names[False, row.subject]} ({row.n})"
