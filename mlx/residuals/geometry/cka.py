"""Debiased linear centered kernel alignment: how alike two layers arrange the samples.

CKA = HSIC(K, L) / √(HSIC(K, K)·HSIC(L, L)) for the kernels K = XXᵀ and L = YYᵀ (Kornblith et al. 2019), with
the unbiased estimator of HSIC (Song et al. 2012), which is 0 on average for independent layers however many
features they have; the usual, biased one rises toward 1 with features per sample. With X and Y centered,
q = Σ ‖x_i‖²‖y_i‖² and t = Σ ‖x_i‖²,

    n(n − 3)·HSIC = ‖XᵀY‖² − q + t_x·t_y / ((n − 1)(n − 2)) − 2q / (n − 2),

so that no n × n matrix is needed: it costs O(n·d_x·d_y).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.block_sums import Sums, joined, summed
from mlx.core.checks import check_finite, row_blocks
from mlx.core.errors import DataError
from mlx.core.ordered_map import OrderedMap, in_order
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
        Why the value is missing; `OK` where it is not.
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


def debiased_cka(x: Layer, y: Layer, *, map: OrderedMap = in_order) -> Alignment:
    """Align two layers of the same samples.

    Where there are fewer samples than features, products of rows take the place of products of columns, a
    block of rows at a time; sparse arrays stay sparse.

    Parameters
    ----------
    x, y
        (n_samples, n_features_x) and (n_samples, n_features_y): arrays, memory-mapped or not, or SciPy CSR.
    map
        How blocks of rows are summed.

    Raises
    ------
    DataError
        If the numbers of samples differ, or for the first row with a value that is not finite.
    """
    return align([x, y], map=map)[0, 1]


def align(layers: Sequence[Layer], *, map: OrderedMap = in_order) -> dict[tuple[int, int], Alignment]:
    """Align every two layers, by their places; parameters and errors are those of `debiased_cka`."""
    n, pairs = int(layers[0].shape[0]) if layers else 0, list(combinations(range(len(layers)), 2))
    for one, other in pairs:
        x, y = layers[one], layers[other]
        if x.ndim != 2 or y.ndim != 2 or x.shape[0] != y.shape[0]:
            raise DataError(f"cka: expected two layers of the same samples, found shapes {x.shape} and {y.shape}")
    if n < MIN_SAMPLES or not pairs:
        return dict.fromkeys(pairs, Alignment(float("nan"), n, Reason.TOO_FEW_SAMPLES(MIN_SAMPLES)))
    centered = [_centered(layer, map) for layer in layers]
    own = [unbiased_hsic(layer, layer, map=map) if layer.squares.any() else 0.0 for layer in centered]
    found = {}
    for one, other in pairs:
        if not centered[one].squares.any() or not centered[other].squares.any():
            found[one, other] = Alignment(float("nan"), n, Reason.CONSTANT("representation"))
        elif own[one] <= 0 or own[other] <= 0:
            found[one, other] = Alignment(float("nan"), n, Reason.NO_STRUCTURE())
        else:
            shared = unbiased_hsic(centered[one], centered[other], map=map)
            found[one, other] = Alignment(shared / (own[one] * own[other]) ** 0.5, n, OK)
    return found


def unbiased_hsic(x: _Centered, y: _Centered, *, map: OrderedMap = in_order) -> float:
    """Unbiased HSIC of two centered layers with linear kernels; below 0 by noise alone."""
    n = x.squares.size
    shared, t_x, t_y = float(x.squares @ y.squares), float(x.squares.sum()), float(y.squares.sum())
    total = _squared_product(x, y, map) - shared + t_x * t_y / ((n - 1) * (n - 2)) - 2 * shared / (n - 2)
    return total / (n * (n - 3))


def _centered(values: Layer, map: OrderedMap) -> _Centered:
    values, _ = in_range(values)
    n, d = values.shape
    if isinstance(values, np.ndarray):
        origin = np.asarray(values[0], dtype=np.float64)
        mean: Floats = origin + summed(_SumFrom(values, origin), row_blocks(n, d), map=map)[0] / n
    else:
        values = values.tocsr().astype(np.float64)
        if not np.isfinite(values.data).all():
            row = int(np.searchsorted(values.indptr, np.flatnonzero(~np.isfinite(values.data))[0], "right")) - 1
            raise DataError(f"cka: row {row}: a value is not finite")
        mean = np.asarray(values.mean(axis=0), dtype=np.float64).ravel()
    squares = joined(_Squares(_Centered(values, mean, np.empty(0))), row_blocks(n, d), map=map)
    # What centering leaves of a constant column is rounding.
    if squares.max() <= 1e-28 * max(float(mean @ mean), float(squares.max())):
        squares[:] = 0.0
    return _Centered(values, mean, squares)


@dataclass(frozen=True)
class _SumFrom:
    """Sums a block of rows less an origin."""

    doing: ClassVar[str] = "aligning layers"
    values: Layer
    origin: Floats

    def __call__(self, rows: slice) -> Sums:
        block = np.asarray(self.values[rows], dtype=np.float64)
        check_finite("cka", block, rows.start)
        return ((block - self.origin).sum(axis=0),)


@dataclass(frozen=True)
class _Squares:
    """‖x_i‖² of a block of rows."""

    doing: ClassVar[str] = "aligning layers"
    layer: _Centered

    def __call__(self, rows: slice) -> Floats:
        block = self.layer.block(rows)
        return np.asarray(np.einsum("ij,ij->i", block, block))


def _squared_product(x: _Centered, y: _Centered, map: OrderedMap) -> float:
    """‖XᵀY‖², which is also Σ_ij (x_i·x_j)(y_i·y_j)."""
    n, d_x, d_y = x.squares.size, x.mean.size, y.mean.size
    if x.sparse and y.sparse:
        return _sparse_squared_product(x, y)
    products = _Products(x, y, by_rows=n < d_x * d_y / max(1, d_x + d_y))
    (product,) = summed(products, row_blocks(n, d_x + d_y), map=map)
    return float(product.sum()) if products.by_rows else float(np.einsum("ij,ij->", product, product))


@dataclass(frozen=True)
class _Products:
    """XᵀY of a block of rows, or its part of Σ_ij (x_i·x_j)(y_i·y_j), (1,)."""

    doing: ClassVar[str] = "aligning layers"
    x: _Centered
    y: _Centered
    by_rows: bool

    def __call__(self, rows: slice) -> Sums:
        left = self.x.block(rows), self.y.block(rows)
        if not self.by_rows:
            return (left[0].T @ left[1],)
        total = 0.0
        for others in row_blocks(self.x.squares.size, self.x.mean.size + self.y.mean.size):
            by_x, by_y = (a @ layer.block(others).T for a, layer in zip(left, (self.x, self.y), strict=True))
            total += float(np.einsum("ij,ij->", by_x, by_y))
        return (np.array([total]),)


def _sparse_squared_product(x: _Centered, y: _Centered) -> float:
    """‖XᵀY − n·m_x·m_yᵀ‖², with the sparse product expanded so that nothing is filled in."""
    n = x.squares.size
    product = x.values.T @ y.values
    plain = float(product.power(2).sum())
    mixed = float(x.mean @ (product @ y.mean))
    return plain - 2 * n * mixed + n * n * float(x.mean @ x.mean) * float(y.mean @ y.mean)
