"""The sums behind every exact statistic: one block of rows at a time, and added up in one place.

A block may be all rows, a slice of a memory-mapped file, or the part of one machine; the sums of two blocks
add to the sums of both, in any bracketing. All are sums of lifted vectors w (`mlx.residuals.similarity.lift`), whose
products are similarities, and of centered entropies h; all blocks use the same center, offset and scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import ClassVar

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import BLOCK_BYTES, row_blocks
from mlx.core.ordered_map import OrderedMap, in_groups, in_order
from mlx.residuals.similarity.directions import Rows, dense
from mlx.residuals.similarity.lift import CenteredDirections, swap_constant_terms

TILE = 64
"""Rows whose products with each other are taken at once: few enough that these cost less than the rest."""

SPARSE_TILE = 512
"""The same of sparse rows, whose products are few and whose every operation is slow to begin."""


@dataclass(frozen=True)
class GroupSums:
    """Sums of lifted vectors by group: all that mean similarities to whole groups need.

    Attributes
    ----------
    totals
        (n_groups, width), W_c = Σ_{i in c} w_i; the last column counts.
    """

    totals: Floats

    @property
    def sizes(self) -> Floats:
        """Samples in each group (n_groups,)."""
        return self.totals[:, -1]

    def __add__(self, other: "GroupSums") -> "GroupSums":
        return GroupSums(self.totals + other.totals)


def sum_groups(block: Rows, labels: Integers, n_groups: int) -> GroupSums:
    """Sum one block of lifted vectors (m, width) by their labels (m,)."""
    n_rows = len(labels)
    members = sparse.csr_array((np.ones(n_rows), (labels, np.arange(n_rows))), shape=(n_groups, n_rows))
    return GroupSums(dense(members @ block))


def group_sums(
    lifted: CenteredDirections, rows: Integers, labels: Integers, n_groups: int, *, block_bytes: int = BLOCK_BYTES
) -> GroupSums:
    """Sum the given rows by group, block by block; ``labels`` are those of all samples."""
    sums = GroupSums(np.zeros((n_groups, lifted.width)))
    for where, block in lifted.blocks(rows, block_bytes):
        sums += sum_groups(block, labels[where], n_groups)
    return sums


@dataclass(frozen=True)
class PairSums:
    """Sums over rows that hold every sum over pairs between similarity and four functions of two entropies.

    A block's rows are sorted by entropy, and in ``a + b`` no entropy of ``b`` is below one of ``a``: sums of
    |h_i − h_j| need to know who is above whom. All else would add in any order.

    Attributes
    ----------
    moments
        (3, width), Σ h^p w for p = 0, 1, 2; the last column is Σ h^p.
    path
        Σ_k (h_(k+1) − h_(k)) ⟨P_k, P_k⟩ with P_k the sum of the first k lifted vectors.
    ends
        The lowest and the highest h.
    gram
        (width, width), Σ w wᵀ; None where there are fewer rows than columns and products of rows are cheaper.
    """

    moments: Floats
    path: float
    ends: tuple[float, float]
    gram: Floats | None

    def __add__(self, other: "PairSums") -> "PairSums":
        assert self.ends[1] <= other.ends[0], "blocks come in the order of their entropies"
        before, top = self.moments[0], other.ends[1]
        # Each prefix of the later block has the whole earlier one before it.
        within = top * other.moments[0] - other.moments[1]
        rest = (top - self.ends[1]) * before + 2 * within
        return PairSums(
            moments=self.moments + other.moments,
            path=self.path + other.path + float(rest @ swap_constant_terms(before)),
            ends=(self.ends[0], top),
            gram=None if self.gram is None or other.gram is None else self.gram + other.gram,
        )


def sum_pairs(block: Rows, h: Floats, own: float, *, with_gram: bool) -> PairSums:
    """Sum one block of lifted vectors (m, width) whose entropies h (m,) ascend.

    Parameters
    ----------
    block, h
        At least one row.
    own
        ⟨w_i, w_i⟩ (`CenteredDirections.own`).
    with_gram
        Whether to sum w wᵀ, for dense blocks.
    """
    prefixes = np.cumsum(_growth(block, own))
    return PairSums(
        moments=np.stack([np.ones(h.size), h, h**2]) @ block,
        path=float(np.diff(h) @ prefixes[:-1]),
        ends=(float(h[0]), float(h[-1])),
        gram=block.T @ block if with_gram else None,
    )


def pair_sums(
    lifted: CenteredDirections,
    rows: Integers,
    h: Floats,
    *,
    with_gram: bool,
    block_bytes: int = BLOCK_BYTES,
    map: OrderedMap = in_order,
) -> PairSums:
    """Sum the given rows (at least one), whose entropies h (n,) ascend, block by block, in groups of blocks.

    Blocks are of ``block_bytes``, or of as many rows as columns if that is more, since each adds a gram
    matrix to the others'. Sparse rows, and fewer of them than columns, have none.
    """
    return pair_sums_each([(lifted, rows, h)], with_gram=with_gram, block_bytes=block_bytes, map=map)[0]


def pair_sums_each(
    groups: Sequence[tuple[CenteredDirections, Integers, Floats]],
    *,
    with_gram: bool,
    block_bytes: int = BLOCK_BYTES,
    map: OrderedMap = in_order,
) -> list[PairSums]:
    """Sum over the pairs of each group, as `pair_sums`, without waiting in between."""
    grams = [with_gram and not lifted.units.is_sparse and rows.size >= lifted.width for lifted, rows, _ in groups]
    tasks: list[tuple[int, list[tuple[Integers, Floats]]]] = []
    for place, ((lifted, rows, h), gram) in enumerate(zip(groups, grams, strict=True)):
        size = max(block_bytes, 8 * lifted.width**2) if gram else block_bytes
        blocks = row_blocks(rows.size, lifted.units.row_entries + 2, size)
        tasks += ((place, [(rows[block], h[block]) for block in group]) for group in in_groups(blocks))
    found = dict[int, PairSums]()
    made = map(_SumPairs([lifted for lifted, *_ in groups], grams), tasks)
    for (place, _), sums in zip(tasks, made, strict=True):
        found[place] = found[place] + sums if place in found else sums
    return [found[place] for place in range(len(groups))]


@dataclass(frozen=True)
class _SumPairs:
    """Sums blocks of rows of one group, given with their entropies, one after the other."""

    lifted: Sequence[CenteredDirections]
    with_gram: Sequence[bool]
    doing: ClassVar[str] = "summing over pairs"

    def __call__(self, task: tuple[int, Sequence[tuple[Integers, Floats]]]) -> PairSums:
        place, blocks = task
        lifted, gram = self.lifted[place], self.with_gram[place]
        return reduce(add, (sum_pairs(lifted.take(rows), h, lifted.own, with_gram=gram) for rows, h in blocks))


def _growth(block: Rows, own: float) -> Floats:
    """⟨P_k, P_k⟩ − ⟨P_(k−1), P_(k−1)⟩ = own + 2 ⟨w_k, P_(k−1)⟩ for every row (m,) of a block."""
    earlier = _sparse_earlier(block) if sparse.issparse(block) else _earlier(block)
    return own + 2 * earlier


def _sparse_earlier(block: Rows) -> Floats:
    """⟨w_k, P_(k−1)⟩ of sparse rows (m,)."""
    earlier, before = np.empty(block.shape[0]), np.zeros(block.shape[1])
    for start in range(0, block.shape[0], SPARSE_TILE):
        tile = block[start : start + SPARSE_TILE]
        products = dense(tile[:, :-2] @ tile[:, :-2].T)
        earlier[start : start + SPARSE_TILE] = tile @ swap_constant_terms(before) + np.tril(products, -1).sum(axis=1)
        before += tile.sum(axis=0)
    return earlier


def _earlier(block: Floats) -> Floats:
    """⟨w_k, P_(k−1)⟩ of dense rows (m,)."""
    found, before = np.empty(len(block)), np.zeros(block.shape[1])
    for tiles, where in _tiled(block):
        sums = tiles.sum(axis=1)
        upto = before + np.cumsum(sums, axis=0)
        v, c = tiles[:, :, :-2], tiles[:, :, -2]
        products = v @ v.transpose(0, 2, 1) + c[:, :, None] + c[:, None, :]
        earlier = np.einsum("tij,ij->ti", products, np.tril(np.ones(products.shape[1:]), -1))
        earlier += np.einsum("tiw,tw->ti", tiles, swap_constant_terms(upto - sums))
        found[where] = earlier.ravel()
        before = upto[-1]
    return found


def _tiled(block: Floats) -> list[tuple[Floats, slice]]:
    """Cut a block (m, width) into as many tiles as are full, (n_tiles, TILE, width), and one of the rest."""
    full = len(block) - len(block) % TILE
    parts = []
    if full:
        parts.append((block[:full].reshape(-1, TILE, block.shape[1]), slice(0, full)))
    if full < len(block):
        parts.append((block[None, full:], slice(full, len(block))))
    return parts
