"""Intervals of the areas under risk-coverage curves, which hold with few errors."""

from dataclasses import replace

import numpy as np
from scipy.special import betaincinv, expit, stdtrit

from mlx.core.array_types import Floats
from mlx.stats.brunner_munzel import SmoothedArea
from mlx.stats.interval import Interval, transformed_interval

GRID = 400
"""Quantiles of the AUROC, and of the error rate, whose combinations give the interval of an AUGRC."""

AURC_METHOD = "Student's t on the log scale, one degree of freedom less than errors, delete-one influence"
AUGRC_METHOD = "quantiles over the smoothed AUROC's t and a Beta distribution of the error rate"


def aurc_interval(area: float, error: float, n_errors: float, level: float) -> Interval:
    """Interval A·exp(±t·SE/A) of an AURC, or of what is left of it beyond a perfect order; at most 1.

    Parameters
    ----------
    area
        Above 0.
    error
        Its standard error.
    n_errors
        Independent errors that it is from, above 1; t has a degree of freedom less. Where correct predictions are
        rarer than errors, their number.
    level
        Between 0.5 and 1.
    """
    found = transformed_interval(area, error, level, "log", df=n_errors - 1.0, method=AURC_METHOD)
    return replace(found, high=min(1.0, found.high))


def augrc_interval(
    auroc: SmoothedArea, n_errors: float, n_correct: float, level: float, slope: float = 0.0
) -> Interval:
    """Interval of an AUGRC, (1 - θ)e(1 - e) + e²/2 of an AUROC θ and an error rate e that are independent.

    θ is distributed as in its interval, e as Beta(n_errors + 1/2, n_correct + 1/2); both by equally likely values, the
    midpoints of a grid of probabilities. A ``slope`` is by how much θ rises with e, where samples share class means.
    """
    share, center = (np.arange(GRID) + 0.5) / GRID, expit(auroc.center)
    rate: Floats = betaincinv(n_errors + 0.5, n_correct + 0.5, share)
    n, mean = n_errors + n_correct, n_errors / (n_errors + n_correct)
    slope /= center * (1 - center)
    error = np.sqrt(max(0.0, auroc.error**2 - slope**2 * mean * (1 - mean) / n))
    logits = auroc.center + (error * stdtrit(auroc.df, share))[:, None]
    theta: Floats = expit(logits + slope * (rate - mean) if slope else logits)
    area = (1 - theta) * (rate * (1 - rate)) + rate**2 / 2
    low, high = np.quantile(area, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level, AUGRC_METHOD)
