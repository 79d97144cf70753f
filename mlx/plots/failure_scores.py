"""How well the scores of failure rank errors, beside the maximum probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.factors import CLEAR, FILLED
from mlx.plots.style import CORRECT, MUTED, NOTE, WRONG, axes_or_new, draw_interval_lines, few_ticks, name_rows, styled
from mlx.plots.text import class_labels
from mlx.results.failure_scores import MAXIMUM_PROBABILITY, FailureScore

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 20


@styled
def plot_failure_scores(scores: Sequence[FailureScore], *, ax: Axes | None = None) -> Axes:
    """Draw the AUROC of each score with its interval, best on top; the dotted line is that of the maximum probability.

    Filled marks differ from it with an adjusted p (Holm) below 0.05; those of geometry are squares. Of more than 20
    scores the best are drawn.

    Parameters
    ----------
    scores
        Of one layer, and of no layer; those without an AUROC are not drawn.
    """
    known = sorted((one for one in scores if np.isfinite(one.auroc)), key=lambda one: -one.auroc)
    best = next((one.auroc for one in known if one.score == MAXIMUM_PROBABILITY), np.nan)
    shown = known[:MOST_ROWS]
    ax = axes_or_new(ax, height=0.85 + 0.19 * max(3, len(shown)))
    ax.axvline(best, color=MUTED, linestyle=":", linewidth=1)
    place, columns = np.arange(len(shown)), ("auroc", "auroc_low", "auroc_high", "p_holm")
    value, low, high, p = np.array([[getattr(one, name) for name in columns] for one in shown]).reshape(-1, 4).T
    of_layer = np.array([bool(one.layer) for one in shown], dtype=bool)
    for part, color, marker, label in ((~of_layer, CORRECT, "o", "outputs"), (of_layer, WRONG, "s", "geometry")):
        draw_interval_lines(ax, place[part], value[part], low[part], high[part], color)
        for clear, face in ((p < CLEAR, color), (~(p < CLEAR), "white")):
            rows = part & clear
            ax.scatter(value[rows], place[rows], s=20, marker=marker, facecolors=face, edgecolors=color,
                       linewidths=1.1, zorder=4)  # fmt: skip
        ax.scatter([], [], s=20, marker=marker, facecolors="white", edgecolors=color, label=label)
    name_rows(ax, class_labels([one.score.replace("_", " ") for one in shown], width=22))
    few_ticks(ax)
    ax.set_xlabel("AUROC of errors (0.5: chance)")
    ax.set_title(FILLED, loc="right", fontsize=NOTE, fontweight="normal", color=MUTED, pad=16)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, handletextpad=0.1, columnspacing=0.8)
    return ax
