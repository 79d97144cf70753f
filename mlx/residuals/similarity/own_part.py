"""What a sample's own group adds to the sum over its class: the pairs that a mean similarity leaves out.

Without groups that is the sample itself. Where samples of one subject, or copies of one sample, are together in a
class, their similarities to each other say nothing about other subjects.
"""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import BLOCK_BYTES, row_blocks
from mlx.residuals.similarity.directions import Rows
from mlx.residuals.similarity.lift import CenteredDirections, swap_constant_terms
from mlx.residuals.similarity.sums import group_sums
from mlx.stats.groups import Groups


@dataclass(frozen=True)
class OwnPart:
    """The samples of a class that are of the same group as sample i, itself included.

    Attributes
    ----------
    products
        (n_samples,), Σ ⟨w_i, w_j⟩ over them, of lifted vectors.
    sizes
        (n_samples,), how many they are.
    """

    products: Floats
    sizes: Floats

    def take(self, rows: Integers) -> "OwnPart":
        """Return those of some of the samples."""
        return OwnPart(self.products[rows], self.sizes[rows])

    def similarity(self, lifted: CenteredDirections) -> Floats:
        """Σ s_ij over them, itself included (n_samples,)."""
        return self.products + self.sizes * lifted.offset


def own_part(
    lifted: CenteredDirections, labels: Integers, groups: Groups | None, *, block_bytes: int = BLOCK_BYTES
) -> OwnPart:
    """Sum over the samples of the same class and group, in O(n·d).

    Parameters
    ----------
    lifted
        n_samples directions.
    labels
        (n_samples,), the class of each sample.
    groups
        Of the samples; None where each is its own.
    block_bytes
        Memory of one block of rows or of sums.
    """
    n = labels.size
    if groups is None:
        return OwnPart(np.broadcast_to(np.float64(lifted.own), n), np.broadcast_to(np.float64(1.0), n))
    found = OwnPart(np.full(n, lifted.own), np.ones(n))
    rows = lifted.units.defined
    _, part, sizes = np.unique(
        labels[rows] * groups.count + groups.codes[rows], return_inverse=True, return_counts=True
    )
    found.sizes[rows] = sizes[part]
    ordered, ends = rows[np.argsort(part, kind="stable")], np.cumsum(sizes)
    part_of = np.zeros(n, dtype=np.intp)
    part_of[rows] = part
    for parts in row_blocks(sizes.size, lifted.width, block_bytes):
        start = ends[parts.start] - sizes[parts.start]
        members, of_block = ordered[start : ends[parts.stop - 1]], part_of - parts.start
        sums = group_sums(lifted, members, of_block, parts.stop - parts.start, block_bytes=block_bytes)
        swapped = swap_constant_terms(sums.totals)
        for where, block in lifted.blocks(members, block_bytes):
            found.products[where] = _row_products(block, swapped[of_block[where]])
    return found


def _row_products(rows: Rows, others: Floats) -> Floats:
    if isinstance(rows, np.ndarray):
        products: Floats = np.einsum("ij,ij->i", rows, others)
        return products
    return np.asarray(rows.multiply(others).sum(axis=1)).ravel()
