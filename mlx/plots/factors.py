"""Why it fails: effects of the samples' factors, and the slices of them with the most errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import CORRECT, MUTED, NOTE, WRONG, axes_or_new, few_ticks, styled
from mlx.plots.text import class_labels, escape_math, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from pandas import DataFrame

    from mlx.core.array_types import Flags, Floats

MOST_ROWS = 16
FILLED = "filled: adjusted p < 0.05"
EFFECTS = {
    "auroc": ("AUROC of {target} (0.5: none)", 0.5),
    "spearman": ("rank correlation with {target}", 0.0),
}
PLAIN = ("association with {target}", 0.0)


@styled
def plot_factor_effects(factors: DataFrame, *, target: str = "error", ax: Axes | None = None) -> Axes:
    """Draw what each factor has to do with errors, entropy or similarity, with intervals, strongest on top.

    Filled marks have an adjusted p (Holm) below 0.05. Of more than 16 factors the strongest are drawn. Only
    factors whose effect is on one scale are drawn together: those with the statistic that most of them have.

    Parameters
    ----------
    factors : DataFrame
        factor, target, statistic, bin, estimate, low, high, p_holm; a row a factor and target, and rows of bins.
    target : {"error", "entropy", "similarity"}
    """
    rows = factors[(factors["target"] == target) & ~factors["statistic"].eq("error_rate")]
    rows = rows[np.isfinite(rows["estimate"].astype(float))]
    statistic = str(rows["statistic"].mode().iloc[0]) if len(rows) else "spearman"
    label, null = EFFECTS.get(statistic, PLAIN)
    rows = rows[rows["statistic"] == statistic]
    size = np.abs(rows["estimate"].to_numpy(float) - null)
    rows = rows.iloc[np.argsort(-size, kind="stable")[:MOST_ROWS]]
    ax = axes_or_new(ax, height=0.75 + 0.19 * max(3, len(rows)))
    ax.axvline(null, color=MUTED, linestyle=":", linewidth=1)
    clear = rows["p_holm"].to_numpy(float) < 0.05
    value, low, high = (rows[column].to_numpy(float) for column in ("estimate", "low", "high"))
    _draw_intervals(ax, value, low, high, clear=clear, color=CORRECT)
    _name_rows(ax, class_labels([str(name) for name in rows["factor"]], width=20))
    few_ticks(ax)
    ax.set_xlabel(label.format(target=target))
    ax.set_title(FILLED, loc="right", fontsize=NOTE, fontweight="normal", color=MUTED)
    return ax


@styled
def plot_weak_slices(slices: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the error rate of the weakest slices with Wilson intervals, against that of all other samples.

    Error rates are of the half of the samples on which the slices were not sought. Filled marks have an
    adjusted p (Holm) below 0.05. At most 8 slices are drawn.

    Parameters
    ----------
    slices : DataFrame
        description, n, n_errors, error_rate, low, high, rest_error_rate, p_holm; weakest first.
    """
    rows = slices.iloc[:8]
    names = [" and\n".join(readable(str(text)).split(" and ")) for text in rows["description"]]
    lines = sum(name.count("\n") + 2 for name in names)
    ax = axes_or_new(ax, height=0.8 + 0.135 * max(6, lines))
    clear = rows["p_holm"].to_numpy(float) < 0.05
    value, low, high = (100 * rows[column].to_numpy(float) for column in ("error_rate", "low", "high"))
    _draw_intervals(ax, value, low, high, clear=clear, color=WRONG)
    rest = 100 * rows["rest_error_rate"].to_numpy(float)
    ax.scatter(rest, np.arange(len(rows)), marker="|", s=70, color=MUTED, linewidths=1.3, zorder=3,
               label="all other samples")  # fmt: skip
    ax.scatter([], [], s=20, color=WRONG, label=FILLED)
    _name_rows(ax, [escape_math(name) for name in names])
    for k, (wrong, n) in enumerate(zip(rows["n_errors"], rows["n"], strict=True)):
        ax.annotate(f"{wrong}/{n}", (1, k), xycoords=("axes fraction", "data"), xytext=(2, 0), fontsize=NOTE,
                    textcoords="offset points", va="center", color=MUTED)  # fmt: skip
    ax.set_xlim(0)
    ax.set_xlabel("error rate (%)")
    if len(rows):
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0))
    else:
        ax.text(0.5, 0.5, "no slice found", transform=ax.transAxes, ha="center", color=MUTED)
    return ax


def _draw_intervals(
    ax: Axes,
    value: Floats,
    low: Floats,
    high: Floats,
    *,
    clear: Flags,
    color: str,
) -> None:
    place = np.arange(len(value))
    ax.hlines(place, np.where(np.isfinite(low), low, value), np.where(np.isfinite(high), high, value), color=color,
              linewidth=1.3)  # fmt: skip
    for part, face in ((clear, color), (~clear, "white")):
        ax.scatter(value[part], place[part], s=20, facecolors=face, edgecolors=color, linewidths=1.1, zorder=4,
                   clip_on=False)  # fmt: skip


def _name_rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
