"""Permutations of many samples at the cost of a few numbers each: cyclic shifts of parts.

All shifts of a cycle of samples are a group, and so are those of several cycles. A permutation test that draws from a
group at random is exact (Hemerik & Goeman 2018), also from a group within that of all permutations (Koning & Hemerik
2024). Which samples make up a part, and in which order, is drawn beforehand, not by the data. A sum of products over a
part takes one value for each of its shifts, all of which are computed once; a permutation then adds up one of them for
each part, instead of visiting all samples in a random order.

Each part keeps the sum of its values: of n − 1 degrees of freedom, those between parts are not permuted, one in a
thousand or fewer. It moves the statistics of all permutations by some hundredths of their standard deviation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from mlx.core.array_types import Floats, Integers

FEWEST = 1000
"""Samples up to which all permutations are drawn from: it takes half a second."""

LENGTH = 4096
"""Most samples of a part: all its sums of products take as many multiplications for each of them."""

LEAST_PARTS = 2
"""Parts of the fewest samples, which have 250,000 permutations."""


def n_parts(n: int) -> int:
    """Return into how many parts ``n`` samples are divided."""
    return max(LEAST_PARTS, -(-n // LENGTH))


@dataclass(frozen=True)
class CyclicShifts:
    """Cyclic shifts of each of several parts of some samples.

    Attributes
    ----------
    parts
        Samples (m,) of each part, in the order of its cycle.
    """

    parts: tuple[Integers, ...]

    @classmethod
    def of(cls, n: int, generator: np.random.Generator) -> Self:
        """Divide ``n`` samples at random into parts of nearly one size."""
        return cls(tuple(np.array_split(generator.permutation(n), n_parts(n))))

    def draw(self, n_permutations: int, generator: np.random.Generator) -> Integers:
        """Draw by how much each part is shifted, (n_permutations, n_parts), all shifts equally likely."""
        lengths = [part.size for part in self.parts]
        return generator.integers(0, lengths, size=(n_permutations, len(lengths)))

    def products(self, x: Floats, y: Floats) -> list[Floats]:
        """Σ x_i y_j over each part, (m,) each, where i gets the y of j, so many places further in its cycle.

        Parameters
        ----------
        x, y
            (n,), values of the samples, in one order.
        """
        return [
            np.correlate(np.concatenate([cycle, cycle[:-1]]), x[part], mode="valid")
            for part, cycle in ((part, y[part]) for part in self.parts)
        ]

    @cached_property
    def samples(self) -> Integers:
        """The samples (n,), part after part."""
        return np.concatenate(self.parts)

    def by_part(self, shifts: Integers, values: Integers) -> Integers:
        """Return the values (m, n) that `samples` get by each of the shifts (m, n_parts) of values (n,)."""
        found, start = np.empty((len(shifts), values.size), dtype=values.dtype), 0
        for part, own in zip(self.parts, shifts.T.tolist(), strict=True):
            cycle, stop = np.tile(values[part], 2), start + part.size
            for row, shift in zip(found, own, strict=True):
                row[start:stop] = cycle[shift : shift + part.size]
            start = stop
        return found

    def orders(self, shifts: Integers, values: Integers) -> Integers:
        """Return the same, in the order of the values."""
        return self.by_part(shifts, values)[:, np.argsort(self.samples)]


def added_up(products: Sequence[Floats], shifts: Integers) -> Floats:
    """Sum `CyclicShifts.products` over parts (m,), of which each is shifted by some of the ``shifts`` (m, n_parts)."""
    total = np.zeros(len(shifts))
    for part, own in zip(products, shifts.T, strict=True):
        total += part.take(own)
    return total
