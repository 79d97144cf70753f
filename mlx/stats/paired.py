"""Two models on the same samples: tests and intervals of the difference of what they reach."""

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.checks import row_blocks
from mlx.core.scale import exponent_of, in_unit
from mlx.stats.interval import Interval, critical_value


def mcnemar_p_value(gained: int, lost: int) -> float:
    """Two-sided exact p-value of equal accuracies (McNemar 1947).

    Parameters
    ----------
    gained, lost
        Samples that only the second, and only the first, of two models gets right.
    """
    from scipy.stats import binomtest

    return 1.0 if gained + lost == 0 else float(binomtest(gained, gained + lost).pvalue)


def paired_proportions_interval(gained: int, lost: int, n: int, level: float = 0.95) -> Interval:
    """Interval of the difference of two paired proportions, (gained − lost) / n.

    Wald's interval with half a pair added to each of the four cells (Agresti & Min 2005), whose coverage is right
    even if few samples differ.
    """
    b, c, total = gained + 0.5, lost + 0.5, n + 2.0
    difference = (b - c) / total
    half = critical_value(level) * float(np.sqrt(b + c - (b - c) ** 2 / total)) / total
    return Interval(max(-1.0, difference - half), min(1.0, difference + half), level)


def paired_mean_interval(differences: Floats, level: float = 0.95) -> Interval:
    """Student's interval of the mean of differences (n,), n ≥ 2."""
    exponent = exponent_of(differences)
    scaled, n = in_unit(differences, exponent), differences.size
    half = critical_value(level, n - 1) * scaled.std(ddof=1) / np.sqrt(n)
    low, high = in_unit(scaled.mean() + np.array([-half, half]), -exponent)
    return Interval(float(low), float(high), level)


def sign_flip_p_value(differences: Floats, n_permutations: int, generator: np.random.Generator) -> float:
    """Two-sided p-value of differences (n,) that are symmetric about 0, by random sign flips; never 0."""
    scaled = in_unit(differences, exponent_of(differences))
    least, reached = abs(scaled.sum()) * (1 - 1e-12), 0
    for block in row_blocks(n_permutations, scaled.size):
        signs = generator.integers(0, 2, size=(block.stop - block.start, scaled.size)) * 2 - 1
        reached += int((np.abs(signs @ scaled) >= least).sum())
    return (1 + reached) / (1 + n_permutations)
