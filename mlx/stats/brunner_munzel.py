"""Is an AUROC one half? The test of Brunner & Munzel, its permutations, and an interval that holds with few errors.

The null is AUROC = 0.5, whatever the spreads of the two kinds: the statistic is divided by its own standard error
(DeLong's), so that neither the test nor the interval takes the kinds for samples of one distribution.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import expit, logit, stdtr

from mlx.core.array_types import Flags, Floats, Integers
from mlx.stats.auroc import auroc
from mlx.stats.influence import EstimateWithInfluence
from mlx.stats.interval import Interval, critical_value
from mlx.stats.permutation import PermutationTest, sequential_tests

CHANCE = 0.5
"""AUROC of a score that says nothing."""

SMALL = 30
"""With fewer samples of either kind, Student's distribution is replaced by permutations of the labels."""

METHOD = "Student's t on the logit scale: smoothed AUROC, DeLong variance, Brunner-Munzel degrees of freedom"


@dataclass(frozen=True)
class BrunnerMunzel:
    """The test of AUROC = 0.5 (Brunner & Munzel 2000).

    Attributes
    ----------
    auroc
        Chance that a positive scores above a negative, ties counting half.
    statistic
        (auroc - 0.5) / error; infinite where the error is 0, 0 where all scores are equal.
    df
        Degrees of freedom of the error; NaN where it is 0.
    p
        Two-sided p-value of the statistic by Student's t with these degrees of freedom.
    error
        DeLong's standard error of the AUROC.
    """

    auroc: float
    statistic: float
    df: float
    p: float
    error: float


def brunner_munzel(positive: Flags, score: Floats) -> BrunnerMunzel:
    """Test AUROC = 0.5 of a score (n_samples,), of at least two positives and two negatives, by Student's t."""
    return studentized(positive, auroc(positive, score))


def studentized(positive: Flags, area: EstimateWithInfluence) -> BrunnerMunzel:
    """Test AUROC = 0.5 by the influence (n_samples,) of every sample on it, which may hold more than DeLong's."""
    parts, sizes = _variances(positive, area.influence)
    error, away = float(np.sqrt(parts.sum())), area.estimate - CHANCE
    if error == 0:
        infinite = away and float(np.copysign(np.inf, away))
        return BrunnerMunzel(area.estimate, infinite, float("nan"), float(away == 0), error)
    df = _degrees_of_freedom(parts, sizes)
    return BrunnerMunzel(area.estimate, away / error, df, float(2 * stdtr(df, -abs(away / error))), error)


def _variances(positive: Flags, influence: Floats) -> tuple[Floats, Integers]:
    """Share of negatives, and of positives, in the variance of an AUROC, and their numbers, (2,) each."""
    kinds = (~positive, positive)
    parts = np.array([influence[kind] @ influence[kind] for kind in kinds]) / positive.size**2
    return parts, np.array([kind.sum() for kind in kinds])


def _degrees_of_freedom(parts: Floats, sizes: Integers) -> float:
    return float(parts.sum() ** 2 / (parts**2 / (sizes - 1)).sum())


@dataclass(frozen=True)
class SmoothedArea:
    """An AUROC of few samples of a kind: moved toward one half by half a pair, and its spread on the logit scale.

    Attributes
    ----------
    center
        logit of (θ·m·k + 1/2)/(m·k + 1), of m positives and k negatives.
    error
        Standard error of the center; above 0, even where the kinds are perfectly separated.
    df
        Brunner-Munzel degrees of freedom of the error.
    """

    center: float
    error: float
    df: float

    @property
    def p(self) -> float:
        """Two-sided p-value of AUROC = 0.5, of the same t as the interval."""
        return float(2 * stdtr(self.df, -abs(self.center) / self.error))

    def interval(self, level: float, method: str = METHOD) -> Interval:
        """Return the interval of the AUROC."""
        half = critical_value(level, self.df) * self.error
        return Interval(float(expit(self.center - half)), float(expit(self.center + half)), level, method)


def smoothed_area(positive: Flags, area: EstimateWithInfluence) -> SmoothedArea:
    """Smooth an AUROC: θ~(1 − θ~)/3 is added to either kind's sum of squared placements, as if of one more sample."""
    parts, sizes = _variances(positive, area.influence)
    pairs = float(sizes.prod())
    smooth = (area.estimate * pairs + 0.5) / (pairs + 1)
    spread = smooth * (1 - smooth)
    parts = parts * (sizes - 1) / sizes + spread / 3 / sizes**2
    error = float(np.sqrt(parts.sum())) / spread
    return SmoothedArea(float(logit(smooth)), error, _degrees_of_freedom(parts, sizes))


def permuted_test(
    positive: Flags, score: Floats, tested: BrunnerMunzel, n_permutations: int, generator: np.random.Generator
) -> PermutationTest:
    """Test AUROC = 0.5 by its statistic with the labels in random order, sequentially, where either kind is small.

    Student's distribution serves `SMALL` samples of either kind and more, with no permutations. A statistic that is
    infinite there is reached by no permutation that could be drawn, and counts as one that none reached.

    Parameters
    ----------
    positive, score
        (n_samples,), at least two samples of either kind.
    tested
        Their test, by an error that may hold more than DeLong's.
    n_permutations
        Largest number of permutations.
    generator
        Where they are drawn from.
    """
    n_few = int(min(positive.sum(), (~positive).sum()))
    if n_few >= SMALL:
        found = PermutationTest(tested.p, 0)
        return found if np.isfinite(tested.statistic) else PermutationTest(1 / (n_permutations + 1), n_permutations)
    draw = partial(permuted_statistics, score, n_few, generator)
    return sequential_tests([tested.statistic], lambda size, _: draw(size)[None], n_permutations)[0]


def permuted_statistics(score: Floats, n_few: int, generator: np.random.Generator, n_permutations: int) -> Floats:
    """Absolute Brunner-Munzel statistics (n_permutations,) of a score whose labels are permuted.

    Parameters
    ----------
    score
        (n_samples,), finite.
    n_few
        Samples of the rarer kind: a permutation costs n_few² steps, however many the samples.
    generator, n_permutations
        Where the labels are drawn from, and how often.
    """
    ordered = np.sort(score)
    first, last = (np.searchsorted(ordered, ordered, side) for side in ("left", "right"))
    chosen = random_subsets(ordered.size, n_few, n_permutations, generator)
    return _absolute_statistics(first[chosen], last[chosen], ordered.size)


def random_subsets(n: int, size: int, n_subsets: int, generator: np.random.Generator) -> Integers:
    """Draw subsets of 0 … n − 1, all equally likely, (n_subsets, size) rising (Floyd; Bentley 1987)."""
    largest = np.arange(n - size, n)
    drawn = generator.integers(0, largest + 1, size=(n_subsets, size))
    for place in range(1, size):
        repeated = (drawn[:, :place] == drawn[:, place, None]).any(axis=1)
        drawn[repeated, place] = largest[place]
    return np.sort(drawn, axis=1)


def _absolute_statistics(begins: Integers, ends: Integers, n: int) -> Floats:
    """Statistics (B,) of sets of m samples, each in a run of equal scores from ``begins`` to ``ends``, (B, m) rising.

    With A(j) of the set below sample j and B(j) below or equal to it, A + B is twice its placement. Both are steps
    along the sorted samples, so that Σ(A + B)² over all n of them follows from where the steps are.
    """
    m = begins.shape[1]
    k, place = n - m, np.arange(m)
    new = np.diff(begins, axis=1, prepend=-1) > 0
    first = np.maximum.accumulate(np.where(new, place, 0), axis=1)
    closes = np.diff(begins, axis=1, append=n) > 0
    last = np.minimum.accumulate(np.where(closes, place + 1, m)[:, ::-1], axis=1)[:, ::-1]
    twice_below = begins + ends - first - last
    to_begin, to_end, steps = n - begins, n - ends, 2 * place + 1
    squares = (steps * (to_begin + to_end)).sum(axis=1) + 2 * (to_end * last + to_begin * first).sum(axis=1)
    squares -= ((first + last) ** 2).sum(axis=1)
    total = twice_below.sum(axis=1)
    # Sums of squares about the mean, in integers: those of a perfect separation are exactly 0.
    about_few = m * (twice_below**2).sum(axis=1) - total**2
    others = 2 * m * k - total
    about_many = k * squares - others**2
    variance = about_few / (4.0 * k**2 * m * m * (m - 1)) + about_many / (4.0 * m**2 * k * k * (k - 1))
    away = np.abs(total - m * k) / (2 * m * k)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(away == 0, 0.0, away / np.sqrt(variance))
