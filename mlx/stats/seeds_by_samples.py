"""The mean of losses of several seeds on the same samples: its interval over seeds and samples, and its components."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from mlx.core.array_types import Floats
from mlx.core.scale import ROUNDING, exponent_of, in_unit
from mlx.stats.interval import NAN, Interval, critical_value
from mlx.stats.status import OK, Reason, Status

MIN_SEEDS = 3
"""Fewest seeds of which an interval over seeds is given: two seeds say too little of how seeds vary."""

SMALLEST = -700.0
"""Logarithm of the smallest p-value."""

METHOD = "two-way analysis of variance; t of seeds and t of samples, squares added"


@dataclass(frozen=True)
class MeanOverSeeds:
    """A mean over seeds and samples, for *this recipe, other seeds and samples*.

    Attributes
    ----------
    mean
        Of all losses, in their unit.
    ms_seed, ms_sample, ms_rest
        Mean squares of the two-way table, in squared units.
    var_seed, var_sample, var_rest
        Components of variance, in squared units, as estimated: the first two may be below 0.
    part_seed, part_sample
        A = max(0, MS_seed − MS_rest)/(S·n) and B = MS_sample/(S·n); the variance of the mean is their sum.
    interval
        mean ± √(t²(S − 1)·A + t²(n − 1)·B).
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
    n_seeds, n_samples = losses.shape
    unit = exponent_of(losses)
    table = in_unit(losses, unit)
    mean, agree = float(table.mean()), bool((np.ptp(table, axis=0) <= ROUNDING).all())
    ms_seed, ms_sample, ms_rest = _mean_squares(table, agree=agree)
    a, b = max(0.0, ms_seed - ms_rest) / table.size, ms_sample / table.size
    status = Reason.SEEDS_AGREE() if agree else OK if n_seeds >= MIN_SEEDS else Reason.SEEDS_NEEDED()
    why = Reason.ALL_THE_SAME() if a + b <= ROUNDING**2 else OK if agree else status
    interval, p = Interval.missing(why), NAN
    if why.is_ok:
        half = np.hypot(critical_value(level, n_seeds - 1) * a**0.5, critical_value(level, n_samples - 1) * b**0.5)
        low, high = in_unit(np.array([mean - half, mean + half]), -unit)
        interval, p = Interval(float(low), float(high), level, METHOD), _touching(abs(mean), a, b, n_seeds, n_samples)
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


def _mean_squares(table: Floats, *, agree: bool) -> tuple[float, float, float]:
    """Mean squares of seeds, samples and the rest; where seeds agree the first and last are 0, without rounding."""
    n_seeds, n_samples = table.shape
    by_seed, by_sample = (table.mean(axis=axis) - table.mean() for axis in (1, 0))
    ms_sample = n_seeds * float(by_sample @ by_sample) / (n_samples - 1)
    if agree:
        return 0.0, ms_sample, 0.0
    rest = table - table.mean() - by_seed[:, None] - by_sample
    ms_rest = float((rest**2).sum()) / ((n_seeds - 1) * (n_samples - 1))
    return n_samples * float(by_seed @ by_seed) / (n_seeds - 1), ms_sample, ms_rest


def _touching(distance: float, a: float, b: float, n_seeds: int, n_samples: int) -> float:
    """Return the α at which √(t²(S − 1)·A + t²(n − 1)·B) is this distance."""
    from scipy.optimize import brentq

    if distance == 0:
        return 1.0
    if a == 0:
        return 2 * float(stdtr(n_samples - 1, -distance / b**0.5))

    def excess(log_alpha: float) -> float:
        tail = np.exp(log_alpha) / 2
        return float(np.hypot(stdtrit(n_seeds - 1, tail) * a**0.5, stdtrit(n_samples - 1, tail) * b**0.5)) - distance

    return float(np.exp(brentq(excess, SMALLEST, 0, xtol=1e-15, rtol=1e-15) if excess(SMALLEST) > 0 else SMALLEST))
