"""Effects of the factors of samples on errors, entropy and similarity, and the slices with the most errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import CORRECT, MUTED, NOTE, WRONG, axes_or_new, draw_interval_lines, few_ticks, name_rows, styled
from mlx.plots.text import class_labels, escape_math, readable
from mlx.results.classification_residuals import FactorEffect, Slice
from mlx.results.questions import Statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlx.core.array_types import Flags, Floats

MOST_ROWS = 16
CLEAR = 0.05  # adjusted p below which an effect is drawn as filled
FILLED = f"filled: adjusted p < {CLEAR}"
EFFECTS = {
    Statistic.AUROC: ("AUROC of {target} (0.5: none)", 0.5),
    Statistic.SPEARMAN: ("rank correlation with {target}", 0.0),
}
PLAIN = ("association with {target}", 0.0)


@styled
def plot_factor_effects(effects: Sequence[FactorEffect], *, target: str = "error", ax: Axes | None = None) -> Axes:
    """Draw what each factor has to do with errors, entropy or similarity, with intervals, strongest on top.

    Filled marks have an adjusted p (Holm) below 0.05. Of more than 16 factors the strongest are drawn. Only
    factors whose effect is on one scale are drawn together: those with the statistic that most of them have.

    Parameters
    ----------
    effects
        Those of other targets, and error rates in bins, are not drawn.
    target
        ``"error"``, ``"entropy"`` or ``"similarity"``.
    """
    known = effects_on(target, effects)
    counts = Counter(effect.statistic for effect in known)
    statistic = min(counts, key=lambda name: (-counts[name], name), default=Statistic.SPEARMAN)
    label, null = EFFECTS.get(statistic, PLAIN)
    known = [effect for effect in known if effect.statistic == statistic]
    shown = sorted(known, key=lambda effect: -abs(effect.estimate - null))[:MOST_ROWS]
    ax = axes_or_new(ax, height=0.75 + 0.19 * max(3, len(shown)))
    ax.axvline(null, color=MUTED, linestyle=":", linewidth=1)
    value, low, high, p = _columns(shown, "estimate", "low", "high", "p_holm")
    _draw_intervals(ax, value, low, high, clear=p < CLEAR, color=CORRECT)
    name_rows(ax, class_labels([effect.factor for effect in shown], width=20))
    few_ticks(ax)
    ax.set_xlabel(label.format(target=target))
    ax.set_title(FILLED, loc="right", fontsize=NOTE, fontweight="normal", color=MUTED)
    return ax


def effects_on(target: str, effects: Sequence[FactorEffect]) -> list[FactorEffect]:
    """Return the known effects of whole factors on `target`, without error rates in bins."""
    known = [effect for effect in effects if effect.target == target and np.isfinite(effect.estimate)]
    return [effect for effect in known if effect.statistic != Statistic.ERROR_RATE]


@styled
def plot_weak_slices(slices: Sequence[Slice], *, ax: Axes | None = None) -> Axes:
    """Draw the error rate of the weakest slices with Wilson intervals, against that of all other samples.

    Error rates are of the half of the samples on which the slices were not sought. Filled marks have an
    adjusted p (Holm) below 0.05. At most 8 slices are drawn.

    Parameters
    ----------
    slices
        Weakest first.
    """
    shown = slices[:8]
    names = [" and\n".join(readable(one.description).split(" and ")) for one in shown]
    lines = sum(name.count("\n") + 2 for name in names)
    ax = axes_or_new(ax, height=0.8 + 0.135 * max(6, lines))
    value, low, high, rest, p = _columns(shown, "error_rate", "low", "high", "rest_error_rate", "p_holm")
    _draw_intervals(ax, 100 * value, 100 * low, 100 * high, clear=p < CLEAR, color=WRONG)
    ax.scatter(100 * rest, np.arange(len(shown)), marker="|", s=70, color=MUTED, linewidths=1.3, zorder=3,
               label="all other samples")  # fmt: skip
    ax.scatter([], [], s=20, color=WRONG, label=FILLED)
    name_rows(ax, [escape_math(name) for name in names])
    for k, one in enumerate(shown):
        ax.annotate(f"{one.n_errors}/{one.n}", (1, k), xycoords=("axes fraction", "data"), xytext=(2, 0),
                    fontsize=NOTE, textcoords="offset points", va="center", color=MUTED)  # fmt: skip
    ax.set_xlim(0)
    ax.set_xlabel("error rate (%)")
    if shown:
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0))
    else:
        ax.text(0.5, 0.5, "no slice found", transform=ax.transAxes, ha="center", color=MUTED)
    return ax


def _columns(rows: Sequence[FactorEffect | Slice], *attributes: str) -> list[Floats]:
    return [np.array([getattr(row, attribute) for row in rows], float) for attribute in attributes]


def _draw_intervals(ax: Axes, value: Floats, low: Floats, high: Floats, *, clear: Flags, color: str) -> None:
    place = np.arange(len(value))
    draw_interval_lines(ax, place, value, low, high, color)
    for part, face in ((clear, color), (~clear, "white")):
        ax.scatter(value[part], place[part], s=20, facecolors=face, edgecolors=color, linewidths=1.1, zorder=4,
                   clip_on=False)  # fmt: skip
