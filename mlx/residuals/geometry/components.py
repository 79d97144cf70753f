"""Coordinates for a plot: principal components of a representation, without more memory than it needs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Scores
from mlx.core.checks import BLOCK_BYTES, row_blocks
from mlx.core.scale import in_unit
from mlx.residuals.similarity.directions import in_range
from mlx.stats.status import OK, Reason, Status

DENSE = 2048
"""Up to so many features, or samples, the whole spectrum is computed; beyond, only its upper end."""


@dataclass(frozen=True)
class PrincipalComponents:
    """Where samples lie along the directions of largest variance.

    Attributes
    ----------
    coordinates
        (n_samples, n_components), in units of the representation, centered.
    axes
        (n_components, n_features), of length 1; the entry of largest size is positive, so that two runs
        never draw mirror images.
    variance_ratio
        (n_components,), share of the total variance, falling.
    status
        Why coordinates are all 0, if they are.
    """

    coordinates: Floats
    axes: Floats
    variance_ratio: Floats
    status: Status


def principal_components(representation: Scores, *, n_components: int = 2) -> PrincipalComponents:
    """Project a representation (n_samples, n_features), finite, on its principal axes, in blocks of rows.

    Parameters
    ----------
    representation
        One row a sample; may be memory-mapped.
    n_components
        At least 1; components beyond the number of features or samples are 0.
    """
    representation, exponent = in_range(representation)
    n, d = representation.shape
    mean = _mean(representation)
    total = sum(float(np.einsum("ij,ij->", b, b)) for _, b in _centered_blocks(representation, mean))
    nothing = 1e-28 * n * float(mean @ mean)
    axes = np.zeros((n_components, d))
    if n < 2 or total <= nothing:
        status = Reason.CONSTANT("representation")
        return PrincipalComponents(np.zeros((n, n_components)), axes, np.zeros(n_components), status)
    found = _axes(representation, mean, min(n_components, n - 1, d))
    turn = np.sign(found[np.arange(len(found)), np.abs(found).argmax(axis=1)])
    axes[: len(found)] = found * turn[:, None]
    coordinates = np.empty((n, n_components))
    for rows, block in _centered_blocks(representation, mean):
        coordinates[rows] = block @ axes.T
    shares = np.einsum("ij,ij->j", coordinates, coordinates) / total
    return PrincipalComponents(in_unit(coordinates, -exponent), axes, shares, OK)


def _mean(representation: Scores) -> Floats:
    origin, total = np.asarray(representation[0], dtype=np.float64), np.zeros(representation.shape[1])
    for rows in row_blocks(*representation.shape):
        total += (np.asarray(representation[rows], dtype=np.float64) - origin).sum(axis=0)
    return np.asarray(origin + total / len(representation), dtype=np.float64)


def _centered_blocks(
    representation: Scores, mean: Floats, block_bytes: int = BLOCK_BYTES
) -> Iterator[tuple[slice, Floats]]:
    for rows in row_blocks(len(representation), mean.size, block_bytes):
        yield rows, np.asarray(representation[rows], dtype=np.float64) - mean


def _axes(representation: Scores, mean: Floats, k: int) -> Floats:
    n, d = representation.shape
    if d <= min(n, DENSE):
        covariance = np.zeros((d, d))
        # Each block adds a whole matrix to the others', and has as many rows as that.
        for _, block in _centered_blocks(representation, mean, max(BLOCK_BYTES, 8 * d * d)):
            covariance += block.T @ block
        return _last_eigenvectors(covariance, k).T
    if n <= DENSE:
        centered = np.concatenate([block for _, block in _centered_blocks(representation, mean)])
        # From products of rows, of which there are fewer than columns; orthogonal also where components vanish.
        weights = _last_eigenvectors(centered @ centered.T, k)
        return np.asarray(np.linalg.qr(centered.T @ weights)[0].T, dtype=np.float64)
    return _leading_axes(representation, mean, k)


def _last_eigenvectors(matrix: Floats, k: int) -> Floats:
    """Return the eigenvectors (n, k) of the k largest eigenvalues of a symmetric matrix (n, n), largest first."""
    from scipy.linalg import eigh

    n = len(matrix)
    vectors: Floats = eigh(matrix, subset_by_index=(n - k, n - 1), overwrite_a=True, check_finite=False)[1]
    return vectors[:, ::-1]


def _leading_axes(representation: Scores, mean: Floats, k: int) -> Floats:
    """Lanczos iteration on the covariance, which is only ever applied, never formed."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    def apply(vector: Floats) -> Floats:
        result = np.zeros(len(mean))
        for _, block in _centered_blocks(representation, mean):
            result += block.T @ (block @ vector.ravel())
        return result

    operator = LinearOperator((mean.size, mean.size), matvec=apply, dtype=np.float64)
    start = np.ones(mean.size) / np.sqrt(mean.size)
    return np.asarray(eigsh(operator, k=k, v0=start)[1][:, ::-1].T, dtype=np.float64)
