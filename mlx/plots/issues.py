"""How many samples there are to look at, beside the number that flawless data has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import CORRECT, MUTED, NOTE, WRONG, axes_or_new, name_rows, styled
from mlx.plots.text import significant
from mlx.results.issues import IssueCount, IssueMethod

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = {"confidently wrong": "sure and wrong", IssueMethod.NEAR: "near "}
"""Words that fit beside the rows."""

LEAST = 0.01
"""A smaller number of flawless data is written as 0."""


@styled
def plot_issue_counts(counts: Sequence[IssueCount], *, ax: Axes | None = None) -> Axes:
    """Draw the number of issues of each kind and part of the data; a stroke is the number that flawless data has.

    Kinds that were not looked for, kinds without an issue, and rankings without a threshold are left out. Clearly
    more than in flawless data is more than the mean number there and two of its square roots.

    Parameters
    ----------
    counts
        One for each kind, part and method.
    """
    shown = drawn_counts(counts)
    ax = axes_or_new(ax, height=0.75 + 0.17 * max(3, len(shown)))
    found, expected = (np.array([getattr(one, name) for one in shown], float) for name in ("n_issues", "expected"))
    place, clearly = np.arange(len(shown)), found > expected + 2 * np.sqrt(expected)
    ax.hlines(place, 0, found, color=CORRECT, linewidth=1.3)
    ax.scatter(found, place, s=20, color=[WRONG if more else CORRECT for more in clearly], zorder=4,
               clip_on=False)  # fmt: skip
    ax.scatter(expected, place, marker="|", s=70, color=MUTED, linewidths=1.3, zorder=3, label="flawless data",
               clip_on=False)  # fmt: skip
    ax.scatter([], [], s=20, color=CORRECT, label="found")
    ax.scatter([], [], s=20, color=WRONG, label="clearly more")
    name_rows(ax, [_name(one) for one in shown])
    for k, one in enumerate(shown):
        text = f"{one.n_issues} ({significant(one.expected, 2) if one.expected >= LEAST else 0})"
        ax.annotate(text, (1, k), xycoords=("axes fraction", "data"), xytext=(3, 0), fontsize=NOTE,
                    textcoords="offset points", va="center", color=MUTED)  # fmt: skip
    ax.set_xlim(0, max(1.0, 1.05 * float(np.max([*found, *expected, 0.0]))))
    ax.set_xlabel("samples (flawless data in brackets)")
    ax.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=3, columnspacing=0.8, handlelength=0.8)
    return ax


def drawn_counts(counts: Sequence[IssueCount]) -> list[IssueCount]:
    """Return the counts of kinds that were looked for, with a threshold, and of which there is anything."""
    return [one for one in counts if one.n and np.isfinite(one.expected) and (one.n_issues or one.expected >= LEAST)]


def _name(count: IssueCount) -> str:
    near = KINDS[IssueMethod.NEAR] if count.method is IssueMethod.NEAR else ""
    return f"{near}{KINDS.get(count.kind, count.kind.value)}, {count.split}"
