"""Sequential permutation tests of a factor against a target that is not an error."""

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.stats.correlation import midranks
from mlx.stats.permutation import PermutationTest, random_orders, sequential_tests
from mlx.stats.studentized import Stratum, is_nearly_normal, normal_p_value, studentized

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
    """Test that a target does not depend on categories, each (n,), by the share of its variance between them."""
    kinds = np.flatnonzero(np.bincount(categories))
    columns = (categories[:, None] == kinds).astype(np.float64)
    columns /= np.sqrt(columns.sum(axis=0))
    centered = target - target.mean()
    centered /= np.linalg.norm(centered)

    def draw(size: int, _: Integers) -> Floats:
        blocks = random_orders(target.size, size, generator)
        return np.concatenate([np.linalg.norm(centered[order] @ columns, axis=1) for _, order in blocks])[None]

    return sequential_tests([np.linalg.norm(centered @ columns)], draw, n_permutations)[0]
