"""The shape of a regression's residuals: skewness, kurtosis, and a test of normality."""

import numpy as np

from mlx.core.array_types import Floats
from mlx.residuals.regression.classical_tests import Numbers
from mlx.residuals.regression.spread import MIN_SAMPLES
from mlx.stats.status import OK, Reason, Status

MIN_NORMALITY = 30
"""Fewest samples for the normality p-value, whose distribution is one of large samples."""


def shape_of(deviation: Floats, *, constant: bool) -> tuple[Numbers, Status]:
    """Skewness, excess kurtosis (both of moments, biased) and the Jarque–Bera test they make up (1980)."""
    n = deviation.size
    if n < MIN_SAMPLES:
        return {}, Reason.TOO_FEW_SAMPLES(MIN_SAMPLES)
    if constant:
        return {}, Reason.CONSTANT("residuals")
    z = deviation / np.sqrt(deviation @ deviation / n)
    skewness, kurtosis = float((z**3).mean()), float((z**4).mean() - 3)
    moments: Numbers = {"skewness": skewness, "excess_kurtosis": kurtosis}
    if n < MIN_NORMALITY:
        return moments, Reason.NO_CLASSICAL_TESTS(MIN_NORMALITY)
    statistic = n / 6 * (skewness**2 + kurtosis**2 / 4)
    # The upper tail of chi-squared with two degrees of freedom is an exponential.
    return moments | {"jarque_bera": statistic, "normality_p": float(np.exp(-statistic / 2))}, OK
