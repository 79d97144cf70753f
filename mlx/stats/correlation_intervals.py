"""Confidence intervals of a correlation, from its values without some samples or in bootstrap replicates.

On the atanh scale a correlation is nearly normal, so its interval is z ± q·se. Which standard error and which
sizes give intervals that hold was decided by simulation (``benchmarks/inference.py``; its table is in
``docs/simulations.md``).
"""

import numpy as np

from mlx.core.array_types import Floats
from mlx.stats.groups import jackknife_variance
from mlx.stats.interval import Interval, critical_value, degrees_of_freedom
from mlx.stats.jackknife import jackknife_bias, jackknife_error
from mlx.stats.status import OK, Reason, Status

ONE_BY_ONE = "jackknife, one sample at a time; t on the atanh scale"
BY_TENTHS = "jackknife, a tenth of the samples at a time; t on the atanh scale"
BY_TENTHS_WIDENED = (
    "jackknife, a tenth of the samples at a time; normal on the atanh scale, widened by half its bias; conservative in "
    "small classes and where spreads depend on each other"
)
BY_GROUP = "jackknife, one group at a time; t on the atanh scale"
FEW_CARRIED = "; few samples carry the spread of entropy: far end for more of them; conservative"
EXTENDED = "; extended to the percentiles of a node bootstrap, conservative where these reach farther"
BOOTSTRAP = "bootstrap of rows; normal on the atanh scale, less its bias"

MIN_CLASS_SIZE = {"pearson": 20, "spearman": 60}
"""Fewest samples in a class for which an interval holds in it."""

MIN_MEAN_CLASS_SIZE = {"pearson": 30, "spearman": 40}
"""Least Σ n_c² / Σ n_c for which an interval holds over several classes."""

FEW_CARRY = 10
"""Effective number of samples behind the spread of entropy below which a sample may lack those that carry it."""

UNSEEN = 3
"""Further samples like the one that strengthens a correlation most that its far end then allows for."""

MIN_USABLE = 0.95
"""Share of bootstrap replicates that must have a correlation for an interval to be given."""

EXACT = 1 - 1e-12
"""Correlations from here on are those of a formula, not of data."""


def jackknife_interval(
    statistic: str,
    estimate: float,
    without: Floats,
    drawn: Floats,
    n_samples: int,
    level: float,
    *,
    effective: float = np.inf,
) -> Interval:
    """Confidence interval of a correlation from its values without some of the samples.

    Pearson's is z ± t·se; t has the fewer degrees of freedom, the fewer samples carry the variance of z. A similarity
    is a mean over few classmates, whose noise pulls a rank correlation toward 0, at small classes by up to its
    standard error. The jackknife shows that pull as a bias; to subtract it would add its own noise, so the end that it
    points away from is moved out by half of it.

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
    level
        Between 0.5 and 1.
    effective
        Effective number of samples behind the spread of entropy (`effective_number`). Where it is small, samples that
        lack those few show a weaker Pearson correlation, and no sign of it: see `_unseen`.
    """
    if not (why := _why_missing(estimate, without, drawn)).is_ok:
        return Interval.missing(why)
    z, center = np.arctanh(without), float(np.arctanh(estimate))
    below = above = 0.0
    n_partitions, n_groups = without.shape
    if statistic == "pearson":
        df: float = min(n_samples - 1, n_partitions * (n_groups - 1))
        if n_partitions == 1:
            df = min(df, max(1.0, degrees_of_freedom((z - z.mean()).ravel()) - 1))
        bias, half = 0.0, jackknife_error(z) * critical_value(level, df)
        method = ONE_BY_ONE if n_partitions == 1 else BY_TENTHS
        if effective < FEW_CARRY:
            (below, above), method = _unseen(center, z), method + FEW_CARRIED
    else:
        bias, half = jackknife_bias(center, z) / 2, jackknife_error(z) * critical_value(level)
        method = BY_TENTHS_WIDENED
    low, high = np.tanh(center - half - below - max(bias, 0.0)), np.tanh(center + half + above - min(bias, 0.0))
    return _extended(float(low), float(high), drawn, level, method)


def effective_number(squares: Floats) -> float:
    """Return how many samples carry a sum of squares (n_samples,): (Σ w)²/Σ w², infinite where all are 0."""
    total = float(squares @ squares)
    return float(squares.sum()) ** 2 / total if total > 0 else np.inf


def _unseen(center: float, without: Floats) -> tuple[float, float]:
    """By how much the low and the high end move out on the atanh scale, the one away from 0.

    It allows for three more samples like the one that strengthens the correlation most, each by as much as leaving that
    one out weakens it.
    """
    side = float(np.sign(center))
    moved = UNSEEN * max(0.0, float((side * (center - without)).max()))
    return (moved, 0.0) if side < 0 else (0.0, moved)


def group_jackknife_interval(
    estimate: float, without: Floats, drawn: Floats, level: float, *, effective: float = np.inf
) -> Interval:
    """Confidence interval of a correlation from its values without each group of samples.

    z ± t·se on the atanh scale with the variance (G − 1)/G · Σ(z_(g) − z)², and G − 1 degrees of freedom.

    Parameters
    ----------
    estimate
        Correlation of the data.
    without
        (1, G), the correlation without each group.
    drawn
        (1, n_replicates), the correlation of replicates that draw groups, to whose percentiles the interval is
        extended; none of many samples.
    level
        Between 0.5 and 1.
    effective
        As for `jackknife_interval`, of groups; infinite for a correlation of ranks.
    """
    if not (why := _why_missing(estimate, without, drawn)).is_ok:
        return Interval.missing(why)
    center, z = float(np.arctanh(estimate)), np.arctanh(without.ravel())
    half = float(np.sqrt(jackknife_variance(center, z))) * critical_value(level, z.size - 1.0)
    few = effective < FEW_CARRY
    below, above = _unseen(center, z) if few else (0.0, 0.0)
    low, high = float(np.tanh(center - half - below)), float(np.tanh(center + half + above))
    return _extended(low, high, drawn, level, BY_GROUP + FEW_CARRIED * few)


def _why_missing(estimate: float, without: Floats, drawn: Floats) -> Status:
    if abs(estimate) >= EXACT:
        return Reason.EXACT_RELATION()
    if np.isnan(without).any() or (np.abs(without) >= EXACT).any():
        return Reason.FEW_CARRY_THE_SPREAD()
    return OK if not drawn.size or _enough(drawn) else Reason.RESAMPLES_WITHOUT_SPREAD()


def _extended(low: float, high: float, drawn: Floats, level: float, method: str) -> Interval:
    """Return the interval, extended to the percentiles of replicates if there are any."""
    if not drawn.size:
        return Interval(low, high, level, method)
    ends = np.nanquantile(drawn, [(1 - level) / 2, 1 - (1 - level) / 2])
    return Interval(min(low, float(ends[0])), max(high, float(ends[1])), level, method + EXTENDED)


def _enough(replicates: Floats) -> bool:
    return float(np.count_nonzero(~np.isnan(replicates))) >= MIN_USABLE * replicates.size


def bootstrap_interval(estimate: float, replicates: Floats, level: float) -> Interval:
    """Confidence interval of a rank correlation of independent rows from its bootstrap replicates.

    The bias that the replicates show (copies of a row share a rank) is subtracted, and added to the standard
    error in quadrature as its uncertainty.

    Parameters
    ----------
    estimate
        Correlation of the data.
    replicates
        (n_bootstrap,), correlations of the replicates, NaN where undefined.
    level
        Between 0.5 and 1.
    """
    if abs(estimate) >= EXACT:
        return Interval.missing(Reason.EXACT_RELATION())
    if not _enough(replicates):
        return Interval.missing(Reason.RESAMPLES_WITHOUT_SPREAD())
    usable = replicates[~np.isnan(replicates)]
    z = np.arctanh(np.clip(usable, -1 + 1e-15, 1 - 1e-15))
    center, error = float(np.arctanh(estimate)), float(z.std(ddof=1))
    bias = float(z.mean()) - center
    half = critical_value(level) * float(np.hypot(error, bias))
    return Interval(float(np.tanh(center - bias - half)), float(np.tanh(center - bias + half)), level, BOOTSTRAP)
