"""Least squares, with or without a ridge penalty, to the full accuracy of float64."""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats
from mlx.core.checks import row_blocks
from mlx.core.linear_fit import column_lengths
from mlx.core.scale import in_unit, safe_exponent

Extended = npt.NDArray[np.longdouble]

NEAR_SINGULAR = 1e10  # at most six digits of the weights are accurate beyond it
SMALL = 100_000  # entries of X up to which refinement in extended precision takes no noticeable time
WELL_CONDITIONED = 1e3
MOST_REFINEMENTS = 10


@dataclass(frozen=True)
class LinearSolution:
    """``y ≈ X @ weights + intercept``.

    Attributes
    ----------
    weights
        (d,), or (d, t) for t targets.
    intercept
        (), or (t,).
    rank
        Of the centered features.
    condition
        Largest singular value by the smallest, of the features centered and scaled to length one.
    """

    weights: Floats
    intercept: Floats
    rank: int
    condition: float


def solve_least_squares(X: Floats, y: Floats, *, l2: float = 0.0) -> LinearSolution:
    """Minimize ``sum((y - X @ weights - intercept)**2) + l2 * sum(weights**2)``.

    The normal equations would square the condition number. Here blocks of centered rows are reduced to
    one triangle by orthogonal transformations (TSQR: Golub & Van Loan, Matrix Computations, 5.3.2; Demmel
    et al. 2012), whose columns are scaled to length one, so that units do not matter. Iterative refinement
    corrects the rounding errors. For linearly dependent features, the solution is the one of least norm.

    ``X`` is (n, d), and `y` is (n,) or (n, t).

    Warns
    -----
    RuntimeWarning
        The features are linearly dependent in float64, or nearly: gives the condition number.
    """
    targets = y if y.ndim == 2 else y[:, None]
    unit, of_y = safe_exponent([X]), safe_exponent([targets])
    if unit or of_y:  # sums of the largest numbers are infinite, and their squares
        penalty = min(float(in_unit(l2, 2 * unit)), LARGEST_PENALTY)
        line = _solved(in_unit(X, unit), in_unit(targets, of_y), penalty)
        weights, intercept = in_unit(line.weights, unit - of_y), in_unit(line.intercept, -of_y)
        line = LinearSolution(weights, intercept, line.rank, line.condition)
    else:
        line = _solved(X, targets, l2)
    if not l2:
        _warn_of_dependence(line, X.shape[1])
    if y.ndim == 2:
        return line
    return LinearSolution(line.weights[:, 0], line.intercept[0], line.rank, line.condition)


LARGEST_PENALTY = 1e290
"""Of samples whose largest entry is 1; weights are 0 with it, and with every larger one."""


def _solved(X: Floats, Y: Floats, l2: float) -> LinearSolution:
    center, offset = X.mean(axis=0), Y.mean(axis=0)
    if len(X) > X.shape[1]:
        return _tall(X, Y, center, offset, l2)
    return _wide(X - center, Y - offset, center, offset, l2)


def _tall(X: Floats, Y: Floats, center: Floats, offset: Floats, l2: float) -> LinearSolution:
    """Solve for more samples than features."""
    d = X.shape[1]
    triangle = _triangle(X, Y, center, offset)
    if l2:  # a ridge penalty is equivalent to d more samples with the target 0
        ridge = np.sqrt(l2) * np.eye(d, d + Y.shape[1])
        triangle = triangle_of(np.concatenate([triangle, ridge]))
    design, rhs = triangle[:d, :d], triangle[:d, d:]
    lengths = column_lengths(design)
    scale = np.where(lengths > 0, lengths, 1.0)
    left, singular, right = np.linalg.svd(design / scale)
    rank = int((singular > np.finfo(np.float64).eps * max(X.shape) * singular[0]).sum())
    condition = _ratio(singular)
    inner = (left.T @ rhs)[:rank] / singular[:rank, None]
    weights = (right[:rank].T @ inner) / scale[:, None]
    if rank < d:  # remove the component that changes no prediction
        idle, _ = np.linalg.qr(right[rank:].T / scale[:, None])
        weights -= idle @ (idle.T @ weights)
    elif not l2:
        if X.size <= SMALL or condition > WELL_CONDITIONED:
            return LinearSolution(*_refined(X, Y, center, scale), rank, condition)
        weights += _correction(X, Y, center, offset, weights, (right / scale).T / singular)
    return LinearSolution(weights, offset - center @ weights, rank, condition)


def _triangle(X: Floats, Y: Floats, center: Floats, offset: Floats) -> Floats:
    """Return R (d + t, d + t), upper triangular, of the centered ``[X Y] = Q R``, a block of rows at a time."""
    d, width = X.shape[1], X.shape[1] + Y.shape[1]
    triangle = np.empty((0, width))
    for rows in row_blocks(len(X), width):
        block = np.empty((len(triangle) + len(Y[rows]), width))
        block[: len(triangle)] = triangle
        np.subtract(X[rows], center, out=block[len(triangle) :, :d])
        np.subtract(Y[rows], offset, out=block[len(triangle) :, d:])
        triangle = triangle_of(block)
    return triangle


def triangle_of(matrix: Floats) -> Floats:
    """Return R (min(m, k), k), upper triangular, of ``matrix`` (m, k)."""
    triangle: Floats = np.asarray(np.linalg.qr(matrix, mode="r"))
    return triangle


def _correction(X: Floats, Y: Floats, center: Floats, offset: Floats, weights: Floats, inverse: Floats) -> Floats:
    """Return the correction of one step of refinement (corrected seminormal equations: Björck 1996, 2.9.4).

    `inverse` (d, d) is R⁻¹ times an orthogonal matrix, so that ``inverse @ inverse.T`` is (XᵀX)⁻¹.
    """
    residual = Y - offset + center @ weights
    residual -= X @ weights
    gradient = X.T @ residual - np.outer(center, residual.sum(axis=0))
    correction: Floats = inverse @ (inverse.T @ gradient)
    return correction


def _refined(X: Floats, Y: Floats, center: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Solve for the weights and the residuals together, and refine both (Björck 1967).

    Residuals are computed in extended precision if the machine has it, so that centering and scaling
    cause no rounding errors.
    """
    wide = (X.astype(np.longdouble) - center) / scale
    design: Extended = np.concatenate([np.ones((len(X), 1), np.longdouble), wide], axis=1)
    Q, R = np.linalg.qr(design.astype(np.float64))
    solution: Extended = np.zeros((design.shape[1], Y.shape[1]), np.longdouble)
    residual: Extended = np.zeros(Y.shape, np.longdouble)
    last = np.inf
    for _ in range(MOST_REFINEMENTS):
        error = Y - residual - design @ solution
        slope = np.linalg.solve(R.T, (design.T @ residual).astype(np.float64))
        step = np.linalg.solve(R, Q.T @ error.astype(np.float64) + slope)
        size = float(np.abs(step).max(initial=0.0))
        if not size < last / 2:  # only rounding errors are left
            break
        solution += step
        residual += error - design @ step
        last = size
    weights = solution[1:] / scale[:, None]
    intercept = solution[0] - center.astype(np.longdouble) @ weights
    return weights.astype(np.float64), intercept.astype(np.float64)


def _wide(X: Floats, Y: Floats, center: Floats, offset: Floats, l2: float) -> LinearSolution:
    """Solve for at least as many features as samples, of centered `X` and `Y`."""
    left, singular, right = np.linalg.svd(X, full_matrices=False)
    rank = int((singular > np.finfo(np.float64).eps * max(X.shape) * singular[0]).sum())
    leading = singular[:rank, None]
    weights = right[:rank].T @ ((left.T @ Y)[:rank] / (leading + l2 / leading))
    return LinearSolution(weights, offset - center @ weights, rank, _ratio(singular))


def _ratio(singular: Floats) -> float:
    return float(singular[0] / singular[-1]) if singular[-1] > 0 else np.inf


def _warn_of_dependence(line: LinearSolution, n_features: int) -> None:
    if line.rank < n_features:
        found = f"have rank {line.rank} (condition number {line.condition:.2g})"
        then = "some depend on others, so their weights are not unique; the shortest weights are taken"
    elif line.condition > NEAR_SINGULAR:
        found = f"have a condition number of {line.condition:.2g}"
        then = "some nearly depend on others, so few digits of their weights are certain"
    else:
        return
    remedy = (
        "l2_regularization makes them unique; of categories, preprocessing.columns: {categorical: {drop: first}} may"
    )
    text = f"the {n_features} features {found}: {then}; {remedy}"
    warnings.warn(text, RuntimeWarning, stacklevel=4)
