"""Effects of the factors of samples on errors, entropy and similarity, and the slices with the most errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import CORRECT, MUTED, NOTE, WRONG, axes_or_new, draw_interval_lines, few_ticks, name_rows, styled
from mlx.plots.text import class_labels, drawn_lines, readable
from mlx.results.classification_residuals import FactorEffect, Slice
from mlx.results.questions import FactorTarget, Statistic
from mlx.results.regression_residuals import RegressionSlice

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
IN_BINS = (Statistic.ERROR_RATE, Statistic.MEAN)
"""Statistics of parts of a factor."""


@styled
def plot_factor_effects(
    effects: Sequence[FactorEffect], *, target: str = FactorTarget.ERROR, ax: Axes | None = None
) -> Axes:
    """Draw what each factor has to do with errors, entropy or similarity, with intervals, strongest on top.

    Filled marks have an adjusted p (Holm) below 0.05. Of more than 16 factors the strongest are drawn. Only
    factors whose effect is on one scale are drawn together: those with the statistic that most of them have, of two
    that are equally frequent that of numbers.

    Parameters
    ----------
    effects
        Those of other targets, and error rates in bins, are not drawn.
    target
        ``"error"``, ``"entropy"`` or ``"similarity"``; of a regression ``"abs_residual"`` or ``"residual"``.
    """
    every = list(dict.fromkeys(effect.factor for effect in effects))
    names = dict(zip(every, class_labels(every, width=20), strict=True))  # with numbers that are those of all factors
    known = effects_on(target, effects)
    counts = Counter(effect.statistic for effect in known)
    statistic = min(counts, key=lambda name: (-counts[name], name not in EFFECTS, name), default=Statistic.SPEARMAN)
    label, null = EFFECTS.get(statistic, PLAIN)
    known = [effect for effect in known if effect.statistic == statistic]
    shown = sorted(known, key=lambda effect: -abs(effect.estimate - null))[:MOST_ROWS]
    ax = axes_or_new(ax, height=0.75 + 0.19 * max(3, len(shown)))
    ax.axvline(null, color=MUTED, linestyle=":", linewidth=1)
    value, low, high, p = _columns(shown, "estimate", "low", "high", "p_holm")
    _draw_intervals(ax, value, low, high, clear=p < CLEAR, color=CORRECT)
    name_rows(ax, [names[effect.factor] for effect in shown])
    few_ticks(ax)
    ax.set_xlabel(label.format(target=FactorTarget(target).words))
    ax.set_title(FILLED, loc="right", fontsize=NOTE, fontweight="normal", color=MUTED)
    return ax


def effects_on(target: str, effects: Sequence[FactorEffect]) -> list[FactorEffect]:
    """Return the known effects of whole factors on `target`, without error rates and means in bins."""
    known = [effect for effect in effects if effect.target == target and np.isfinite(effect.estimate)]
    return [effect for effect in known if effect.statistic not in IN_BINS]


@styled
def plot_weak_slices(slices: Sequence[Slice | RegressionSlice], *, ax: Axes | None = None) -> Axes:
    """Draw the error rate of the weakest slices with Wilson intervals, against that of all other samples.

    Of a regression, the mean absolute residual. Both are of the half of the samples on which the slices were not
    sought. Filled marks have an adjusted p (Holm) below 0.05. At most 8 slices are drawn.

    Parameters
    ----------
    slices
        Weakest first.
    """
    shown = slices[:8]
    regression = any(isinstance(one, RegressionSlice) for one in shown)
    mean = "abs_residual_mean" if regression else "error_rate"
    unit = 1 if regression else 100
    names = [
        " and\n".join(drawn_lines(words, width=26) for words in readable(one.description).split(" and "))
        for one in shown
    ]
    lines = sum(name.count("\n") + 2 for name in names)
    ax = axes_or_new(ax, height=0.8 + 0.135 * max(6, lines))
    value, low, high, rest, p = _columns(shown, mean, "low", "high", f"rest_{mean}", "p_holm")
    _draw_intervals(ax, unit * value, unit * low, unit * high, clear=p < CLEAR, color=WRONG)
    ax.scatter(unit * rest, np.arange(len(shown)), marker="|", s=70, color=MUTED, linewidths=1.3, zorder=3,
               label="all other samples")  # fmt: skip
    ax.scatter([], [], s=20, color=WRONG, label=FILLED)
    name_rows(ax, names)
    for k, one in enumerate(shown):
        share = f"n = {one.n}" if isinstance(one, RegressionSlice) else f"{one.n_errors}/{one.n}"
        ax.annotate(share, (1, k), xycoords=("axes fraction", "data"), xytext=(2, 0),
                    fontsize=NOTE, textcoords="offset points", va="center", color=MUTED)  # fmt: skip
    ax.set_xlim(0)
    ax.set_xlabel("mean absolute residual" if regression else "error rate (%)")
    if shown:
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0))
    else:
        ax.text(0.5, 0.5, "no slice found", transform=ax.transAxes, ha="center", color=MUTED)
    return ax


def _columns(rows: Sequence[FactorEffect | Slice | RegressionSlice], *attributes: str) -> list[Floats]:
    return [np.array([getattr(row, attribute) for row in rows], float) for attribute in attributes]


def _draw_intervals(ax: Axes, value: Floats, low: Floats, high: Floats, *, clear: Flags, color: str) -> None:
    place = np.arange(len(value))
    draw_interval_lines(ax, place, value, low, high, color)
    for part, face in ((clear, color), (~clear, "white")):
        ax.scatter(value[part], place[part], s=20, facecolors=face, edgecolors=color, linewidths=1.1, zorder=4,
                   clip_on=False)  # fmt: skip
