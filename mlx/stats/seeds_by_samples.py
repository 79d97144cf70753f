"""A metric of the runs of several seeds on the same samples: its mean, the variance of it, and what that consists of.

Runs share their samples, so that a metric varies with the seed and with the samples. With θ_s the metric of a seed and
φ_si the influence of sample i on it, Var(θ̄) = s²_θ/S + c̄, where c̄ is the mean over pairs of different seeds of
Σ_i φ_si φ_ti/(n(n − 1)). For a mean it is the two-way analysis of variance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import stdtr, stdtrit

from mlx.core.array_types import Floats
from mlx.core.scale import ROUNDING, exponent_of, in_unit
from mlx.stats.groups import Groups
from mlx.stats.interval import NAN, Interval, critical_value
from mlx.stats.status import OK, Reason, Status

MIN_SEEDS = 3
"""Fewest seeds of which an interval over seeds is given: two seeds say too little of how seeds vary."""

MIN_COMMON = 0.2
"""Least share c̄/ā that seeds have in common of the variance by samples, for the part of the seeds to be told apart
from it. With less, what is subtracted for it makes the interval too short (0.91 at three seeds)."""

SMALLEST = -700.0
"""Logarithm of the smallest p-value."""

METHOD = "two-way analysis of variance; t of seeds and t of samples, squares added"
UNDIVIDED = "variance between seeds as it is and mean covariance; t of seeds and t of samples, squares added"
CONSERVATIVE = "conservative with three seeds; "
"""What the method of an interval says of one that covers up to 0.975."""


@dataclass(frozen=True)
class SeedsBySamples:
    """A metric of the runs of several seeds, on the same samples.

    Attributes
    ----------
    estimates
        (n_seeds,), the metric of each run, finite.
    influence
        (n_seeds, n_samples), n times the change of each estimate by the weight of a sample; each row has mean 0. Of a
        mean it is the losses less their mean.

    Raises
    ------
    ValueError
        The shapes do not belong together, or a value is not finite.
    """

    estimates: Floats
    influence: Floats

    def __post_init__(self) -> None:
        if self.influence.ndim != 2 or self.estimates.shape != self.influence.shape[:1]:
            found = f"{self.estimates.shape} and {self.influence.shape}"
            raise ValueError(f"expected estimates (n_seeds,) and influences (n_seeds, n_samples), found {found}")
        if not (np.isfinite(self.estimates).all() and np.isfinite(self.influence).all()):
            raise ValueError("expected finite estimates and influences, found others")

    @classmethod
    def of_losses(cls, losses: Floats) -> "SeedsBySamples":
        """Return the means of losses (n_seeds, n_samples), finite, which may also be differences or scores."""
        means = losses.mean(axis=1)
        return cls(means, losses - means[:, None])

    @property
    def n_seeds(self) -> int:
        """Number of runs."""
        return int(self.influence.shape[0])

    @property
    def n_samples(self) -> int:
        """Number of samples, or of groups of them."""
        return int(self.influence.shape[1])

    @cached_property
    def mean_influence(self) -> Floats:
        """Influence (n_samples,) of each sample on the mean over seeds."""
        mean: Floats = self.influence.mean(axis=0)
        return mean

    @property
    def exponent(self) -> int:
        """Exponent of the largest magnitude."""
        return max(exponent_of(self.influence), exponent_of(self.estimates))

    def in_unit(self, exponent: int) -> "SeedsBySamples":
        """Return the metric divided by 2^exponent."""
        return SeedsBySamples(in_unit(self.estimates, exponent), in_unit(self.influence, exponent))

    @cached_property
    def agree(self) -> bool:
        """Whether all runs are the same but for rounding, as those of a model without randomness are."""
        scaled = self.in_unit(self.exponent)
        return bool(
            max(np.ptp(values, axis=0).max() for values in (scaled.estimates, scaled.influence)) <= 2 * ROUNDING
        )

    def by_group(self, groups: Groups) -> "SeedsBySamples":
        """Return the metric with groups in place of samples: influences U_g·G/n of their sums U_g."""
        sums = np.stack([groups.sums(row) for row in self.influence]) * groups.count / self.n_samples
        return SeedsBySamples(self.estimates, sums)

    def minus(self, other: "SeedsBySamples") -> "SeedsBySamples":
        """Return the differences, seed by seed, from another metric of as many seeds and samples."""
        return SeedsBySamples(self.estimates - other.estimates, self.influence - other.influence)


@dataclass(frozen=True)
class MeanOverSeeds:
    """A metric, averaged over seeds, for *this recipe, other seeds and samples*.

    Attributes
    ----------
    mean
        Of the estimates, in their unit.
    ms_seed, ms_sample, ms_rest
        Mean squares of the two-way table, in squared units; of a metric that is no mean, of its influences.
    var_seed, var_sample, var_rest
        Components of variance, in squared units, as estimated: the first two may be below 0.
    part_seed, part_sample
        A = max(0, MS_seed − MS_rest)/(S·n) and B = MS_sample/(S·n); the variance of the mean is their sum.
    interval
        mean ± √(t²(S − 1)·A + t²(n − 1)·B); where seeds have less than `MIN_COMMON` in common,
        mean ± √(t²(S − 1)·s²/S + t²(n − 1)·c̄).
    p
        Two-sided, of a mean of 0: the α at which the interval touches 0. NaN where there is no interval.
    n_seeds, n_samples
        Size of the table.
    status
        `OK`; that three seeds are needed; or that all seeds agree, so that the interval is one over samples alone.
    """

    mean: float
    ms_seed: float
    ms_sample: float
    ms_rest: float
    var_seed: float
    var_sample: float
    var_rest: float
    part_seed: float
    part_sample: float
    interval: Interval
    p: float
    n_seeds: int
    n_samples: int
    status: Status = OK

    @property
    def variance(self) -> float:
        """Variance of the mean, A + B."""
        return self.part_seed + self.part_sample


def mean_over_seeds(losses: Floats, level: float = 0.95) -> MeanOverSeeds:
    """Mean of a table of losses with an interval for other seeds and other samples.

    Parameters
    ----------
    losses
        (n_seeds, n_samples), finite: the loss of the run of a seed, or the difference of two runs, on a sample. At
        least two seeds and two samples.
    level
        Between 0 and 1.

    Raises
    ------
    ValueError
        The table is smaller, or has a value that is not finite.
    """
    if losses.ndim != 2 or min(losses.shape) < 2 or not np.isfinite(losses).all():
        raise ValueError(f"losses: expected finite numbers of two seeds and samples or more, found {losses.shape}")
    unit = exponent_of(losses)
    table = in_unit(losses, unit)
    agree = bool((np.ptp(table, axis=0) <= ROUNDING).all())
    return _over_seeds(SeedsBySamples.of_losses(table), float(table.mean()), unit, level, agree=agree)


def metric_over_seeds(values: SeedsBySamples, level: float = 0.95) -> MeanOverSeeds:
    """Mean over seeds of any metric, with an interval for other seeds and other samples.

    Parameters
    ----------
    values
        Of at least two seeds and two samples.
    level
        Between 0 and 1.

    Raises
    ------
    ValueError
        There are fewer seeds or samples.
    """
    if min(values.influence.shape) < 2:
        raise ValueError(f"expected two seeds and samples or more, found {values.influence.shape}")
    scaled = values.in_unit(values.exponent)
    return _over_seeds(scaled, float(scaled.estimates.mean()), values.exponent, level, agree=values.agree)


def _over_seeds(values: SeedsBySamples, mean: float, unit: int, level: float, *, agree: bool) -> MeanOverSeeds:
    n_seeds, n_samples = values.influence.shape
    ms_seed, ms_sample, ms_rest = _mean_squares(values, mean, agree=agree)
    a, b = max(0.0, ms_seed - ms_rest) / values.influence.size, ms_sample / values.influence.size
    status = Reason.SEEDS_AGREE() if agree else OK if n_seeds >= MIN_SEEDS else Reason.SEEDS_NEEDED()
    why = Reason.ALL_THE_SAME() if a + b <= ROUNDING**2 else OK if agree else status
    interval, p = Interval.missing(why), NAN
    if why.is_ok:
        common, method = (ms_sample - ms_rest) / n_seeds, METHOD
        parts = a, b
        if common < MIN_COMMON * (common + ms_rest):
            parts, method = (ms_seed / values.influence.size, max(0.0, common) / n_samples), UNDIVIDED
        method = f"{CONSERVATIVE if n_seeds == MIN_SEEDS and not agree else ''}{method}"
        half = half_width(*parts, n_seeds - 1, n_samples - 1, level)
        low, high = in_unit(np.array([mean - half, mean + half]), -unit)
        interval = Interval(float(low), float(high), level, method)
        p = _p_value(abs(mean), *parts, n_seeds - 1, n_samples - 1)
    ms_seed, ms_sample, ms_rest, a, b = in_unit([ms_seed, ms_sample, ms_rest, a, b], -2 * unit).tolist()
    return MeanOverSeeds(
        mean=float(in_unit(mean, -unit)),
        ms_seed=ms_seed,
        ms_sample=ms_sample,
        ms_rest=ms_rest,
        var_seed=(ms_seed - ms_rest) / n_samples,
        var_sample=(ms_sample - ms_rest) / n_seeds,
        var_rest=ms_rest,
        part_seed=a,
        part_sample=b,
        interval=interval,
        p=p,
        n_seeds=n_seeds,
        n_samples=n_samples,
        status=status,
    )


def _p_value(distance: float, part_seed: float, part_sample: float, df_seed: float, df_sample: float) -> float:
    if part_seed == 0:
        return 2 * float(stdtr(df_sample, -distance / part_sample**0.5))
    roots = part_seed**0.5, part_sample**0.5
    return touching(distance, lambda t, u: float(np.hypot(t * roots[0], u * roots[1])), df_seed, df_sample)


def _mean_squares(values: SeedsBySamples, mean: float, *, agree: bool) -> tuple[float, float, float]:
    """Mean squares of seeds, samples and the rest; where seeds agree the first and last are 0, without rounding."""
    n_seeds, n_samples = values.influence.shape
    by_seed, by_sample = values.estimates - mean, values.mean_influence
    ms_sample = n_seeds * float(by_sample @ by_sample) / (n_samples - 1)
    if agree:
        return 0.0, ms_sample, 0.0
    rest = values.influence - by_sample
    ms_rest = float((rest**2).sum()) / ((n_seeds - 1) * (n_samples - 1))
    return n_samples * float(by_seed @ by_seed) / (n_seeds - 1), ms_sample, ms_rest


def half_width(part_seed: float, part_sample: float, df_seed: float, df_sample: float, level: float) -> float:
    """Half of an interval, √(t²(df_seed)·A + t²(df_sample)·B), from the parts A and B of a variance."""
    seeds, samples = critical_value(level, df_seed), critical_value(level, df_sample)
    return float(np.hypot(seeds * part_seed**0.5, samples * part_sample**0.5))


def touching(distance: float, half: Callable[[float, float], float], df_seed: float, df_sample: float) -> float:
    """Return the α at which half of the interval at the level 1 − α is this distance: the p-value.

    ``half`` makes it of the critical values of the seeds and of the samples.
    """
    from scipy.optimize import brentq

    if distance == 0:
        return 1.0

    def excess(log_alpha: float) -> float:
        tail = np.exp(log_alpha) / 2
        return half(-float(stdtrit(df_seed, tail)), -float(stdtrit(df_sample, tail))) - distance

    low = -1.0
    while low > SMALLEST and excess(low) < 0:
        low *= 2
    return float(np.exp(brentq(excess, low, 0, xtol=1e-15, rtol=1e-15) if excess(low) > 0 else max(low, SMALLEST)))
