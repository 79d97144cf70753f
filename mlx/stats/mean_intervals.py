"""Intervals of means, and of ratios of means, of scores that are at least 0, such as losses; and of means of any sign.

Those of scores are Student's t on the log scale, with (Σx)²/Σx² − 1 degrees of freedom: the effective number of samples
behind the mean, when a few large losses make up most of it. By group, it is the effective number of groups, from the
sums of x over each.
"""

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.scale import ROUNDING, exponent_of, in_unit, unit_sized
from mlx.stats.groups import Groups, variance_by_group
from mlx.stats.interval import Interval, critical_value
from mlx.stats.status import OK, Reason, Status

MIN_SAMPLES = 30

SIGNED_METHOD = "Student's t"

MIN_EFFECTIVE = 5.0
"""Fewest effective samples behind a mean of scores; with fewer, rare large scores are likely to be missing."""


def mean_interval(
    scores: Floats, level: float, *, least_effective: float = MIN_EFFECTIVE, groups: Groups | None = None
) -> Interval:
    """Interval of the mean of scores (n_samples,), in their unit; none where few scores carry it or all are equal.

    Parameters
    ----------
    scores
        (n_samples,), at least 0.
    level
        Between 0.5 and 1.
    least_effective
        Fewest effective samples; 0 where another gate makes sure that large scores are not missing.
    groups
        Which samples belong together; None where each is its own.
    """
    why, effective = _effective_samples(scores, least_effective, groups)
    if not why.is_ok:
        return Interval.missing(why)
    scaled = unit_sized(scores)
    mean = float(scaled.mean())
    error = _standard_error(scaled - mean, groups)
    if error <= 1e-12 * mean:
        return Interval.missing(Reason.ALL_THE_SAME())
    return _on_log_scale(mean, error, effective, level, exponent_of(scores), scale=mean)


def signed_mean_interval(values: Floats, level: float, *, groups: Groups | None = None) -> Interval:
    """Student's t interval of the mean of values (n_samples,) of any sign, in their unit; none where all are equal."""
    why = Reason.TOO_FEW(MIN_SAMPLES) if values.size < MIN_SAMPLES else OK
    if groups is not None:
        why = groups.why_too_few
    if not why.is_ok:
        return Interval.missing(why)
    scaled, exponent = unit_sized(values), exponent_of(values)
    mean = float(scaled.mean())
    error = _standard_error(scaled - mean, groups)
    if error <= ROUNDING:
        return Interval.missing(Reason.ALL_THE_SAME())
    half = critical_value(level, (values.size if groups is None else groups.count) - 1) * error
    low, high = in_unit(np.array([mean - half, mean + half]), -exponent)
    return Interval(float(low), float(high), level, SIGNED_METHOD)


def ratio_interval(numerator: Floats, denominator: Floats, level: float, groups: Groups | None = None) -> Interval:
    """Interval of Σ numerator / Σ denominator, both (n_samples,), by the delta method on the log."""
    (why, effective), (other_why, other_effective) = (
        _effective_samples(scores, MIN_EFFECTIVE, groups) for scores in (numerator, denominator)
    )
    if not (why.is_ok and other_why.is_ok):
        return Interval.missing(other_why if why.is_ok else why)
    exponent = exponent_of(numerator) - exponent_of(denominator)
    numerator, denominator = unit_sized(numerator), unit_sized(denominator)
    error = _standard_error(numerator / numerator.mean() - denominator / denominator.mean(), groups)
    if error <= ROUNDING:
        return Interval.missing(Reason.ALL_THE_SAME())
    ratio = float(numerator.sum() / denominator.sum())
    return _on_log_scale(ratio, error, min(effective, other_effective), level, exponent, scale=1.0)


def _effective_samples(scores: Floats, least: float, groups: Groups | None) -> tuple[Status, float]:
    """Why a mean of scores has no interval, and (Σx)²/Σx², of scores or of their sums over groups."""
    if groups is not None and not groups.why_too_few.is_ok:
        return groups.why_too_few, 0.0
    if scores.size < MIN_SAMPLES:
        return Reason.TOO_FEW(MIN_SAMPLES), 0.0
    scaled = unit_sized(scores) if groups is None else groups.sums(unit_sized(scores))
    squares = float(scaled @ scaled)
    if squares == 0:
        return Reason.ALL_ZERO(), 0.0
    effective = float(scaled.sum()) ** 2 / squares
    return OK if effective >= least else Reason.FEW_CARRY_THE_MEAN(), effective


def _standard_error(influence: Floats, groups: Groups | None) -> float:
    """Return that of a mean, from influences (n_samples,) of mean 0."""
    n = influence.size
    variance = influence @ influence / (n - 1) / n if groups is None else variance_by_group(influence, groups)
    return float(np.sqrt(variance))


def _on_log_scale(
    estimate: float, error: float, effective: float, level: float, exponent: int, *, scale: float
) -> Interval:
    """Interval in units of 2^−exponent, from the standard error in units of ``scale``."""
    half = critical_value(level, max(1.0, effective - 1)) * error / scale
    low, high = in_unit(estimate * np.exp([-half, half]), -exponent)
    return Interval(float(low), float(high), level)
