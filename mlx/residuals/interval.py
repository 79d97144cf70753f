"""From bootstrap replicates of a correlation to its confidence interval."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from mlx.residuals.checks import Floats

INTERVAL_METHOD = "node bootstrap, normal on the atanh scale"

MIN_SAMPLES = 10
"""Fewest samples for which an interval is given."""

MIN_USABLE = 0.95
"""Share of replicates that must have a correlation for an interval to be given."""


@dataclass(frozen=True)
class Interval:
    """Ends in [−1, 1], or NaN and a ``status`` that says why there are none."""

    low: float
    high: float
    status: str = "ok"


def bootstrap_interval(estimate: float, replicates: Floats, n: int, confidence: float) -> Interval:
    """Interval of a correlation: its bootstrap standard error on the atanh scale, where it is nearly normal.

    Parameters
    ----------
    estimate
        Correlation of the data.
    replicates
        (n_bootstrap,), correlations of the replicates, NaN where undefined.
    n
        Samples behind the estimate.
    confidence
        Level, between 0.5 and 1.
    """
    usable = replicates[~np.isnan(replicates)]
    if n < MIN_SAMPLES:
        return _none(f"no interval (n < {MIN_SAMPLES})")
    if abs(estimate) >= 1 - 1e-12:
        return _none("no interval (exact relation)")
    if usable.size < MIN_USABLE * replicates.size:
        return _none("no interval (resamples without spread)")
    z = np.arctanh(np.clip(usable, -1 + 1e-15, 1 - 1e-15))
    half = float(ndtri(0.5 + confidence / 2) * z.std(ddof=1))
    centre = np.arctanh(estimate)
    return Interval(float(np.tanh(centre - half)), float(np.tanh(centre + half)))


def _none(status: str) -> Interval:
    return Interval(float("nan"), float("nan"), status)
