"""Sums over pairs of similarity squared, without the pairs: by columns, by rows, or by stored entries."""

from typing import Any

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks
from mlx.residuals.similarity.lift import CenteredDirections, swap_constant_terms
from mlx.residuals.similarity.sums import PairSums

PRODUCT_ENTRIES = 1 << 22
"""About as many entries of a sparse product are made at a time."""


def squared_products(lifted: CenteredDirections, rows: Integers, sums: PairSums) -> tuple[float, float]:
    """Σ_{i≠j} x_ij² and Σ_i (Σ_{j≠i} x_ij)² of the products x_ij = ⟨w_i, w_j⟩ of the given rows.

    ``sums`` are those of the rows. Its gram matrix is used where it has one: Σ_ij x_ij² is the trace of the
    square of Σ w wᵀ (in the product ⟨·, ·⟩). Otherwise there are fewer rows than columns, and the n × n
    products are summed block by block, or rows are sparse.
    """
    n, own, total = rows.size, lifted.own, swap_constant_terms(sums.moments[0])
    if sums.gram is not None:
        square, row_square = _by_columns(sums.gram, total)
    elif lifted.units.is_sparse:
        square = sparse_gram_square(lifted.units.take(rows))
        row_square = float(np.square(lifted.take(rows) @ total).sum())
    else:
        square, row_square = _by_rows(lifted.take(rows), total)
    all_pairs = float(sums.moments[0] @ total)
    return square - n * own**2, row_square - 2 * own * all_pairs + n * own**2


def _by_columns(gram: Floats, total: Floats) -> tuple[float, float]:
    turned = swap_constant_terms(gram)
    return float(np.einsum("ij,ji->", turned, turned)), float(total @ gram @ total)


def _by_rows(vectors: Floats, total: Floats) -> tuple[float, float]:
    turned = swap_constant_terms(vectors).T
    square = 0.0
    for block in row_blocks(len(vectors), len(vectors)):
        products = vectors[block] @ turned
        square += float(np.einsum("ij,ij->", products, products))
    return square, float(np.square(vectors @ total).sum())


def sparse_gram_square(rows: Any) -> float:
    """‖U Uᵀ‖²_F = ‖Uᵀ U‖²_F of a ``csr_array`` (n, d), from whichever side takes fewer multiplications."""
    columns = rows.T.tocsr()
    work_of_rows = np.square(np.diff(columns.indptr), dtype=np.float64).sum()
    work_of_columns = np.square(np.diff(rows.indptr), dtype=np.float64).sum()
    left, right = (rows, columns) if work_of_rows <= work_of_columns else (columns, rows)
    entries = np.cumsum(_work(left, right))
    square, start = 0.0, 0
    while start < left.shape[0]:
        done = entries[start - 1] if start else 0.0
        stop = max(start + 1, int(np.searchsorted(entries, done + PRODUCT_ENTRIES)))
        square += float(np.square((left[start:stop] @ right).data).sum())
        start = stop
    return square


def _work(left: Any, right: Any) -> Floats:
    """Multiplications of every row of ``left @ right``."""
    lengths = np.append(0.0, np.cumsum(np.diff(right.indptr)[left.indices], dtype=np.float64))
    work: Floats = lengths[left.indptr[1:]] - lengths[left.indptr[:-1]]
    return work
