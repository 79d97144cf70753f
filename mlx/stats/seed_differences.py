"""The difference of two recipes, each run with seeds of its own, on the same samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from mlx.core.scale import ROUNDING, in_unit
from mlx.stats.interval import NAN, Interval, critical_value
from mlx.stats.seeds_by_samples import CONSERVATIVE, MIN_SEEDS, SeedsBySamples, touching
from mlx.stats.status import OK, Reason, Status

METHOD = "Welch's t of seeds and t of paired samples, weighted by their variances"


@dataclass(frozen=True)
class SeedDifference:
    """A difference of two recipes, second minus first, for *these recipes, other seeds and samples*.

    Attributes
    ----------
    difference
        Of the means over seeds, in the unit of the metric.
    var_seed, var_sample, var_rest
        Components of variance of a difference of two runs, in squared units, as estimated: the first two may be
        below 0. With S seeds of each and n samples, the difference has variance
        var_seed/S + var_sample/n + var_rest/(S·n).
    part_seed, part_sample
        s₁²/S₁ + s₂²/S₂, and max(0, c̄₁₁ + c̄₂₂ − 2·c̄₁₂); the variance of the difference is their sum.
    df_seed
        Welch's degrees of freedom of the first part; infinite where it is 0.
    interval
        difference ± (t(df_seed)·A + t(n − 1)·B)/√(A + B) for the parts A and B (Cochran & Cox 1957). With squares
        added, as for a single recipe, it would hold more than 97.5 % at three seeds.
    p
        Two-sided, of a difference of 0: the α at which the interval touches 0. NaN where there is no interval.
    status
        `OK`, or what is missing and why.
    """

    difference: float
    var_seed: float
    var_sample: float
    var_rest: float
    part_seed: float
    part_sample: float
    df_seed: float
    interval: Interval
    p: float
    status: Status = OK

    @property
    def variance(self) -> float:
        """Variance of the difference."""
        return self.part_seed + self.part_sample


def difference_over_seeds(first: SeedsBySamples, second: SeedsBySamples, level: float = 0.95) -> SeedDifference:
    """Difference of a metric of two recipes whose seeds have nothing in common, with an interval for other seeds.

    Where a seed sets something that both share, such as the split, take ``second.minus(first)`` and
    `mlx.stats.seeds_by_samples.metric_over_seeds`.

    Parameters
    ----------
    first, second
        Of the same samples, at least two, in the same order; one of them of at least two seeds. A single run counts as
        a model that seeds do not change.
    level
        Between 0 and 1.

    Raises
    ------
    ValueError
        There are fewer seeds or samples, or other numbers of samples.
    """
    shapes = first.influence.shape, second.influence.shape
    if max(first.n_seeds, second.n_seeds) < 2 or first.n_samples < 2 or first.n_samples != second.n_samples:
        raise ValueError(f"expected two seeds and samples or more, as many samples in both, found {shapes}")
    unit = max(first.exponent, second.exponent)
    parts = _parts(first.in_unit(unit), second.in_unit(unit), [not first.agree, not second.agree])
    random = [one.n_seeds for one in (first, second) if not one.agree]
    few = min(random, default=MIN_SEEDS) < MIN_SEEDS
    status = Reason.SEEDS_NEEDED() if few else OK if random else Reason.SEEDS_AGREE()
    why = Reason.ALL_THE_SAME() if parts.seed + parts.sample <= ROUNDING**2 else status if few else OK
    difference = float(in_unit(second.estimates, unit).mean() - in_unit(first.estimates, unit).mean())
    interval, p = Interval.missing(why), NAN
    if why.is_ok:
        half = parts.half(critical_value(level, parts.df), critical_value(level, first.n_samples - 1))
        low, high = in_unit(np.array([difference - half, difference + half]), -unit)
        method = f"{CONSERVATIVE if min(random, default=0) == MIN_SEEDS else ''}{METHOD}"
        interval = Interval(float(low), float(high), level, method)
        p = touching(abs(difference), parts.half, parts.df, first.n_samples - 1)
    by_seed, by_sample, rest, seed, sample = in_unit([*parts.components, parts.seed, parts.sample], -2 * unit).tolist()
    return SeedDifference(
        difference=float(in_unit(difference, -unit)),
        var_seed=by_seed,
        var_sample=by_sample,
        var_rest=rest,
        part_seed=seed,
        part_sample=sample,
        df_seed=parts.df,
        interval=interval,
        p=p,
        status=status,
    )


@dataclass(frozen=True)
class _Parts:
    """Parts of the variance of a difference, Welch's degrees of freedom of the first, and the components."""

    seed: float
    sample: float
    df: float
    components: tuple[float, float, float]

    def half(self, t_seeds: float, t_samples: float) -> float:
        """Half of the interval: the standard error times the mean of both critical values, weighted by the parts."""
        variance = self.seed + self.sample
        return (t_seeds * self.seed + t_samples * self.sample) / sqrt(variance)


def _parts(first: SeedsBySamples, second: SeedsBySamples, varying: Sequence[bool]) -> _Parts:
    n = first.n_samples
    random = [one for one, varies in zip((first, second), varying, strict=True) if varies]
    spreads = [float(one.estimates.var(ddof=1)) for one in random]
    rests = [float(((one.influence - one.mean_influence) ** 2).sum()) / (one.n_seeds - 1) / (n - 1) for one in random]
    paired = second.mean_influence - first.mean_influence
    within = sum(rest / one.n_seeds for rest, one in zip(rests, random, strict=True))
    common = float(paired @ paired) / (n - 1) - within  # n·(c̄₁₁ + c̄₂₂ − 2·c̄₁₂)
    by_seed = [spread / one.n_seeds for spread, one in zip(spreads, random, strict=True)]
    spread = sum(part**2 / (one.n_seeds - 1) for part, one in zip(by_seed, random, strict=True))
    df = sum(by_seed) ** 2 / spread if spread > 0 else float("inf")
    return _Parts(sum(by_seed), max(0.0, common) / n, df, (sum(spreads) - sum(rests) / n, common, sum(rests)))
