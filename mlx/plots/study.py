"""Pictures of a study: what its cells reach, how they differ, how they learn, and what a search tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import (
    COLUMN,
    MUTED,
    PAGE,
    axes_or_new,
    category_style,
    draw_interval_lines,
    few_ticks,
    name_rows,
    styled,
)
from mlx.plots.text import MINUS, class_labels
from mlx.results.study import CellDifference, CellEstimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlx.core.array_types import Floats

MOST_CURVES = 7


@styled
def plot_cells(
    estimates: Sequence[CellEstimate], runs: Mapping[str, Floats], *, label: str, ax: Axes | None = None
) -> Axes:
    """Draw a metric of the cells of a study: the mean of each with its interval, and every run as a point.

    Parameters
    ----------
    estimates
        One row for each cell.
    runs
        By cell, the metric of each of its runs (n_runs,).
    label
        Of the metric, with its unit.
    """
    ax = axes_or_new(ax, height=0.75 + 0.34 * max(2, len(estimates)))
    place = np.arange(len(estimates), dtype=float)
    value, low, high = np.array([(row.estimate, row.low, row.high) for row in estimates]).reshape(-1, 3).T
    color, each = category_style(0).color, category_style(1).color
    for k, row in enumerate(estimates):
        values = runs.get(row.cell, np.empty(0))
        ax.plot(values, np.full(values.size, k + 0.22), color=each, marker="|", markersize=7, linestyle="none",
                label="a run" if k == 0 else None)  # fmt: skip
    draw_interval_lines(ax, place, value, low, high, color)
    ax.plot(value, place, color=color, marker="o", markersize=4.5, linestyle="none", label="mean, interval")
    name_rows(ax, class_labels([row.cell for row in estimates], width=26))
    ax.set_xlabel(label)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, handletextpad=0.1, columnspacing=0.8)
    few_ticks(ax)
    return ax


@styled
def plot_differences(differences: Sequence[CellDifference], *, label: str, ax: Axes | None = None) -> Axes:
    """Draw differences between cells of a study, second minus first, a row each, with intervals as their verdicts go.

    Parameters
    ----------
    label
        Of the difference, with its unit.
    """
    wide = has_long_names(differences)
    ax = axes_or_new(ax, PAGE if wide else COLUMN, 0.75 + 0.26 * max(2, len(differences)))
    ax.axvline(0, color=MUTED, linestyle=":", linewidth=1)
    value, low, high = np.array([(row.difference, row.low_holm, row.high_holm) for row in differences]).reshape(-1, 3).T
    place, color = np.arange(len(differences), dtype=float), category_style(0).color
    draw_interval_lines(ax, place, value, low, high, color)
    ax.plot(value, place, color=color, marker="o", markersize=4.5, linestyle="none")
    name_rows(ax, class_labels(list(map(_pair, differences)), width=LONG_PAIR if wide else PAIR))
    ax.set_xlabel(label)
    few_ticks(ax)
    return ax


def has_long_names(differences: Sequence[CellDifference]) -> bool:
    """Return whether the names of the cells need a picture as wide as a page."""
    return any(len(_pair(row)) > PAIR for row in differences)


def _pair(row: CellDifference) -> str:
    return f"{row.second} {MINUS} {row.first}"


PAIR, LONG_PAIR = 34, 74
"""Characters of a row's name in a column, and on a whole page."""


@styled
def plot_learning_bands(curves: Mapping[str, Sequence[Floats]], *, label: str, ax: Axes | None = None) -> Axes:
    """Draw the mean learning curve of each cell, and a band from the lowest to the highest of its runs.

    The mean of an epoch is that of the runs that reached it.

    Parameters
    ----------
    curves
        By cell, for each run a quantity by epoch (n_epochs,); of more than 7 cells the first 7 are drawn.
    label
        Of the quantity, with its unit.
    """
    ax = axes_or_new(ax, height=2.4)
    shown = list(curves.items())[:MOST_CURVES]
    for k, ((_, runs), name) in enumerate(zip(shown, class_labels([name for name, _ in shown], width=26), strict=True)):
        look = category_style(k)
        table = np.full((len(runs), max(map(len, runs))), np.nan)
        for row, run in zip(table, runs, strict=True):
            row[: len(run)] = run
        epochs = np.arange(1, table.shape[1] + 1)
        ax.fill_between(
            epochs, np.nanmin(table, axis=0), np.nanmax(table, axis=0), color=look.color, alpha=0.2, linewidth=0
        )
        ax.plot(epochs, np.nanmean(table, axis=0), color=look.color, linestyle=look.linestyle, label=name)
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="epoch (passes over the training samples)", ylabel=label)
    if shown:
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, columnspacing=0.8)
    return ax


@styled
def plot_searched(
    tried: Mapping[str, tuple[Sequence[object], Floats]],
    *,
    key: str,
    label: str,
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw the metric of configurations against the value of one key.

    Parameters
    ----------
    tried
        By cell, the values of the key and the metric (n,) of its configurations. Values that are no numbers are drawn
        beside each other.
    key
        Its name.
    label
        Of the metric, with its unit.
    log
        Whether the values are on a logarithmic scale.
    """
    ax = axes_or_new(ax, height=2.2)
    every = [value for values, _ in tried.values() for value in values]
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in every)
    names = list(dict.fromkeys(map(str, every)))
    shown = class_labels(list(tried), width=26)
    for k, ((values, scores), name) in enumerate(zip(tried.values(), shown, strict=True)):
        look = category_style(k)
        places = [float(str(value)) if numeric else names.index(str(value)) for value in values]
        ax.plot(places, scores, color=look.color, marker=look.marker, markersize=3.5, linestyle="none", label=name)
    if numeric and log:
        ax.set_xscale("log")
    elif not numeric:
        ax.set_xticks(range(len(names)), class_labels(names, width=14))
    ax.set(xlabel=f"{key} (as configured)", ylabel=label)
    if len(tried) > 1:
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, columnspacing=0.8)
    return ax
