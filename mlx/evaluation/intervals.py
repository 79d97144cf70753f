"""Intervals of metrics: each method where a simulation showed that it covers, and None where none does."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtri, stdtrit

Floats = npt.NDArray[np.float64]
Ends = tuple[float, float] | tuple[None, None]

NO_INTERVAL: Ends = (None, None)

MIN_SAMPLES = 30

MIN_EFFECTIVE = 5.0
"""Fewest samples, in effect, that a mean of scores may stand on; fewer, and a rare large score is missing."""


def mean_interval(scores: Floats, confidence: float) -> Ends:
    """Interval of the mean of scores (n_samples,) that are at least 0 and mostly small, such as losses.

    Student's t on the log scale, with (Σx)²/Σx² − 1 degrees of freedom: the number of samples that the mean
    stands on in effect, when a few large losses make up most of it.

    Returns
    -------
    tuple
        Both ends, or None twice where too few scores carry the mean, or all are the same.
    """
    squares = float(scores @ scores)
    if scores.size < MIN_SAMPLES or squares == 0:
        return NO_INTERVAL
    mean, effective = float(scores.mean()), float(scores.sum()) ** 2 / squares
    if effective < MIN_EFFECTIVE:
        return NO_INTERVAL
    error = float(scores.std(ddof=1)) / np.sqrt(scores.size)
    if error <= 1e-12 * mean:
        return NO_INTERVAL
    q = float(stdtrit(max(1.0, effective - 1), 0.5 + confidence / 2))
    return mean * float(np.exp(-q * error / mean)), mean * float(np.exp(q * error / mean))


def ratio_interval(numerator: Floats, denominator: Floats, confidence: float) -> Ends:
    """Interval of Σ numerator / Σ denominator, both (n_samples,) and at least 0, by the delta method on the log.

    Returns
    -------
    tuple
        Both ends, or None twice where too few samples carry one of the sums.
    """
    if numerator.size < MIN_SAMPLES or not numerator.any() or not denominator.any():
        return NO_INTERVAL
    n = numerator.size
    influence = numerator / numerator.mean() - denominator / denominator.mean()
    effective = min(float(v.sum()) ** 2 / float(v @ v) for v in (numerator, denominator))
    if effective < MIN_EFFECTIVE:
        return NO_INTERVAL
    error = float(np.sqrt(influence @ influence / (n - 1) / n))
    q = float(stdtrit(max(1.0, effective - 1), 0.5 + confidence / 2))
    ratio = float(numerator.sum() / denominator.sum())
    return ratio * float(np.exp(-q * error)), ratio * float(np.exp(q * error))


def share_interval(estimate: float, error: float, confidence: float, *, df: float = np.inf) -> Ends:
    """Interval of an estimate in (0, 1) from its standard error, even on the logit scale.

    ``df`` are the degrees of freedom of the standard error, where it comes from few samples.
    """
    if not 0 < estimate < 1 or not np.isfinite(error) or error == 0:
        return NO_INTERVAL
    level = 0.5 + confidence / 2
    q = float(ndtri(level) if np.isinf(df) else stdtrit(df, level))
    half = q * error / (estimate * (1 - estimate))
    return float(expit(logit(estimate) - half)), float(expit(logit(estimate) + half))
