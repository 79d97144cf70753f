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

ROWS_PER_FEATURE = 3
"""Up to so many rows, n² numbers take less time than the directions; of sparse ones, whose pass is slow, up to 8."""

MOST_IN_GRAM = 4096
"""Rows of the largest matrix of products that is kept: 128 MiB."""

ORDERS_AT_ONCE = 256
"""Permutations for which a row of that matrix, or one place of every order, is read at once."""

PLACES_AT_ONCE = 64
"""Places of the orders whose sums are weighted at once."""

MOST_LIFTED_BYTES = 1 << 27
"""Lifted vectors that are held for permutations; more are read block by block for each."""


def is_short(group: PairGroup) -> bool:
    """Say whether permuting the matrix of all products is less work than going through the directions again."""
    factor = 8 if group.lifted.units.is_sparse else ROWS_PER_FEATURE
    return group.rows.size <= min(factor * group.lifted.width, MOST_IN_GRAM)


def is_held(group: PairGroup) -> bool:
    """Say whether the lifted vectors of a group are dense and few enough to be held."""
    return not group.lifted.units.is_sparse and group.rows.size * group.lifted.width * 8 <= MOST_LIFTED_BYTES


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


def products_from_lifted(group: PairGroup, lifted: Floats, orders: Integers) -> Floats:
    """Centered Σ_{i<j} s_ij m_ij (4, n_orders), as `PairGroup.products`, in O(n·d) an order.

    Of all orders, the vectors (n, width) at one place after the other are added to the sums P_k of those before, as
    |h_i − h_j| is a sum over the places between: Σ_k (h_(k+1) − h_(k)) ⟨P_k, S − P_k⟩ with S the sum of all.
    """
    h, own, (n_orders, n) = group.h, group.lifted.own, orders.shape
    steps, total = np.diff(h), lifted.sum(axis=0)
    to_all = lifted @ swap_constant_terms(total)
    v, c, at = np.ascontiguousarray(lifted[:, :-2]), lifted[:, -2], np.ascontiguousarray(orders.T)
    sums, added = np.zeros((n_orders, v.shape[1])), np.empty((n_orders, v.shape[1]))
    path, squares = np.zeros(n_orders), np.empty((PLACES_AT_ONCE, n_orders))
    for start in range(0, n - 1, PLACES_AT_ONCE):
        between = steps[start : start + PLACES_AT_ONCE]
        for place, found in zip(at[start : start + between.size], squares, strict=False):
            sums += v.take(place, axis=0, out=added, mode="clip")
            np.vecdot(sums, sums, out=found)
        path += between @ squares[: between.size]
    # ⟨P_k, P_k⟩ also has 2 k Σ c over the first k.
    path += c[orders] @ (2 * np.append(np.cumsum((steps * np.arange(1, n))[::-1])[::-1], 0.0))
    permuted = np.empty(orders.shape)
    np.put_along_axis(permuted, orders, np.broadcast_to(h, orders.shape), axis=1)
    weighted, reached = permuted @ lifted, to_all[orders]
    h1, h2 = float(h.sum()), float(h @ h)
    mean = (reached @ h - own * h1) / 2
    product = (np.einsum("bw,bw->b", weighted, swap_constant_terms(weighted)) - own * h2) / 2
    products = np.stack([mean, reached @ (h[-1] - h) - path, product, reached @ h**2 - own * h2 - 2 * product])
    products -= (float(total @ swap_constant_terms(total) - n * own) / 2 * group.of_entropy.own_mean)[:, None]
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
