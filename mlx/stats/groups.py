"""Statistics of samples that come in groups: repeated measurements, subjects, series, exact duplicates.

Samples of different groups are independent, those of one group need not be. What varies from group to group is then
the sum over a group, and the groups are what is counted (Korn & Graubard 1998 for proportions).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from mlx.core.array_types import Flags, Floats, Integers
from mlx.core.checks import row_blocks
from mlx.stats.influence import EstimateWithInfluence
from mlx.stats.interval import Interval, transformed_interval
from mlx.stats.permutation import PermutationTest, sequential_tests
from mlx.stats.proportions import wilson_interval
from mlx.stats.status import OK, Reason, Status

CORRELATION_METHOD = "Student's t on the atanh scale: influence function, variance by group"

MIN_GROUPS = 40
"""Fewest groups for a test or an interval: the spread between groups is estimated from them."""


MIN_GROUPS_OF_A_SIDE = 10
"""Fewest groups with samples in a part, and with samples in the rest, for a p-value by group of their difference."""


@dataclass(frozen=True)
class Groups:
    """Which of n samples belong together.

    Attributes
    ----------
    codes
        (n_samples,), the group of each sample, 0 … count − 1, every one of which occurs.
    """

    codes: Integers

    @classmethod
    def of(cls, labels: npt.ArrayLike) -> "Groups":
        """Number the groups of labels (n_samples,): samples of one label belong together, one without a label to none.

        Labels are of any type; None, NaN and other missing values belong to no group.
        """
        import pandas as pd

        codes = pd.factorize(np.asarray(labels))[0].astype(np.intp)
        missing = codes < 0
        codes[missing] = codes.max(initial=-1) + 1 + np.arange(missing.sum())
        return cls(codes)

    def take(self, rows: Integers | Flags) -> "Groups":
        """Return the groups of some of the samples."""
        return Groups.of(self.codes[rows])

    @cached_property
    def sizes(self) -> Integers:
        """Samples of each group (count,)."""
        return np.bincount(self.codes)

    @property
    def count(self) -> int:
        """Number of groups G."""
        return int(self.sizes.size)

    @property
    def mean_size(self) -> float:
        """Mean over the samples of the size of their group, Σ n_g²/n: the design effect where a group is all alike."""
        return float(self.sizes @ self.sizes) / self.codes.size

    def sums(self, values: npt.ArrayLike) -> Floats:
        """Sum values (n_samples,) over each group: (count,)."""
        totals: Floats = np.bincount(self.codes, weights=np.asarray(values, dtype=np.float64)).astype(np.float64)
        return totals

    def inflation(self, level: float) -> float:
        """Return (t_{G−1}/t_{n−1})², by which few groups make a variance count for more, at a confidence level."""
        share = 0.5 + level / 2
        return float(stdtrit(self.count - 1, share) / stdtrit(self.codes.size - 1, share)) ** 2

    @property
    def why_too_few(self) -> Status:
        """Why nothing is tested by group; `OK` where it may be."""
        return OK if self.count >= MIN_GROUPS else Reason.FEW_GROUPS(MIN_GROUPS)

    def why_too_few_of(self, positives: float, least: int) -> Status:
        """Why two kinds are not compared, of the expected number of positives; `OK` where they are.

        Each kind must be worth ``least`` samples, were all samples of a group alike: this is known without the data.
        """
        if not self.why_too_few.is_ok:
            return self.why_too_few
        least_in_groups = least * self.mean_size
        if positives < least_in_groups:
            return Reason.FEW_EFFECTIVE_ERRORS(least)
        return OK if self.codes.size - positives >= least_in_groups else Reason.FEW_EFFECTIVE_CORRECT(least)


def variance_by_group(influence: Floats, groups: Groups) -> float:
    """Variance Σ_g (Σ_{i in g} φ_i)² · G/(G − 1)/n² of a statistic, from influences φ (n_samples,) of mean 0.

    With one sample a group it is the usual Σφ²/(n(n − 1)). Student's t with G − 1 degrees of freedom goes with it.
    """
    sums = groups.sums(influence)
    return float(sums @ sums) * groups.count / (groups.count - 1) / influence.size**2


def design_effect(influence: Floats, groups: Groups) -> float:
    """Variance of a statistic by group over that of independent samples, at least 1, from influences (n_samples,)."""
    alone = float(influence @ influence) / influence.size**2
    return max(1.0, variance_by_group(influence, groups) / alone) if alone > 0 else groups.mean_size


def jackknife_variance(estimate: float, without: Floats) -> float:
    """Variance (G − 1)/G · Σ(θ_(g) − θ)² of a statistic θ, from its values without each group (n_groups,)."""
    away = without - estimate
    return float(away @ away) * (without.size - 1) / without.size


def sign_flip_tests(
    products: Floats, groups: Groups, n_permutations: int, generator: np.random.Generator
) -> list[PermutationTest]:
    """Test correlations of 0 by random sign flips of the groups' sums, all by the same flips.

    Parameters
    ----------
    products
        (n_tests, n_samples), z_i = (x_i − x̄)(y_i − ȳ), centered within each stratum; they sum to the covariance. Where
        x and y are uncorrelated each sum U_g = Σ_{i in g} z_i has mean 0 and its sign is chance, whatever the sizes
        and spreads of the groups. The statistic is ΣU_g/√ΣU_g², whose denominator no flip changes; NaN of all 0.
    groups
        Of the same samples.
    n_permutations
        Largest number of flips drawn.
    generator
        Where they are drawn from.
    """
    sums = np.stack([groups.sums(row) for row in products])
    lengths = np.linalg.norm(sums, axis=1)
    lengths[lengths == 0] = np.nan
    sums = sums / lengths[:, None]

    def draw(size: int, running: Integers) -> Floats:
        drawn = np.empty((running.size, size))
        for block in row_blocks(size, groups.count):
            signs = generator.integers(0, 2, size=(block.stop - block.start, groups.count)) * 2.0 - 1
            drawn[:, block] = sums[running] @ signs.T
        return drawn

    return sequential_tests(sums.sum(axis=1), draw, n_permutations)


@dataclass(frozen=True)
class ProportionByGroup:
    """A proportion of n samples in groups, and how many independent samples it is worth.

    Attributes
    ----------
    estimate
        The proportion p.
    variance
        Linearized, V_lin = G/(G − 1) · Σ(y_g − p·n_g)²/n²; 0 where p is 0 or 1.
    design_effect
        max(1, V_lin/(p(1 − p)/n)); where p is 0 or 1, Σ n_g²/n, as if each group were one sample.
    n_effective
        n/design_effect · (t_{n−1}/t_{G−1})², which makes up for a variance known from G groups alone.
    interval
        Wilson's, of ``n_effective`` samples.
    """

    estimate: float
    variance: float
    design_effect: float
    n_effective: float
    interval: Interval


def proportion_by_group(successes: Flags, groups: Groups, level: float = 0.95) -> ProportionByGroup:
    """Estimate a proportion of samples (n_samples,) in at least two groups (Korn & Graubard 1998)."""
    p = float(successes.mean())
    influence = successes.astype(np.float64) - p
    effect = design_effect(influence, groups)
    n = successes.size / effect / groups.inflation(level)
    return ProportionByGroup(p, variance_by_group(influence, groups), effect, n, wilson_interval(p * n, n, level))


def too_few_groups(members: Flags, groups: Groups) -> Status:
    """Return why a part of the samples is not compared with the rest by group; `OK` where it is."""
    fewest = min(groups.take(side).count for side in (members, ~members))
    return OK if fewest >= MIN_GROUPS_OF_A_SIDE else Reason.FEW_GROUPS(MIN_GROUPS_OF_A_SIDE)


def higher_proportion_p_value(successes: Flags, inside: Flags, groups: Groups) -> float:
    """One-sided p-value of a proportion that is no higher inside a part than outside of it, by a score test.

    Under the null hypothesis both are the proportion p of all samples, whose difference has influences
    (y_i − p)·n/n_inside inside and −(y_i − p)·n/n_outside outside; with the variance between groups, t has G − 1
    degrees of freedom.

    Parameters
    ----------
    successes
        (n_samples,).
    inside
        (n_samples,), whether each sample is in the part; neither none nor all.
    groups
        Of the samples, two at least.
    """
    n, n_inside = successes.size, int(inside.sum())
    away = successes.astype(np.float64) - successes.mean()
    influence = np.where(inside, away / n_inside, -away / (n - n_inside)) * n
    difference = float(successes[inside].mean() - successes[~inside].mean())
    error = float(np.sqrt(variance_by_group(influence, groups)))
    return float(stdtr(groups.count - 1, -difference / error)) if error > 0 else 1.0


def correlation_by_group(found: EstimateWithInfluence, groups: Groups, level: float) -> tuple[float, Interval]:
    """Two-sided p-value of a correlation of 0, and its interval: one t statistic on the atanh scale.

    Parameters
    ----------
    found
        A correlation in (−1, 1) and the influence of every sample on it.
    groups
        Of the samples, two at least; there are G − 1 degrees of freedom.
    level
        Between 0.5 and 1.
    """
    error, df = float(np.sqrt(variance_by_group(found.influence, groups))), groups.count - 1.0
    interval = transformed_interval(found.estimate, error, level, "atanh", df=df, method=CORRELATION_METHOD)
    t = float(np.arctanh(found.estimate)) * (1 - found.estimate**2) / error
    return float(2 * stdtr(df, -abs(t))), interval
