"""Intervals of metrics: each method where a simulation showed that it covers, and None where none does."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from mlx.core.array_types import Floats
from mlx.core.scale import ROUNDING, exponent_of, in_unit, unit_sized


class Ends(NamedTuple):
    """Ends of an interval, or None twice and the reason why there are none."""

    low: float | None
    high: float | None
    reason: str = ""


def no_interval(reason: str) -> Ends:
    """Return the interval that is not given, for a reason."""
    return Ends(None, None, reason)


MIN_SAMPLES = 30

MIN_EFFECTIVE = 5.0
"""Fewest samples, in effect, that a mean of scores may stand on; fewer, and a rare large score is missing."""


def mean_interval(scores: Floats, confidence: float) -> Ends:
    """Interval of the mean of scores (n_samples,) that are at least 0 and mostly small, such as losses.

    Student's t on the log scale, with (Σx)²/Σx² − 1 degrees of freedom: the number of samples that the mean
    stands on in effect, when a few large losses make up most of it. Its ends are in the unit of the scores.

    Returns
    -------
    Ends
        None twice where too few scores carry the mean, or all are the same.
    """
    if scores.size < MIN_SAMPLES:
        return no_interval(f"n < {MIN_SAMPLES}")
    exponent, scaled = exponent_of(scores), unit_sized(scores)
    squares = float(scaled @ scaled)
    if squares == 0:
        return no_interval("all are 0")
    mean, effective = float(scaled.mean()), float(scaled.sum()) ** 2 / squares
    if effective < MIN_EFFECTIVE:
        return no_interval("few samples carry it")
    error = float(scaled.std(ddof=1)) / np.sqrt(scores.size)
    if error <= 1e-12 * mean:
        return no_interval("all are the same")
    q = float(stdtrit(max(1.0, effective - 1), 0.5 + confidence / 2))
    low, high = in_unit(mean * np.exp([-q * error / mean, q * error / mean]), -exponent)
    return Ends(float(low), float(high))


def ratio_interval(numerator: Floats, denominator: Floats, confidence: float) -> Ends:
    """Interval of Σ numerator / Σ denominator, both (n_samples,) and at least 0, by the delta method on the log.

    Returns
    -------
    Ends
        None twice where too few samples carry one of the sums.
    """
    if numerator.size < MIN_SAMPLES:
        return no_interval(f"n < {MIN_SAMPLES}")
    if not numerator.any() or not denominator.any():
        return no_interval("all are 0")
    exponent = exponent_of(numerator) - exponent_of(denominator)
    numerator, denominator = unit_sized(numerator), unit_sized(denominator)
    n = numerator.size
    influence = numerator / numerator.mean() - denominator / denominator.mean()
    effective = min(float(v.sum()) ** 2 / float(v @ v) for v in (numerator, denominator))
    if effective < MIN_EFFECTIVE:
        return no_interval("few samples carry it")
    error = float(np.sqrt(influence @ influence / (n - 1) / n))
    if error <= ROUNDING:
        return no_interval("all are the same")
    q = float(stdtrit(max(1.0, effective - 1), 0.5 + confidence / 2))
    ratio = float(numerator.sum() / denominator.sum())
    low, high = in_unit(ratio * np.exp([-q * error, q * error]), -exponent)
    return Ends(float(low), float(high))


def share_interval(estimate: float, error: float, confidence: float, *, df: float = np.inf) -> Ends:
    """Interval of an estimate in (0, 1) from its standard error, even on the logit scale.

    ``df`` are the degrees of freedom of the standard error, where it comes from few samples.
    """
    if not 0 < estimate < 1:
        return no_interval("at the end of its range")
    if not np.isfinite(error) or error == 0:
        return no_interval("no spread to measure")
    level = 0.5 + confidence / 2
    q = float(ndtri(level) if np.isinf(df) else stdtrit(df, level))
    half = q * error / (estimate * (1 - estimate))
    return Ends(float(expit(logit(estimate) - half)), float(expit(logit(estimate) + half)))


def transformed_interval(
    estimate: float, error: float, confidence: float, scale: str, *, df: float = np.inf
) -> tuple[float, float]:
    """Ends of the interval estimate ± q·error, normal on the scale on which its sides are even.

    Parameters
    ----------
    estimate, error
        The statistic and its standard error.
    confidence
        Level, between 0.5 and 1.
    scale
        ``"atanh"`` for correlations in (−1, 1), ``"logit"`` for shares in (0, 1), ``"log"`` for what is
        above 0, ``"identity"`` for the rest.
    df
        Degrees of freedom of the standard error, where few samples make it one: q is then Student's.
    """
    level = 0.5 + confidence / 2
    q = float(ndtri(level) if np.isinf(df) else stdtrit(df, level))
    if scale == "atanh":
        center, half = np.arctanh(estimate), q * error / (1 - estimate**2)
        return float(np.tanh(center - half)), float(np.tanh(center + half))
    if scale == "logit":
        center, half = logit(estimate), q * error / (estimate * (1 - estimate))
        return float(expit(center - half)), float(expit(center + half))
    if scale == "log":
        return estimate * float(np.exp(-q * error / estimate)), estimate * float(np.exp(q * error / estimate))
    return estimate - q * error, estimate + q * error
