"""Cosine similarities as products of centered vectors with two more entries, without loss of digits.

Directions of one network are often nearly the same. Then s_ij = u_i·u_j is 0.999… for all pairs, and what
tells them apart has been rounded off. But s_ij = 1 − ‖u_i − u_j‖²/2, and a distance doesn't change when
both directions are measured from a common center. With any center m close to all, v_i = u_i − m and

    w_i = (v_i, c_i, 1),  c_i = (own − ‖v_i‖²)/2,

the product ⟨w_i, w_j⟩ = v_i·v_j + c_i + c_j is exactly s_ij − (1 − own), made of small numbers only. It is
linear in both sides, so that sums over samples stand for sums over pairs, as with u itself; and ⟨w_i, w_i⟩ =
own for every sample, which takes its pair with itself out again. Any constant does for ``own``; near the mean
of 1 − s_ij, it makes the products small.

Sparse directions are not centered, as that would fill them: w_i = (u_i, 0, 1) and own = 1. Their similarities
have absolute errors of about 1e-16, as any others; differences far below 1e-7 need a dense array.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.core.block_sums import Sums, summed_each
from mlx.core.checks import BLOCK_BYTES, row_blocks
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.similarity.directions import Directions, Rows


@dataclass(frozen=True)
class CenteredDirections:
    """Directions as vectors whose products are similarities less a constant.

    Attributes
    ----------
    units
        Directions of n_samples rows.
    center
        (n_features,), near all of them; every block of a computation that is added up must use the same.
    own
        ⟨w_i, w_i⟩ of every sample: the cosine distance 1 − s_ij is own − ⟨w_i, w_j⟩.
    """

    units: Directions
    center: Floats
    own: float

    @property
    def width(self) -> int:
        """Length of one lifted vector, n_features + 2."""
        return self.units.n_features + 2

    @property
    def offset(self) -> float:
        """What the products lack: s_ij = offset + ⟨w_i, w_j⟩."""
        return 1.0 - self.own

    def take(self, rows: Integers | slice) -> Rows:
        """Return lifted vectors (n_rows, width) of rows that have a direction; sparse where those are."""
        units = self.units.take(rows)
        if self.units.is_sparse:
            n_rows = units.shape[0]
            ends = sparse.csr_array((np.ones(n_rows), np.ones(n_rows, int), np.arange(n_rows + 1)), shape=(n_rows, 2))
            return sparse.hstack([units, ends], format="csr")
        lifted = np.empty((len(units), self.width))
        v = lifted[:, :-2]
        np.subtract(units, self.center, out=v)
        lifted[:, -2] = (self.own - np.einsum("ij,ij->i", v, v)) / 2
        lifted[:, -1] = 1.0
        return lifted

    def blocks(
        self, rows: Integers, block_bytes: int = BLOCK_BYTES, *, beside: int = 0
    ) -> Iterator[tuple[Integers, Rows]]:
        """Go through the given rows, about ``block_bytes`` of them at a time, with their lifted vectors.

        ``beside`` is how many numbers the caller makes of each row, where that may be more than it has.
        """
        for block in row_blocks(rows.size, max(beside, self.units.row_entries + 2), block_bytes):
            yield rows[block], self.take(rows[block])


def lift(
    units: Directions, rows: Integers | None = None, *, block_bytes: int = BLOCK_BYTES, map: OrderedMap = in_order
) -> CenteredDirections:
    """Lift directions about the mean of the given rows (all by default), found in one pass over them."""
    return lift_each(units, [units.defined if rows is None else rows], block_bytes=block_bytes, map=map)[0]


def lift_each(
    units: Directions, groups: Sequence[Integers], *, block_bytes: int = BLOCK_BYTES, map: OrderedMap = in_order
) -> list[CenteredDirections]:
    """Lift directions about the mean of each group of rows."""
    centers = [np.zeros(units.n_features) for _ in groups]
    if not units.is_sparse and (filled := [place for place, rows in enumerate(groups) if rows.size]):
        sums = [SumDirections(units, groups[place]) for place in filled]
        blocks = (row_blocks(groups[place].size, units.n_features, block_bytes) for place in filled)
        for place, (total,) in zip(filled, summed_each(sums, blocks, map=map), strict=True):
            centers[place] = total / groups[place].size
    return [CenteredDirections(units, center, max(0.0, 1.0 - float(center @ center))) for center in centers]


@dataclass(frozen=True)
class SumDirections:
    """Sums the unit vectors of a block of the given rows."""

    units: Directions
    rows: Integers
    doing: ClassVar[str] = "summing directions"

    def __call__(self, block: slice) -> Sums:
        """Return the sum (n_features,)."""
        return (np.asarray(self.units.take(self.rows[block]).sum(axis=0)),)


def swap_constant_terms(sums: Floats) -> Floats:
    """What to multiply lifted vectors with so that the ordinary product w·partner is ⟨w, sum⟩.

    Parameters
    ----------
    sums
        (…, width), lifted vectors or sums of them; returned with the last two entries exchanged.
    """
    turned = sums.copy()
    turned[..., -2], turned[..., -1] = sums[..., -1], sums[..., -2]
    return turned
