"""Differences of two models over splits that share samples: the corrected resampled t-test."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from mlx.core.array_types import Floats
from mlx.core.scale import exponent_of, in_unit, is_rounding
from mlx.stats.interval import NAN, Interval, critical_value
from mlx.stats.status import OK, Reason, Status

METHOD = "corrected resampled t"


@dataclass(frozen=True)
class ResampledTTest:
    """A test of a mean difference of 0 over splits of the same data.

    Attributes
    ----------
    difference
        Mean of the differences, in their unit.
    t, df
        Statistic, and its degrees of freedom, k − 1.
    p
        Two-sided.
    interval
        Of the mean difference.
    n_splits
        Number of differences, k.
    status
        `approximate`, since the splits share training samples; or why there is no test.
    """

    difference: float
    t: float
    df: int
    p: float
    interval: Interval
    n_splits: int
    status: Status = OK


def corrected_resampled_t(differences: Floats, ratio: float, level: float = 0.95) -> ResampledTTest:
    """Test by t = d̄ / √((1/k + n_test/n_train)·s²) with k − 1 degrees of freedom (Nadeau & Bengio 2003).

    Parameters
    ----------
    differences
        (k,), finite, one a split; of r times K-fold cross-validation all k = r·K.
    ratio
        Number of test samples over number of training samples, above 0; 1/(K − 1) for K folds.
    level
        Between 0 and 1.

    Raises
    ------
    ValueError
        There are fewer than two differences, one is not finite, or the ratio is not above 0.
    """
    if differences.ndim != 1 or differences.size < 2 or not np.isfinite(differences).all():
        raise ValueError(f"differences: expected two finite numbers or more, found {differences}")
    if not (np.isfinite(ratio) and ratio > 0):
        raise ValueError(f"ratio: expected a number above 0, found {ratio}")
    k, unit = differences.size, exponent_of(differences)
    scaled = in_unit(differences, unit)
    mean, difference = float(scaled.mean()), float(in_unit(scaled.mean(), -unit))
    if is_rounding(differences):
        why = Reason.ALL_THE_SAME()
        return ResampledTTest(difference, NAN, k - 1, NAN, Interval.missing(why), k, Reason.NO_TEST(why))
    error = float(np.sqrt((1 / k + ratio) * scaled.var(ddof=1)))
    half = critical_value(level, k - 1) * error
    low, high = in_unit(np.array([mean - half, mean + half]), -unit)
    t = mean / error
    interval = Interval(float(low), float(high), level, METHOD)
    return ResampledTTest(difference, t, k - 1, 2 * float(stdtr(k - 1, -abs(t))), interval, k, Reason.APPROXIMATE())
