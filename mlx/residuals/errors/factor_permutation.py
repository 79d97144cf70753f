"""Sequential permutation tests of a factor against a target that is not an error."""

import numpy as np
from scipy.special import chdtrc

from mlx.core.array_types import Floats, Integers
from mlx.stats.correlation import midranks
from mlx.stats.permutation import PermutationTest, random_orders, sequential_tests
from mlx.stats.studentized import Stratum, is_nearly_normal, normal_p_value, studentized

LARGE = 2000
"""Samples from which the distribution of a share of variance may be taken for its limit."""

MOST_DRAWN, FEWEST_DRAWN = 200_000_000, 999
"""Values that a test of a share permutes at most, and permutations that it takes all the same."""

SPEARMAN = 1
"""Place of Spearman's correlation in the sums of a stratum."""


def rank_correlation_test(
    factor: Floats, target: Floats, widening: float, n_permutations: int, generator: np.random.Generator
) -> PermutationTest:
    """Test that ranks are uncorrelated, by Spearman's correlation over its standard error.

    Its distribution is the normal one, without permutations, where no few samples carry the correlation: from some 200
    samples, of heavily tied ranks from more.

    Parameters
    ----------
    factor, target
        (n,), neither constant.
    widening
        By how much what the samples share makes the standard error larger: 1 where they are independent.
    n_permutations, generator
        Largest number of permutations of the target, and where they are drawn from.
    """
    ranks = [midranks(side) for side in (factor, target)]
    x, y = (np.tile(rank / (rank.size + 1) - 0.5, (2, 1)) for rank in ranks)
    stratum = Stratum.of(x, y, *ranks)
    observed = studentized(stratum.observed())[SPEARMAN] / widening
    if is_nearly_normal(x[0], y[0]):
        return PermutationTest(normal_p_value(float(observed[0])), 0)

    def draw(size: int, _: Integers) -> Floats:
        return studentized(stratum.permuted(size, generator))[SPEARMAN, None]

    return sequential_tests(observed, draw, n_permutations)[0]


def share_test(
    categories: Integers, target: Floats, n_permutations: int, generator: np.random.Generator
) -> PermutationTest:
    """Test that a target does not depend on categories, each (n,), by the share of its variance between them.

    From `LARGE` samples, n − 1 times the share is compared with the chi-squared distribution, without permutations,
    where no few samples carry a category's mean. Elsewhere, permutations of many samples are fewer (`MOST_DRAWN`).
    """
    kinds, n = np.flatnonzero(np.bincount(categories)), target.size
    columns = (categories[:, None] == kinds).astype(np.float64)
    centered = target - target.mean()
    centered /= np.linalg.norm(centered)
    if n >= LARGE and all(is_nearly_normal(column - column.mean(), centered) for column in columns.T):
        share = float(((centered @ columns) ** 2 / columns.sum(axis=0)).sum())
        return PermutationTest(float(chdtrc(kinds.size - 1, (n - 1) * share)), 0)
    n_permutations = min(n_permutations, max(FEWEST_DRAWN, MOST_DRAWN // n))
    columns /= np.sqrt(columns.sum(axis=0))

    def draw(size: int, _: Integers) -> Floats:
        blocks = random_orders(target.size, size, generator)
        return np.concatenate([np.linalg.norm(centered[order] @ columns, axis=1) for _, order in blocks])[None]

    return sequential_tests([np.linalg.norm(centered @ columns)], draw, n_permutations)[0]
