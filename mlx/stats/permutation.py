"""Permutation p-values: how often a permutation of the data reaches the observed statistic."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks

TIE_TOLERANCE = 1e-12
"""Statistics closer than this are equal: a permutation that repeats the data must count as reaching it."""

EXCEEDANCES = 20
"""Permutations that reach the observed statistic after which a sequential test stops."""

PER_TEST = 200
"""Permutations for every test of a family: its smallest p-value, times the size of the family, is below 0.05."""

FIRST_BLOCK = 64
"""Permutations in the first block of a sequential test; each further block doubles the number drawn."""

LARGEST_BLOCK = 4096
"""Permutations in the largest block."""


@dataclass(frozen=True)
class PermutationTest:
    """Result of a sequential permutation test.

    Attributes
    ----------
    p
        Two-sided p-value, exact where all permutations are equally likely, never 0; NaN without a statistic.
    n_permutations
        Permutations up to the one at which the test stopped.
    """

    p: float
    n_permutations: int

    @property
    def at_floor(self) -> bool:
        """Whether no permutation reached the observed statistic: more of them could give a smaller p-value."""
        return is_at_floor(self.p, self.n_permutations)


def is_at_floor(p: float, n_permutations: int) -> bool:
    """Whether a p-value is the smallest, 1 / (B + 1), that this number of permutations allows."""
    return n_permutations > 0 and p * (n_permutations + 1) <= 1 + 1e-9


def permutations_for(family_size: int, *, least: int) -> int:
    """Return B_max = max(least, 200 m): permutations with which each of a family's m tests can be significant.

    Parameters
    ----------
    family_size
        Tests whose p-values are adjusted together, m.
    least
        Permutations of a family of any size, such as ``residuals.n_permutations``.
    """
    return max(least, math.ceil(PER_TEST * family_size))


def least_that_reaches(observed: npt.ArrayLike) -> Floats:
    """Return from which absolute value on a statistic counts as reaching the observed one; NaN of NaN."""
    least: Floats = np.abs(np.asarray(observed, dtype=np.float64)) * (1 - TIE_TOLERANCE) - TIE_TOLERANCE
    return least


def sequential_tests(
    observed: npt.ArrayLike, draw: Callable[[int, Integers], Floats], n_permutations: int | Integers
) -> list[PermutationTest]:
    """Sequential permutation tests (Besag & Clifford 1991), all from the same permutations.

    A test stops at the draw L at which the 20th permutation reaches the observed value, with p = 20/L; after
    B_max draws, g of which reached it, p = (g + 1)/(B_max + 1). Both are exact p-values. Draws
    come in blocks, but a test stops by the index of the draw, so that the blocks have no influence on its result.

    Parameters
    ----------
    observed
        (n_tests,), statistics of the data, of which large absolute values count against the null hypothesis. One
        may be infinite, and is then reached by infinite ones; NaN where there is nothing to test.
    draw
        ``draw(size, running)`` returns the statistics (n_running, size) of the next ``size`` permutations for the
        tests ``running``, indices in increasing order of those that have not stopped. Other tests may be left out of
        the work, but the permutations must not depend on which tests run, nor on the block size.
    n_permutations
        Largest number of draws, B_max; of all tests or, (n_tests,), of each.

    Returns
    -------
    list of PermutationTest
        One a statistic.
    """
    values = np.abs(np.asarray(observed, dtype=np.float64))
    least, limits = least_that_reaches(values), np.broadcast_to(n_permutations, values.shape)
    reached = np.zeros(values.size, dtype=np.intp)
    found = [PermutationTest(float("nan"), 0)] * values.size
    running, drawn = np.flatnonzero(~np.isnan(values)), 0
    while running.size:
        size = min(max(drawn, FIRST_BLOCK), LARGEST_BLOCK, int(limits[running].min()) - drawn)
        counts = np.cumsum(np.abs(draw(size, running)) >= least[running, None], axis=1) + reached[running, None]
        reached[running] = counts[:, -1]
        for test, count in zip(running, counts, strict=True):
            last = drawn + 1 + int(np.searchsorted(count, EXCEEDANCES))
            if count[-1] >= EXCEEDANCES:
                found[test] = PermutationTest(EXCEEDANCES / last, last)
            elif drawn + size == limits[test]:
                found[test] = PermutationTest((int(count[-1]) + 1) / (drawn + size + 1), drawn + size)
        drawn += size
        running = running[(reached[running] < EXCEEDANCES) & (limits[running] > drawn)]
    return found


CACHE_BYTES = 1 << 18
"""Orders drawn at a time, small enough for a core's cache."""

ORDER_OF_EQUALS = 0x0F
"""Key of the random order of positions with equal random bits."""

LARGEST_SORTED = 400
"""Positions up to which numbers of 64 bits are sorted."""


def random_orders(
    n: int,
    n_orders: int,
    generator: np.random.Generator,
    *,
    values: Integers | None = None,
    block_bytes: int = CACHE_BYTES,
) -> Iterator[tuple[slice, Integers]]:
    """Draw permutations of 0 … n − 1, or of n values, all orders equally likely, a block of them (m, n) at a time.

    Few positions are put in order by random numbers whose low bits are replaced by the position, as sorting vectorizes.
    With b = 64 − log2 n random bits, the chance that two are equal, and stay in order, is below n²/2^(b + 1).

    Many are put in order by 16 random bits each, in linear time (radix sort), and where these are equal, in an order
    that is drawn by shuffling once for the generator. Every order is thus as likely as any other; of two, those pairs
    are in the same order by construction whose bits are equal in both: n²/2^33 of n²/2. Either way the random numbers
    are used row by row, whatever the blocks.
    """
    positions = np.arange(n, dtype=np.int64)
    if n > LARGEST_SORTED:
        shuffled = _apart_from(generator).permutation(positions if values is None else values)
        yield from _orders_by_radix(shuffled, n_orders, generator, block_bytes)
        return
    low = np.uint64((1 << max(1, (n - 1).bit_length())) - 1)
    for where in row_blocks(n_orders, n, block_bytes):
        keys = generator.integers(0, 1 << 64, size=(where.stop - where.start, n), dtype=np.uint64)
        keys &= ~low
        keys |= positions.view(np.uint64)
        keys.sort(axis=1)
        keys &= low
        orders = keys.view(np.int64)
        yield where, orders if values is None else values.take(orders)


def _apart_from(generator: np.random.Generator) -> np.random.Generator:
    """Return a generator that follows from the seed of another, and leaves its random numbers to it."""
    seed = generator.bit_generator.seed_seq
    assert isinstance(seed, np.random.SeedSequence), "of default_rng"
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, ORDER_OF_EQUALS)))


def _orders_by_radix(
    shuffled: Integers, n_orders: int, generator: np.random.Generator, block_bytes: int
) -> Iterator[tuple[slice, Integers]]:
    n = shuffled.size
    for where in row_blocks(n_orders, n, block_bytes):
        words = generator.integers(0, 1 << 64, size=(where.stop - where.start, -(-n // 4)), dtype=np.uint64)
        places = np.argsort(words.view(np.uint16)[:, :n], axis=1, kind="stable")
        yield where, np.take(shuffled, places, out=np.empty_like(places), mode="clip")
