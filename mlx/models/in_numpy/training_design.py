"""Measures the design that a linear regression was fitted to: R of its QR decomposition, and the residual variance."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from mlx.core.array_types import Array, Floats
from mlx.core.arrays import release_pages
from mlx.core.checks import row_blocks
from mlx.core.linear_fit import LinearFit, design_axes
from mlx.models.in_numpy.least_squares import triangle_of

MOST_FEATURES = 4096
"""R of more features would take over 128 MB beside a model of 32 kB."""

CLOSE = 0.01
"""Largest mean squared distance from least squares, in squared standard errors, at which their errors are used."""

ROUNDING = 1e-12
"""Residuals below this share of the largest target are those of rounding."""


def measured_fit(X: Array, y: Array, coefficients: Floats, predict: Callable[[Array], Floats]) -> LinearFit | None:
    """Return what leverage, intervals and standard errors follow from; None for more than 4096 features.

    Blocks of rows are reduced to one triangle (TSQR), in the memory of one block. The features are centered first
    and R is moved back afterwards, which is exact up to rounding of the center: columns far from 0 lose no digits.

    Parameters
    ----------
    X : (n, …) training samples; memory-mapped ones are read block by block.
    y : (n,) training targets.
    coefficients : (d + 1,), the intercept first.
    predict : gives (m,) predictions of (m, …) samples.
    """
    n, d = len(X), len(coefficients) - 1
    if d > MOST_FEATURES:
        return None
    center, offset, unit = _levels(X, y, d)
    squares, triangle = 0.0, np.empty((0, d + 2))
    for samples, targets in _blocks(X, y, d):
        columns = [np.ones(len(targets)), samples.reshape(-1, d) - center, (targets - offset) / unit]
        triangle = triangle_of(np.concatenate([triangle, np.column_stack(columns)]))
        residual = (targets - predict(samples)) / unit
        squares += float(residual @ residual)
    triangle = _upright(triangle)
    design = triangle[: d + 1, : d + 1].copy()
    design[0, 1:] += design[0, 0] * center
    axes = design_axes(design, n)
    rank = axes.rank + 1
    least = _left_over(triangle[1:, d + 1], axes.left)
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


def _levels(X: Array, y: Array, d: int) -> tuple[Floats, float, float]:
    """Return the means of the features (d,) and the targets, and the largest target as their unit (1 if all are 0)."""
    total, target, largest = np.zeros(d), 0.0, 0.0
    for samples, targets in _blocks(X, y, d):
        total += samples.reshape(-1, d).sum(axis=0)
        target += float(targets.sum())
        largest = max(largest, float(np.abs(targets).max()))
    return total / len(X), target / len(X), largest or 1.0


def _left_over(rhs: Floats, left: Floats) -> float:
    """Return the sum of squares of what the axes don't explain of `rhs`, whose further entries no feature reaches."""
    inner = rhs[: len(left)]
    rest = np.concatenate([inner - left @ (left.T @ inner), rhs[len(left) :]])
    return float(rest @ rest)


def _upright(triangle: Floats) -> Floats:
    """Change the sign of rows so that the diagonal is not negative, which leaves the R of a decomposition one."""
    upright: Floats = triangle * np.where(np.diagonal(triangle) < 0, -1.0, 1.0)[:, None]
    return upright
