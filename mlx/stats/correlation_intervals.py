"""From what a correlation becomes when samples are deleted, or drawn again, to its confidence interval.

On the atanh scale a correlation is nearly normal, so its interval is z ± q·se. Which standard error and which
sizes give intervals that hold was decided by simulation (``benchmarks/inference.py``; its table is in
``docs/simulations.md``).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from mlx.core.array_types import Floats

ONE_BY_ONE = "jackknife, one sample at a time; t on the atanh scale"
BY_TENTHS = "jackknife, a tenth of the samples at a time; t on the atanh scale"
BY_TENTHS_WIDENED = "jackknife, a tenth of the samples at a time; normal on the atanh scale, widened by half its bias"
EXTENDED = "; extended to the percentiles of a node bootstrap"
BOOTSTRAP = "bootstrap of rows; normal on the atanh scale, less its bias"

MIN_CLASS_SIZE = {
    "class": {"pearson": 20, "spearman": 60},
    "pooled": {"pearson": 30, "spearman": 40},
    "within class": {"pearson": 30, "spearman": 40},
}
"""Fewest samples in a class for which an interval holds; over several classes, of Σ n_c² / Σ n_c."""

MIN_USABLE = 0.95
"""Share of bootstrap replicates that must have a correlation for an interval to be given."""

EXACT = 1 - 1e-12
"""Correlations from here on are those of a formula, not of data."""


@dataclass(frozen=True)
class Interval:
    """Ends in [−1, 1] and the method, or NaN and a ``status`` that says why there are none."""

    low: float
    high: float
    method: str = ""
    status: str = "ok"


def no_interval(reason: str) -> Interval:
    """Return the interval that is not given, for a reason."""
    return Interval(float("nan"), float("nan"), status=f"no interval ({reason})")


def jackknife_interval(
    statistic: str, estimate: float, without: Floats, drawn: Floats, n_samples: int, confidence: float
) -> Interval:
    """Confidence interval of a correlation from its values without some of the samples.

    Pearson's is z ± t·se. A similarity is a mean over few classmates, whose noise pulls a rank correlation
    towards 0, at small classes by up to its standard error. The jackknife shows that pull as a bias; to
    subtract it would add its own noise, so the end that it points away from is moved out by half of it.

    Parameters
    ----------
    statistic
        ``"pearson"`` or ``"spearman"``.
    estimate
        Correlation of the data.
    without
        (n_partitions, n_groups), the correlation without each group of each partition of the samples; for
        groups of one sample one partition says everything.
    drawn
        (1, n_replicates), the correlation of node bootstrap replicates, NaN where undefined; of many samples none,
        as both agree there. Where they don't, as in classes made of few clusters, the estimate is too curved for
        its standard error alone: the interval is extended to the percentiles.
    n_samples
        Samples behind the estimate.
    confidence
        Level, between 0.5 and 1.
    """
    if abs(estimate) >= EXACT:
        return no_interval("exact relation")
    if np.isnan(without).any() or (np.abs(without) >= EXACT).any():
        return no_interval("few samples carry the spread")
    z, center = np.arctanh(without), float(np.arctanh(estimate))
    n_partitions, fewer = len(without), without.shape[1] - 1
    error = float(np.sqrt(fewer * z.var(axis=1).mean()))
    if statistic == "pearson":
        freedom = min(n_samples - 1, n_partitions * fewer)
        pull, half = 0.0, error * float(stdtrit(freedom, 0.5 + confidence / 2))
        method = ONE_BY_ONE if n_partitions == 1 else BY_TENTHS
    else:
        pull, half = fewer * (float(z.mean()) - center) / 2, error * float(ndtri(0.5 + confidence / 2))
        method = BY_TENTHS_WIDENED
    low, high = np.tanh(center - half - max(pull, 0.0)), np.tanh(center + half - min(pull, 0.0))
    if drawn.size:
        usable = drawn[~np.isnan(drawn)]
        if usable.size < MIN_USABLE * drawn.size:
            return no_interval("resamples without spread")
        share = (1 - confidence) / 2
        low, high = min(low, np.quantile(usable, share)), max(high, np.quantile(usable, 1 - share))
        method += EXTENDED
    return Interval(float(low), float(high), method)


def bootstrap_interval(estimate: float, replicates: Floats, confidence: float) -> Interval:
    """Confidence interval of a rank correlation of independent rows from its bootstrap replicates.

    The bias that the replicates show (copies of a row share a rank) is subtracted, and added to the standard
    error in quadrature as its uncertainty.

    Parameters
    ----------
    estimate
        Correlation of the data.
    replicates
        (n_bootstrap,), correlations of the replicates, NaN where undefined.
    confidence
        Level, between 0.5 and 1.
    """
    usable = replicates[~np.isnan(replicates)]
    if abs(estimate) >= EXACT:
        return no_interval("exact relation")
    if usable.size < MIN_USABLE * replicates.size:
        return no_interval("resamples without spread")
    z = np.arctanh(np.clip(usable, -1 + 1e-15, 1 - 1e-15))
    center, error = float(np.arctanh(estimate)), float(z.std(ddof=1))
    bias = float(z.mean()) - center
    half = float(ndtri(0.5 + confidence / 2)) * float(np.hypot(error, bias))
    return Interval(float(np.tanh(center - bias - half)), float(np.tanh(center - bias + half)), BOOTSTRAP)
