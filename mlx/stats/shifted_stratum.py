"""Studentized correlations of many samples under permutations that are cyclic shifts of parts of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.checks import row_blocks
from mlx.stats.cyclic_shifts import FEWEST, CyclicShifts, added_up, n_parts
from mlx.stats.permutation import CACHE_BYTES
from mlx.stats.studentized import Stratum, may_reach

SUMS = 4
"""Σ p and Σ p², of values and of ranks."""


@dataclass(frozen=True)
class ShiftedStratum:
    """A stratum of many samples, with the sums that all its shifts are made of.

    Attributes
    ----------
    stratum
        The samples.
    shifts
        Of which parts, by the place of a sample in the order of x.
    values, value_squares, ranks, rank_squares
        Σ p and Σ p² over each part under each of its shifts: p = x·y of values, and of ranks, where the latter are in
        the unit of `Stratum.fixed_y`.
    """

    stratum: Stratum
    shifts: CyclicShifts
    values: Sequence[Floats]
    value_squares: Sequence[Floats]
    ranks: Sequence[Floats]
    rank_squares: Sequence[Floats]

    @classmethod
    def of(cls, stratum: Stratum, generator: np.random.Generator) -> Self:
        """Divide a stratum into parts at random."""
        shifts = CyclicShifts.of(stratum.n, generator)
        y, ranks = stratum.y[0][stratum.places], stratum.fixed_y[stratum.places]
        (x, x_ranks), squares = stratum.x, stratum.squares_of_x
        pairs = ((x, y), (squares[0], y**2), (x_ranks, ranks), (squares[1], ranks**2))
        return cls(stratum, shifts, *(shifts.products(*pair) for pair in pairs))

    def permuted(self, n_permutations: int, generator: np.random.Generator, least: Floats | float = 0.0) -> Floats:
        """Σ φ and Σ φ² (2, 2, n_permutations) under random shifts, as `Stratum.permuted` returns them."""
        drawn = self.shifts.draw(n_permutations, generator)
        total, squares = self.stratum.bounded(added_up(self.ranks, drawn), added_up(self.rank_squares, drawn))
        near = may_reach(total, squares, np.broadcast_to(least, n_permutations))
        for block in row_blocks(near.size, self.stratum.n, CACHE_BYTES):
            some = near[block]
            orders = self.shifts.orders(drawn[some], self.stratum.places)
            total[some], squares[some] = self.stratum.sums_of_ranks(orders)
        return np.array([[added_up(self.values, drawn), added_up(self.value_squares, drawn)], [total, squares]])


Permutable = Stratum | ShiftedStratum


def permutable(stratum: Stratum, generator: np.random.Generator) -> Permutable:
    """Return what permutes a stratum: by all permutations or, of many samples, by shifts of parts drawn at random."""
    return stratum if stratum.n <= FEWEST else ShiftedStratum.of(stratum, generator)


def n_visited(n: int) -> int:
    """Return how many numbers a permutation of a stratum of ``n`` samples visits."""
    return n if n <= FEWEST else SUMS * n_parts(n)
