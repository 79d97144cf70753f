"""The confusion matrix: counts of true against predicted classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mlx.core.errors import DataError
from mlx.plots.style import COLUMN, FAINT, INK, NOTE, PAGE, WRONG, axes_or_new, name_rows, styled, text_width
from mlx.plots.text import class_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from mlx.core.array_types import Array, Floats

BOTH_UP_TO, COUNT_UP_TO, NAMES_UP_TO = 12, 20, 40  # classes for which a cell, or a tick, still has room
PAIRS_DRAWN = 20
BESIDE_NAMES = 0.45  # inches that the label of an axis and its margins take beside the names


@styled
def plot_confusion(confusion: ArrayLike, class_names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Draw counts of true (rows) against predicted classes (columns), colored by share of the row.

    Cells show the count above the share of the true class; from 13 classes on the count alone, from
    21 on a color bar instead. Empty cells off the diagonal stay blank.

    Parameters
    ----------
    confusion
        (n_classes, n_classes) of integers.
    class_names
        n_classes names.

    Raises
    ------
    DataError
        `confusion` is not a square table with a row for each name.
    """
    counts = np.asarray(confusion)
    n = len(class_names)
    if counts.shape != (n, n):
        raise DataError(f"confusion: expected shape ({n}, {n}) for {n} classes, found {counts.shape}")
    rates = row_rates(counts)
    width, sign = room(counts, class_names)
    ax = axes_or_new(ax, width, width * (0.97 if n <= COUNT_UP_TO else 0.83))
    _draw_cells(ax, rates, colorbar=n > COUNT_UP_TO)
    if n <= COUNT_UP_TO:
        _write_cells(ax, counts, rates, sign)
    _name_axes(ax, class_names, width)
    if n <= BOTH_UP_TO:
        title = f"count, and {'share' if sign else '%'} of the true class"
        ax.set_title(title, loc="left" if _has_room(title, class_names, width) else "right", fontsize=NOTE,
                     fontweight="normal")  # fmt: skip
    return ax


def confused_pairs(confusion: Array, most: int) -> list[tuple[int, int, int]]:
    """Return true class, predicted class and count of the most frequent confusions, the first first."""
    off = np.where(np.eye(len(confusion), dtype=bool), 0, confusion)
    order = np.argsort(-off, axis=None, kind="stable")[:most]
    places = zip(*np.unravel_index(order, off.shape), strict=True)
    return [(int(a), int(p), int(off[a, p])) for a, p in places if off[a, p]]


@styled
def plot_confused_pairs(confusion: ArrayLike, class_names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Draw the 20 most frequent confusions of many classes as bars, the most frequent first.

    Parameters
    ----------
    confusion
        (n_classes, n_classes) of integers.
    class_names
        n_classes names.
    """
    counts, names = np.asarray(confusion), class_labels(class_names, width=14)
    pairs = confused_pairs(counts, PAIRS_DRAWN)
    ax = axes_or_new(ax, height=0.65 + 0.17 * max(len(pairs), 2))
    bars = ax.barh(range(len(pairs)), [n for *_, n in pairs], color=WRONG, alpha=0.75, height=0.72)
    name_rows(ax, [f"{names[actual]} → {names[predicted]}" for actual, predicted, _ in pairs])
    shares = (n / counts[actual].sum() for actual, _, n in pairs)
    ax.bar_label(bars, [f"{_percent(share)} %" for share in shares], padding=2, fontsize=NOTE)
    ax.margins(x=0.15)
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="samples (count)")
    return ax


def room(counts: Array, class_names: Sequence[str]) -> tuple[float, str]:
    """Inches that the matrix takes, one column of a paper if its text has room there, and what follows a percentage."""
    n = len(counts)
    if n > BOTH_UP_TO:
        return PAGE, ""
    names = BESIDE_NAMES + text_width(class_labels(class_names, width=14), NOTE)
    most = str(counts.max(initial=0))
    for width in (COLUMN, 5.0):
        for sign in (" %", ""):
            if n * (text_width([f"100{sign}", most], _size(n)) + 0.05) <= width - names:
                return width, sign
    return PAGE, " %"


def _size(n: int) -> float:
    return 8.0 if n <= 5 else NOTE


def row_rates(counts: Array) -> Floats:
    """Divide counts by their row's sum, shape (n_classes, n_classes); NaN where a class has no samples."""
    total = counts.sum(axis=1, keepdims=True).astype(float)
    rates: Floats = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    return rates


def _draw_cells(ax: Axes, rates: Floats, *, colorbar: bool) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import PowerNorm

    # Without numbers in the cells rare mistakes must show in the color alone: stretch the low end.
    norm = PowerNorm(0.5 if colorbar else 0.8, vmin=0, vmax=1)
    cmap = colormaps["Blues"].with_extremes(bad=FAINT)
    edges = np.arange(len(rates) + 1) - 0.5
    image = ax.pcolormesh(edges, edges, np.ma.masked_invalid(rates), cmap=cmap, norm=norm)
    if not colorbar:
        image.set(edgecolor="white", linewidth=0.8)
    ax.set(aspect="equal", xlim=edges[[0, -1]], ylim=edges[[-1, 0]])  # the first class at the top
    ax.grid(False)
    if colorbar and ax.figure is not None:
        bar = ax.figure.colorbar(image, ax=ax, shrink=0.7, aspect=25, ticks=[0, 0.01, 0.05, 0.2, 0.5, 1])
        bar.ax.set_yticklabels(["0 %", "1 %", "5 %", "20 %", "50 %", "100 %"])
        bar.set_label("share of the true class")
        bar.outline.set_visible(False)


def _write_cells(ax: Axes, counts: Array, rates: Floats, sign: str) -> None:
    n = len(counts)
    for i, j in zip(*np.nonzero((counts > 0) | np.eye(n, dtype=bool)), strict=True):
        known = n <= BOTH_UP_TO and np.isfinite(rates[i, j])
        text = f"{counts[i, j]}\n{_percent(rates[i, j])}{sign}" if known else f"{counts[i, j]}"
        color = "white" if rates[i, j] > 0.55 else INK
        ax.text(j, i, text, ha="center", va="center", fontsize=_size(n), color=color, linespacing=1.1)


def _percent(rate: float) -> str:
    return "<1" if 0 < rate < 0.005 else str(math.floor(100 * rate + 0.5 + 1e-9))  # 2.5 becomes 3


def _has_room(title: str, class_names: Sequence[str], width: float) -> bool:
    """Whether a title is narrower than the cells, which are square and have names of classes beside and below them."""
    names = BESIDE_NAMES + text_width(class_labels(class_names, width=14), NOTE)
    return text_width([title], NOTE) < width - names - 0.3


def _name_axes(ax: Axes, class_names: Sequence[str], width: float) -> None:
    n = len(class_names)
    every = 1 if n <= NAMES_UP_TO else 10
    names = class_labels(class_names, width=14) if every == 1 else [str(k) for k in range(n)]
    widths = [text_width([name], NOTE) for name in names[::every]]
    cell = min(0.8 * width, width - max(widths, default=0) - BESIDE_NAMES) / n
    long = any(sum(pair) / 2 > 0.95 * cell * every for pair in pairwise(widths))
    ticks = range(0, n, every)
    ax.set_xticks(ticks, names[::every], fontsize=NOTE, rotation=90 if long else 0)
    ax.set_yticks(ticks, names[::every], fontsize=NOTE)
    ax.tick_params(length=0 if every == 1 else 2.5)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("predicted class" if every == 1 else "predicted class (number)")
    ax.set_ylabel("true class" if every == 1 else "true class (number)")
