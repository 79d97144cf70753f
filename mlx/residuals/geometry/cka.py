"""Debiased linear centered kernel alignment: how alike two layers arrange the samples.

CKA = HSIC(K, L) / √(HSIC(K, K)·HSIC(L, L)) for the kernels K = XXᵀ and L = YYᵀ (Kornblith et al. 2019), with
the unbiased estimator of HSIC (Song et al. 2012), which is 0 on average for independent layers however many
features they have; the usual, biased one rises towards 1 with features per sample. With X and Y centered,
q = Σ ‖x_i‖²‖y_i‖² and t = Σ ‖x_i‖²,

    n(n − 3)·HSIC = ‖XᵀY‖² − q + t_x·t_y / ((n − 1)(n − 2)) − 2q / (n − 2),

so that no n × n matrix is needed: it costs O(n·d_x·d_y).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.checks import check_finite, row_blocks
from mlx.core.errors import DataError
from mlx.residuals.similarity.directions import in_range
from mlx.stats.status import OK, Reason, Status

MIN_SAMPLES = 4

Layer = Any
"""An array (n_samples, n_features), or a SciPy sparse one, which has no type of its own to speak of."""


@dataclass(frozen=True)
class Alignment:
    """CKA of two layers; 1 is the same up to rotation and scale, 0 unrelated, and noise may fall below it.

    Attributes
    ----------
    cka
        Debiased, at most 1 but for noise; NaN where ``status`` says why.
    n
        Samples.
    status
        Why there is none, if there is none.
    """

    cka: float
    n: int
    status: Status


@dataclass(frozen=True)
class _Centered:
    """One layer, read in blocks, its mean taken out."""

    values: Layer
    mean: Floats
    squares: Floats

    @property
    def sparse(self) -> bool:
        return not isinstance(self.values, np.ndarray)

    def block(self, rows: slice) -> Floats:
        found = self.values[rows]
        return np.asarray(found.toarray() if self.sparse else found, dtype=np.float64) - self.mean


def debiased_cka(x: Layer, y: Layer) -> Alignment:
    """Align two layers of the same samples.

    Where there are fewer samples than features, products of rows take the place of products of columns, a
    block of rows at a time; sparse arrays stay sparse.

    Parameters
    ----------
    x, y
        (n_samples, n_features_x) and (n_samples, n_features_y): arrays, memory-mapped or not, or SciPy CSR.

    Raises
    ------
    DataError
        If the numbers of samples differ, or for the first row with a value that is not finite.
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[0] != y.shape[0]:
        raise DataError(f"cka: expected two layers of the same samples, found shapes {x.shape} and {y.shape}")
    n = int(x.shape[0])
    if n < MIN_SAMPLES:
        return Alignment(float("nan"), n, Reason.TOO_FEW_SAMPLES(MIN_SAMPLES))
    first, second = _centered(x), _centered(y)
    if not first.squares.any() or not second.squares.any():
        return Alignment(float("nan"), n, Reason.CONSTANT("representation"))
    own_x, own_y = unbiased_hsic(first, first), unbiased_hsic(second, second)
    if own_x <= 0 or own_y <= 0:
        return Alignment(float("nan"), n, Reason.NO_STRUCTURE())
    return Alignment(unbiased_hsic(first, second) / (own_x * own_y) ** 0.5, n, OK)


def unbiased_hsic(x: _Centered, y: _Centered) -> float:
    """Unbiased HSIC of two centered layers with linear kernels; below 0 by noise alone."""
    n = x.squares.size
    shared, t_x, t_y = float(x.squares @ y.squares), float(x.squares.sum()), float(y.squares.sum())
    total = _squared_product(x, y) - shared + t_x * t_y / ((n - 1) * (n - 2)) - 2 * shared / (n - 2)
    return total / (n * (n - 3))


def _centered(values: Layer) -> _Centered:
    values, _ = in_range(values)
    n, d = values.shape
    if isinstance(values, np.ndarray):
        origin, total = np.asarray(values[0], dtype=np.float64), np.zeros(d)
        for rows in row_blocks(n, d):
            block = np.asarray(values[rows], dtype=np.float64)
            check_finite("cka", block, rows.start)
            total += (block - origin).sum(axis=0)
        mean: Floats = origin + total / n
    else:
        values = values.tocsr().astype(np.float64)
        if not np.isfinite(values.data).all():
            row = int(np.searchsorted(values.indptr, np.flatnonzero(~np.isfinite(values.data))[0], "right")) - 1
            raise DataError(f"cka: row {row}: a value is not finite")
        mean = np.asarray(values.mean(axis=0), dtype=np.float64).ravel()
    layer = _Centered(values, mean, np.empty(n))
    for rows in row_blocks(n, d):
        block = layer.block(rows)
        layer.squares[rows] = np.einsum("ij,ij->i", block, block)
    # What centering leaves of a constant column is rounding.
    if layer.squares.max() <= 1e-28 * max(float(mean @ mean), float(layer.squares.max())):
        layer.squares[:] = 0.0
    return layer


def _squared_product(x: _Centered, y: _Centered) -> float:
    """‖XᵀY‖², which is also Σ_ij (x_i·x_j)(y_i·y_j)."""
    n, d_x, d_y = x.squares.size, x.mean.size, y.mean.size
    if x.sparse and y.sparse:
        return _sparse_squared_product(x, y)
    if n < d_x * d_y / max(1, d_x + d_y):
        return _squared_product_of_rows(x, y)
    product = np.zeros((d_x, d_y))
    for rows in row_blocks(n, d_x + d_y):
        product += x.block(rows).T @ y.block(rows)
    return float(np.einsum("ij,ij->", product, product))


def _squared_product_of_rows(x: _Centered, y: _Centered) -> float:
    n, total = x.squares.size, 0.0
    for rows in row_blocks(n, x.mean.size + y.mean.size):
        left = [layer.block(rows) for layer in (x, y)]
        for others in row_blocks(n, x.mean.size + y.mean.size):
            by_x, by_y = (a @ layer.block(others).T for a, layer in zip(left, (x, y), strict=True))
            total += float(np.einsum("ij,ij->", by_x, by_y))
    return total


def _sparse_squared_product(x: _Centered, y: _Centered) -> float:
    """‖XᵀY − n·m_x·m_yᵀ‖², with the sparse product expanded so that nothing is filled in."""
    n = x.squares.size
    product = x.values.T @ y.values
    plain = float(product.power(2).sum())
    mixed = float(x.mean @ (product @ y.mean))
    return plain - 2 * n * mixed + n * n * float(x.mean @ x.mean) * float(y.mean @ y.mean)
