"""Permutation p-values of correlations: how often chance alone reaches what was seen."""

import numpy as np

from mlx.core.checks import Floats, row_blocks

TIE_TOLERANCE = 1e-12
"""Correlations closer than this are equal: a permutation that repeats the data must count as reaching it."""


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
