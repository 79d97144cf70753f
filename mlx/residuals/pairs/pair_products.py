"""Products over pairs of a group of samples whose entropies are permuted, from the matrix of all pairs or its sums."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.core.block_sums import Sums, joined, summed
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.pairs.pair_moments import PairGroup
from mlx.residuals.similarity.lift import CenteredDirections, swap_constant_terms

ROWS_PER_FEATURE = 8
FEW_ROWS = 256
"""Up to so many rows, n² numbers in a few passes take less time than a pass through the directions in many steps."""

MOST_IN_GRAM = 4096
"""Rows of the largest matrix of products that is kept: 128 MiB."""

ORDERS_AT_ONCE = 128
"""Permutations for which a row of that matrix is read once."""


def is_short(group: PairGroup) -> bool:
    """Say whether permuting the matrix of all products is less work than going through the directions again."""
    return group.rows.size <= min(max(ROWS_PER_FEATURE * group.lifted.width, FEW_ROWS), MOST_IN_GRAM)


def gram_of(group: PairGroup) -> Floats:
    """Products (n, n) of all pairs of lifted vectors, 0 for a sample with itself."""
    if group.lifted.units.is_sparse:  # what the lift adds to them says nothing
        directions = sparse.csr_array(group.lifted.units.take(group.rows))
        products: Floats = (directions @ directions.T).toarray()
    else:
        lifted = np.asarray(group.lifted.take(group.rows))
        products = lifted @ swap_constant_terms(lifted).T
    np.fill_diagonal(products, 0.0)
    return products


def products_from_gram(group: PairGroup, gram: Floats, orders: Integers) -> Floats:
    """Centered Σ_{i<j} s_ij m_ij (4, n_orders), as `PairGroup.products`, in O(n²) an order."""
    permuted = np.empty(orders.shape)
    np.put_along_axis(permuted, orders, np.broadcast_to(group.h, orders.shape), axis=1)
    to_all, total = gram.sum(axis=1), float(gram.sum()) / 2
    mean = permuted @ to_all / 2
    product = np.einsum("bn,bn->b", permuted @ gram, permuted) / 2
    columns, difference = np.ascontiguousarray(permuted.T), -2 * mean
    for i in range(len(columns) - 1):  # |a − b| = 2 max(a, b) − (a + b)
        difference += gram[i, i + 1 :] @ np.maximum(columns[i + 1 :], columns[i]) * 2
    squared_difference = permuted**2 @ to_all - 2 * product
    products = np.stack([mean, difference, product, squared_difference])
    products -= (total * group.of_entropy.own_mean)[:, None]
    return products


def to_others(group: PairGroup, *, map: OrderedMap = in_order) -> Floats:
    """Sum of a sample's similarities to all others (n,), less their mean."""
    blocks = list(row_blocks(group.rows.size, group.lifted.units.row_entries + 2))
    (total,) = summed(_SumLifted(group.lifted, group.rows), blocks, map=map)
    found = joined(_Multiply(group.lifted, group.rows, swap_constant_terms(total)), blocks, map=map)
    centered: Floats = found - found.mean()
    return centered


@dataclass(frozen=True)
class _SumLifted:
    """Sums a block of lifted vectors."""

    lifted: CenteredDirections
    rows: Integers
    doing: ClassVar[str] = "summing over pairs"

    def __call__(self, block: slice) -> Sums:
        return (np.asarray(self.lifted.take(self.rows[block]).sum(axis=0)),)


@dataclass(frozen=True)
class _Multiply:
    """Products (m,) of a block of lifted vectors with one vector."""

    lifted: CenteredDirections
    rows: Integers
    vector: Floats
    doing: ClassVar[str] = "summing over pairs"

    def __call__(self, block: slice) -> Floats:
        products: Floats = self.lifted.take(self.rows[block]) @ self.vector
        return products
