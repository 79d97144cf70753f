"""From bootstrap replicates of a correlation to its confidence interval.

On the atanh scale a correlation is nearly normal, so its interval is z ± q·se with the bootstrap's standard
error. One thing is missing: a similarity is a mean over a sample of classmates, whose noise pulls the
correlation towards 0, at few classmates by more than its standard error. The bootstrap repeats that pull and
shows its size as a bias. Which use of the bias gives intervals that hold was decided by simulation (null and
alternative, clusters, skewed entropies, class confounding; 20 to 400 samples):

- Pearson: the end towards which the bias points is moved by 1.5 times the bias (the bootstrap starts from a
  correlation that is pulled already, and shows less than the true pull); the other end stays. Subtracting the
  bias would add its noise, which the skewed entropies make large.
- Spearman: the bias is subtracted, and added to the standard error in quadrature as its uncertainty.
  Ranks have no long tails, and copies of a sample share a rank, which makes the plain interval too wide.

In the same simulations, at a nominal 0.95, percentile intervals held 0.92 to 0.99, basic and BCa ones down to
0.87, and Fisher's, which takes the pairs (a, H) for independent, down to 0.86.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from mlx.core.checks import Floats

INTERVAL_METHODS = {
    "pearson": "node bootstrap, normal on the atanh scale, widened by its bias",
    "spearman": "node bootstrap, normal on the atanh scale, corrected for its bias",
}

MIN_CLASS_SIZE = {
    "class": {"pearson": 20, "spearman": 20},
    "pooled": {"pearson": 30, "spearman": 40},
    "within class": {"pearson": 30, "spearman": 40},
}
"""Fewest samples in a class for which an interval holds; over several classes, of Σ n_c² / Σ n_c."""

MIN_USABLE = 0.95
"""Share of replicates that must have a correlation for an interval to be given."""

PULL = 1.5
"""How much larger the pull towards 0 is than its image in the bootstrap."""


@dataclass(frozen=True)
class Interval:
    """Ends in [−1, 1], or NaN and a ``status`` that says why there are none."""

    low: float
    high: float
    status: str = "ok"


def no_interval(reason: str) -> Interval:
    """Return the interval that is not given, for a reason."""
    return Interval(float("nan"), float("nan"), f"no interval ({reason})")


def bootstrap_interval(statistic: str, estimate: float, replicates: Floats, confidence: float) -> Interval:
    """Confidence interval of a correlation from its bootstrap replicates.

    Parameters
    ----------
    statistic
        ``"pearson"`` or ``"spearman"``.
    estimate
        Correlation of the data.
    replicates
        (n_bootstrap,), correlations of the replicates, NaN where undefined.
    confidence
        Level, between 0.5 and 1.
    """
    usable = replicates[~np.isnan(replicates)]
    if abs(estimate) >= 1 - 1e-12:
        return no_interval("exact relation")
    if usable.size < MIN_USABLE * replicates.size:
        return no_interval("resamples without spread")
    z = np.arctanh(np.clip(usable, -1 + 1e-15, 1 - 1e-15))
    centre, error = float(np.arctanh(estimate)), float(z.std(ddof=1))
    bias = float(z.mean()) - centre
    quantile = float(ndtri(0.5 + confidence / 2))
    if statistic == "spearman":
        half = quantile * float(np.hypot(error, bias))
        ends = (centre - bias - half, centre - bias + half)
    else:
        half = quantile * error
        ends = (centre - half - PULL * max(bias, 0.0), centre + half - PULL * min(bias, 0.0))
    return Interval(float(np.tanh(ends[0])), float(np.tanh(ends[1])))
