"""Split conformal prediction: the threshold, and how many test samples its sets cover by chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from mlx.core.array_types import Floats
from mlx.stats.status import OK, Reason, Status


@dataclass(frozen=True)
class Threshold:
    """The largest score that a set contains.

    Attributes
    ----------
    k
        ⌈(n_cal + 1)(1 − α)⌉: which of the sorted calibration scores, from 1.
    value
        That score; ∞ where k > n_cal, so that a set contains everything.
    n_calibration
        Number of calibration scores.
    status
        `OK`, or that there are too few calibration samples for any set but the full one.
    """

    k: int
    value: float
    n_calibration: int
    status: Status = OK


@dataclass(frozen=True)
class CoverageBand:
    """What chance leaves of the coverage: BetaBinomial(n_test, k, n_cal + 1 − k).

    Attributes
    ----------
    mean
        Expected share of covered test samples, k / (n_cal + 1).
    sd
        Standard deviation of the share.
    low, high
        Covered test samples, a number: the quantiles at (1 − level)/2 and (1 + level)/2.
    level
        Of the band, between 0 and 1.
    """

    mean: float
    sd: float
    low: int
    high: int
    level: float


def threshold_rank(n_calibration: int, alpha: float) -> int:
    """Return k = ⌈(n_cal + 1)(1 − α)⌉, with α read as the decimal number that it is written as.

    Raises
    ------
    ValueError
        There is no calibration sample, or alpha is not between 0 and 1.
    """
    if n_calibration < 1 or not 0 < alpha < 1:
        raise ValueError(f"expected a calibration sample and alpha in (0, 1), found {n_calibration} and {alpha}")
    # In floating point 100 * (1 - 0.1) may be 90.00000000000001, whose ceiling is 91.
    return ceil((n_calibration + 1) * (1 - _decimal(alpha)))


def _decimal(alpha: float) -> Fraction:
    return Fraction(str(float(alpha)))


def threshold(scores: Floats, alpha: float) -> Threshold:
    """Threshold of calibration scores (n_cal,), higher meaning less likely, whose sets {y: s ≤ q} cover 1 − α.

    Raises
    ------
    ValueError
        There is no score, a score is NaN, or alpha is not between 0 and 1.
    """
    if np.isnan(scores).any():
        raise ValueError("scores: expected numbers, found NaN")
    k = threshold_rank(scores.size, alpha)
    if k > scores.size:
        return Threshold(k, float("inf"), scores.size, Reason.FULL_SETS(ceil(1 / _decimal(alpha)) - 1))
    return Threshold(k, float(np.partition(scores, k - 1)[k - 1]), scores.size)


def coverage_band(n_calibration: int, n_test: int, alpha: float, level: float = 0.95) -> CoverageBand:
    """Band of the number of covered test samples of exchangeable data without ties.

    Raises
    ------
    ValueError
        Fewer calibration samples than the rank of the threshold, no test sample, or alpha not between 0 and 1.
    """
    covered = _covered(n_calibration, n_test, alpha)
    low, high = (int(covered.ppf(share)) for share in ((1 - level) / 2, (1 + level) / 2))
    k = threshold_rank(n_calibration, alpha)
    return CoverageBand(k / (n_calibration + 1), float(covered.std()) / n_test, low, high, level)


@dataclass(frozen=True)
class SummedCoverage:
    """Number of covered test samples of several parts, each with a threshold of its own: a sum of beta-binomials.

    Attributes
    ----------
    mean
        Expected share of covered test samples.
    cdf
        (n_test + 1,), probability of at most so many.
    """

    mean: float
    cdf: Floats

    def band(self, level: float = 0.95) -> CoverageBand:
        """Return the band of the number of covered test samples."""
        counts, pmf = np.arange(self.cdf.size), np.diff(self.cdf, prepend=0.0)
        n = self.cdf.size - 1
        spread = float(np.sqrt(max(0.0, float(pmf @ (counts - self.mean * n) ** 2))))
        low, high = (int(np.searchsorted(self.cdf, share)) for share in ((1 - level) / 2, (1 + level) / 2))
        return CoverageBand(self.mean, spread / n, low, min(high, n), level)

    def p_value(self, n_covered: int) -> float:
        """Return the one-sided probability of at most so many covered test samples."""
        return min(1.0, float(self.cdf[n_covered]))


def summed_coverage(parts: Sequence[tuple[Threshold, int]], alpha: float) -> SummedCoverage:
    """Return the law of the covered test samples of parts: the threshold and the number of test samples of each.

    Of a part with too few calibration samples for a threshold, every sample is covered.
    """
    from scipy.signal import fftconvolve

    pmf: Floats
    pmf, expected, total = np.ones(1), 0.0, sum(n for _, n in parts)
    for own, n in parts:
        if own.status.is_ok:
            of_part = _covered(own.n_calibration, n, alpha).pmf(np.arange(n + 1))
            pmf = np.maximum(fftconvolve(pmf, of_part), 0.0)
            expected += n * own.k / (own.n_calibration + 1)
        else:
            pmf = np.concatenate([np.zeros(n), pmf])
            expected += n
    return SummedCoverage(expected / total, np.minimum(np.cumsum(pmf / pmf.sum()), 1.0))


def undercoverage_p_value(n_covered: int, n_group: int, n_calibration: int, alpha: float) -> float:
    """P(BetaBinomial(n_g, k, n_cal + 1 − k) ≤ x_g): one-sided, of a group being covered as the whole is.

    Parameters
    ----------
    n_covered, n_group
        Test samples of the group that are covered, and all of them.
    n_calibration, alpha
        Of the marginal threshold.

    Raises
    ------
    ValueError
        As `coverage_band`, or the number covered is not from 0 to the size of the group.
    """
    if not 0 <= n_covered <= n_group:
        raise ValueError(f"n_covered: expected a number from 0 to {n_group}, found {n_covered}")
    return float(_covered(n_calibration, n_group, alpha).cdf(n_covered))


def _covered(n_calibration: int, n_test: int, alpha: float) -> Any:
    from scipy.stats import betabinom

    k = threshold_rank(n_calibration, alpha)
    if k > n_calibration or n_test < 1:
        raise ValueError(f"expected a test sample and {k} calibration samples or more, found {n_test}, {n_calibration}")
    return betabinom(n_test, k, n_calibration + 1 - k)
