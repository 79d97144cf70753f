"""Intervals of means, and of ratios of means, of scores that are at least 0, such as losses; and of means of any sign.

Those of scores have a low end by Student's t on the log scale. Samples that lack the largest losses have a mean that is
too small, and a spread that is too small with it, so the high end follows from the skewness of the losses (Hall 1992).
Degrees of freedom are one less than the effective number of samples behind the mean, (Σx)²/Σx², or those of the
variance by its fourth moment, if fewer. By group, all these are of the sums over each.
"""

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.scale import ROUNDING, exponent_of, in_unit, unit_sized
from mlx.stats.groups import Groups, variance_by_group
from mlx.stats.interval import Interval, critical_value, degrees_of_freedom
from mlx.stats.status import OK, Reason, Status

MIN_SAMPLES = 30

SYMMETRIC = 1e-6
"""A smaller skewness changes no digit that counts."""

SIGNED_METHOD = "Student's t"


def mean_interval(scores: Floats, level: float, *, groups: Groups | None = None) -> Interval:
    """Interval of the mean of scores (n_samples,), in their unit; none where all are equal.

    Parameters
    ----------
    scores
        (n_samples,), at least 0.
    level
        Between 0.5 and 1.
    groups
        Which samples belong together; None where each is its own.
    """
    why, effective = _effective_samples(scores, groups)
    if not why.is_ok:
        return Interval.missing(why)
    scaled = unit_sized(scores)
    mean = float(scaled.mean())
    return _skewed_interval(mean, scaled / mean - 1, effective, level, exponent_of(scores), groups)


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
        _effective_samples(scores, groups) for scores in (numerator, denominator)
    )
    if not (why.is_ok and other_why.is_ok):
        return Interval.missing(other_why if why.is_ok else why)
    exponent = exponent_of(numerator) - exponent_of(denominator)
    numerator, denominator = unit_sized(numerator), unit_sized(denominator)
    influence = numerator / numerator.mean() - denominator / denominator.mean()
    ratio = float(numerator.sum() / denominator.sum())
    return _skewed_interval(ratio, influence, min(effective, other_effective), level, exponent, groups)


def _effective_samples(scores: Floats, groups: Groups | None) -> tuple[Status, float]:
    """Why a mean of scores has no interval, and (Σx)²/Σx², of scores or of their sums over groups."""
    if groups is not None and not groups.why_too_few.is_ok:
        return groups.why_too_few, 0.0
    if scores.size < MIN_SAMPLES:
        return Reason.TOO_FEW(MIN_SAMPLES), 0.0
    scaled = unit_sized(scores) if groups is None else groups.sums(unit_sized(scores))
    squares = float(scaled @ scaled)
    if squares == 0:
        return Reason.ALL_ZERO(), 0.0
    return OK, float(scaled.sum()) ** 2 / squares


def _standard_error(influence: Floats, groups: Groups | None) -> float:
    """Return that of a mean, from influences (n_samples,) of mean 0."""
    n = influence.size
    variance = influence @ influence / (n - 1) / n if groups is None else variance_by_group(influence, groups)
    return float(np.sqrt(variance))


def _skewed_interval(
    estimate: float, influence: Floats, effective: float, level: float, exponent: int, groups: Groups | None
) -> Interval:
    """Interval in units of 2^−exponent of an estimate above 0, from influences (n_samples,) relative to it."""
    error = _standard_error(influence, groups)
    if error <= ROUNDING:
        return Interval.missing(Reason.ALL_THE_SAME())
    sums = influence if groups is None else groups.sums(influence)
    t = critical_value(level, max(1.0, min(effective, degrees_of_freedom(sums)) - 1))
    skewness = float((sums**3).sum()) / float(sums @ sums) ** 1.5
    high = 1 - error * _without_skewness(-t, skewness)
    low, high = in_unit(estimate * np.array([np.exp(-t * error), high]), -exponent)
    return Interval(float(low), float(high), level)


def _without_skewness(quantile: float, skewness: float) -> float:
    """Quantile of a studentized mean of values whose sum has this skewness, by Hall's cubic transformation (1992)."""
    if abs(skewness) < SYMMETRIC:
        return quantile
    return 3 / skewness * float(np.cbrt(1 + skewness * (quantile - skewness / 6)) - 1)
