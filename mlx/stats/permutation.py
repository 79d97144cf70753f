"""Permutation p-values of correlations: how often a permutation reaches the observed value."""

from collections.abc import Iterator

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks

TIE_TOLERANCE = 1e-12
"""Correlations closer than this are equal: a permutation that repeats the data must count as reaching it."""

CACHE_BYTES = 1 << 18
"""Orders drawn at a time, small enough for a core's cache."""


def random_orders(n: int, n_orders: int, generator: np.random.Generator) -> Iterator[tuple[slice, Integers]]:
    """Draw permutations of 0 … n − 1, all orders equally likely, a block of them (m, n) at a time.

    Random numbers whose low bits are replaced by the position are sorted: half the time of shuffling. With
    b = 64 − log2 n random bits, the chance that two are equal, and stay in order, is below n²/2^(b + 1).
    """
    low = np.uint64((1 << max(1, (n - 1).bit_length())) - 1)
    positions = np.arange(n, dtype=np.uint64)
    for where in row_blocks(n_orders, n, CACHE_BYTES):
        keys = generator.integers(0, 1 << 64, size=(where.stop - where.start, n), dtype=np.uint64)
        keys &= ~low
        keys |= positions
        keys.sort(axis=1)
        keys &= low
        yield where, keys.view(np.int64)


def permuted_products(x: Floats, y: Floats, n_permutations: int, generator: np.random.Generator) -> Floats:
    """Σ_i x_si y_sπ(i) for random permutations π, the same for every statistic s.

    Parameters
    ----------
    x, y
        (n_statistics, n).
    n_permutations
        Number of permutations.
    generator
        Where they are drawn from.

    Returns
    -------
    Floats
        (n_statistics, n_permutations).
    """
    products = np.empty((len(x), n_permutations))
    identity = np.arange(x.shape[1])
    for block in row_blocks(n_permutations, x.shape[1]):
        rows = np.broadcast_to(identity, (block.stop - block.start, identity.size))
        order = generator.permuted(rows, axis=1)
        for statistic in range(len(x)):
            products[statistic, block] = y[statistic][order] @ x[statistic]
    return products


def permutation_p_value(observed: float, permuted: Floats) -> float:
    """Two-sided p-value (1 + #{|r*| ≥ |r|}) / (1 + B), never 0 (Phipson & Smyth 2010).

    Parameters
    ----------
    observed
        Correlation of the data.
    permuted
        (B,), correlations of the permuted data.
    """
    reached = np.count_nonzero(np.abs(permuted) >= abs(observed) - TIE_TOLERANCE)
    return (1 + int(reached)) / (1 + permuted.size)
