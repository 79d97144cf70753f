"""Computes the training design of a linear regression: R of its QR decomposition, and the residual variance."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from mlx.core.array_types import Array, Floats
from mlx.core.arrays import release_pages
from mlx.core.checks import row_blocks
from mlx.core.linear_fit import LinearFit, design_axes
from mlx.models.in_numpy.least_squares import triangle_of

MOST_FEATURES = 4096
"""The R of more features takes over 128 MB, for a model of 32 kB."""

CLOSE = 0.01
"""Largest mean squared distance, in squared standard errors, at which coefficients count as least squares."""

ROUNDING = 1e-12
"""Residuals below this share of the largest target are rounding errors."""


def measured_fit(X: Array, y: Array, coefficients: Floats, predict: Callable[[Array], Floats]) -> LinearFit | None:
    """Return the basis of leverage, intervals and standard errors; None for more than 4096 features.

    Blocks of rows are reduced to one triangle (TSQR), in the memory of one block. The features are centered first
    and R is shifted back afterwards, so that columns far from 0 lose no digits.

    Parameters
    ----------
    X
        (n, …) training samples; memory-mapped ones are read block by block.
    y
        (n,) training targets.
    coefficients
        (d + 1,), the intercept first.
    predict
        Maps (m, …) samples to (m,) predictions.
    """
    n, d = len(X), len(coefficients) - 1
    if d > MOST_FEATURES:
        return None
    center, offset, unit = _centers_and_unit(X, y, d)
    squares, triangle = 0.0, np.empty((0, d + 2))
    for samples, targets in _blocks(X, y, d):
        columns = [np.ones(len(targets)), samples.reshape(-1, d) - center, (targets - offset) / unit]
        triangle = triangle_of(np.concatenate([triangle, np.column_stack(columns)]))
        residual = (targets - predict(samples)) / unit
        squares += float(residual @ residual)
    triangle = _with_positive_diagonal(triangle)
    design = triangle[: d + 1, : d + 1].copy()
    design[0, 1:] += design[0, 0] * center
    axes = design_axes(design, n)
    rank = axes.rank + 1
    least = _unexplained(triangle[1:, d + 1], axes.left)
    freedom = n - rank
    allowed = CLOSE * rank * least / freedom if freedom else 0.0
    return LinearFit(
        triangle=design,
        coefficients=coefficients,
        n=n,
        residual_sd=math.sqrt(squares / freedom) * unit if freedom else None,
        least_squares=squares - least <= allowed + n * ROUNDING**2,
    )


def _blocks(X: Array, y: Array, d: int) -> Iterator[tuple[Array, Floats]]:
    for rows in row_blocks(len(X), d + 2):
        yield np.asarray(X[rows], np.float64), np.asarray(y[rows], np.float64)
        release_pages(X)


def _centers_and_unit(X: Array, y: Array, d: int) -> tuple[Floats, float, float]:
    """Return the means of the features (d,) and of the targets, and the largest target as a unit (1 if all are 0)."""
    total, target, largest = np.zeros(d), 0.0, 0.0
    for samples, targets in _blocks(X, y, d):
        total += samples.reshape(-1, d).sum(axis=0)
        target += float(targets.sum())
        largest = max(largest, float(np.abs(targets).max()))
    return total / len(X), target / len(X), largest or 1.0


def _unexplained(rhs: Floats, left: Floats) -> float:
    """Return the sum of squares of the part of `rhs` outside the span of the axes."""
    inner = rhs[: len(left)]
    rest = np.concatenate([inner - left @ (left.T @ inner), rhs[len(left) :]])
    return float(rest @ rest)


def _with_positive_diagonal(triangle: Floats) -> Floats:
    """Flip the signs of rows so that the diagonal is not negative, as R is unique up to these signs."""
    upright: Floats = triangle * np.where(np.diagonal(triangle) < 0, -1.0, 1.0)[:, None]
    return upright
