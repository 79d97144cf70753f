"""Data that are rows of a table: classes in the plane of the first principal components, and targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.core.column_descriptions import ColumnDescription
from mlx.core.scale import in_unit, safe_exponents
from mlx.plots.embedding import scatter_classes
from mlx.plots.style import COLUMN, CORRECT, NOTE, axes_or_new, name_rows, styled, text_width
from mlx.plots.text import class_labels, thousands
from mlx.plots.thinning import evenly_spaced, note_thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from mlx.core.array_types import Array, Floats

NAMED_CLASSES = 14
COUNTED_CLASSES = 24


@styled
def plot_class_scatter(
    X: ArrayLike,
    y: ArrayLike,
    class_names: Sequence[str],
    *,
    max_points: int = 2000,
    ax: Axes | None = None,
) -> Axes:
    """Draw samples in the plane of their first two principal components, by class.

    Features are standardised first; two features are drawn as they are, one against the row number. Of
    more than 14 classes the 13 largest have a color, the others are gray.

    Parameters
    ----------
    X
        (n_samples, n_features).
    y
        (n_samples,) of integers.
    class_names
        n_classes names.
    """
    X, y = np.asarray(X, float), np.asarray(y)
    rows = evenly_spaced(len(X), max_points)
    points, xlabel, ylabel = _plane(X.reshape(len(X), -1)[rows])
    ax = axes_or_new(ax, height=2.9)
    scatter_classes(ax, points, y[rows], class_labels(class_names, width=14), most=NAMED_CLASSES)
    ax.set_ylabel(ylabel)
    legend = text_width(ax.get_legend_handles_labels()[1], NOTE)
    fits = text_width([xlabel], 8) < COLUMN - legend - 0.9
    ax.set_xlabel(xlabel, loc="center" if fits else "left")  # there is room below the legend
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.1, markerscale=1.3)
    note_thinned(ax, len(rows), len(X))
    return ax


def as_drawn(X: Array, columns: Sequence[ColumnDescription]) -> Array:
    """Return raw rows of a table (m, n_columns) without gaps: 0 and 1 for each category, else the mean of the rows."""
    if not columns:
        return X
    parts = []
    for values, column in zip(X.T, columns, strict=True):
        if column.kind == "categorical":
            parts.append((values[:, None] == np.arange(len(column.categories))).astype(float))
        else:
            gaps = np.isnan(values)
            parts.append(np.where(gaps, 0.0 if gaps.all() else values[~gaps].mean(), values)[:, None])
    return np.concatenate(parts, axis=1)


def _plane(X: Floats) -> tuple[Floats, str, str]:
    """Two coordinates, shape (m, 2), and what they are called."""
    m, d = X.shape
    if d == 1:
        return np.column_stack([X[:, 0], np.arange(m)]), "feature 1", "row"
    if d == 2:
        return X, "feature 1", "feature 2"
    X = in_unit(X, safe_exponents(X))
    spread_of = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(spread_of > 0, spread_of, 1.0)
    left, singular, right = np.linalg.svd(Z, full_matrices=False)
    # A singular vector is known up to its sign: let its largest entry be positive.
    sign = np.sign(right[:2][np.arange(len(right[:2])), np.abs(right[:2]).argmax(axis=1)])
    points = np.zeros((m, 2))
    points[:, : len(sign)] = left[:, :2] * singular[:2] * sign
    share = np.append(singular**2 / max((singular**2).sum(), 1e-300), 0)
    first, second = (f"principal component {k + 1} ({100 * share[k]:.0f} % of variance)" for k in range(2))
    return points, first, second


@styled
def plot_class_counts(y: ArrayLike, class_names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Draw how many samples each class has; of more than 24 classes, all, with every tenth numbered.

    Parameters
    ----------
    y
        (n_samples,) of integers.
    class_names
        n_classes names.
    """
    n = len(class_names)
    counts = np.bincount(np.asarray(y).astype(int), minlength=n)
    ax = axes_or_new(ax, height=0.55 + (0.17 * max(2, n) if n <= COUNTED_CLASSES else 3.2))
    bars = ax.barh(range(n), counts, color=CORRECT, alpha=0.75, height=0.72 if n <= COUNTED_CLASSES else 1.0)
    name_rows(ax, class_labels(class_names, width=18))
    if n <= COUNTED_CLASSES:
        ax.bar_label(bars, [thousands(int(count)) for count in counts], padding=2, fontsize=NOTE)
        ax.margins(x=0.12)
    else:
        ax.set_yticks(range(0, n, 10), [str(k) for k in range(0, n, 10)])
    ax.set(xlabel="samples (count)", ylabel="class" if n <= COUNTED_CLASSES else "class (number)")
    return ax


@styled
def plot_target_histogram(y: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw how the values to be predicted are distributed.

    Parameters
    ----------
    y
        (n_samples,), in the units of the target.
    """
    values = np.asarray(y, float)
    values = values[np.isfinite(values)]
    ax = axes_or_new(ax, height=2.3)
    if len(values):
        ax.hist(
            values,
            bins=min(30, max(5, int(np.sqrt(len(values))))),
            color=CORRECT,
            alpha=0.7,
            edgecolor="white",
            linewidth=0.4,
        )
    ax.set(xlabel="value to predict (target units)", ylabel="samples (count)")
    return ax
