"""Two models on the same samples: tests of the difference of what they reach, and intervals that agree with them."""

from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np
from scipy.special import chdtrc, stdtr

from mlx.core.array_types import Flags, Floats
from mlx.core.scale import ROUNDING, exponent_of, in_unit
from mlx.stats.groups import Groups, variance_by_group
from mlx.stats.interval import NAN, Interval, critical_value
from mlx.stats.status import OK, Reason, Status

SCORE = "score test, Tango's interval"
PAIRED_T = "Student's paired t"
INFLUENCE = "influence values; Student's t"
BY_GROUP = " by group"


@dataclass(frozen=True)
class PairedDifference:
    """A difference of two models, second minus first, with a test of 0.

    Attributes
    ----------
    difference
        In the unit of the metric; NaN where it is undefined.
    interval
        Excludes 0 exactly where ``p`` is below one less its level.
    p
        Two-sided; NaN where ``interval`` is missing.
    status
        `OK`, or what is missing and why.
    """

    difference: float
    interval: Interval
    p: float
    status: Status = OK


def missing_difference(why: Status, difference: float = NAN) -> PairedDifference:
    """Return a difference that has no test, or is itself undefined."""
    status = why if np.isnan(difference) else Reason.NO_TEST(why)
    return PairedDifference(difference, Interval.missing(why), NAN, status)


def paired_proportions(gained: int, lost: int, n: int, level: float = 0.95) -> PairedDifference:
    """Difference of two proportions of the same samples: the score test, and its inversion (Tango 1998).

    Parameters
    ----------
    gained, lost
        Samples that only the second, and only the first, of two models gets right.
    n
        All samples, at least one.
    level
        Between 0 and 1.
    """
    return PairedDifference((gained - lost) / n, tango_interval(gained, lost, n, level), score_p_value(gained, lost))


def score_p_value(gained: int, lost: int) -> float:
    """Two-sided p-value of equal proportions, (b − c)²/(b + c) on χ² with 1 degree of freedom; 1 if b = c."""
    return 1.0 if gained == lost else float(chdtrc(1, (gained - lost) ** 2 / (gained + lost)))


def tango_interval(gained: int, lost: int, n: int, level: float = 0.95) -> Interval:
    """Interval of (b − c)/n: the differences that the score test doesn't reject (Tango 1998).

    Parameters
    ----------
    gained, lost, n, level
        As for `paired_proportions`.
    """
    from scipy.optimize import brentq

    z2, estimate = critical_value(level) ** 2, (gained - lost) / n
    if estimate in {-1.0, 1.0} or gained == lost == 0:  # the estimate has no variance, and is itself a root
        end = z2 / (n + z2)
        low, high = (-end, end) if gained == lost else sorted((estimate, estimate * (1 - 2 * end)))
        return Interval(low, high, level, SCORE)

    def excess(difference: float) -> float:
        variance = 2 * _restricted(difference, gained, lost, n) + difference * (1 - difference)
        return (estimate - difference) ** 2 - z2 * variance / n

    low, high = (float(brentq(excess, estimate, end, xtol=1e-15)) for end in (-1.0, 1.0))
    return Interval(low, high, level, SCORE)


def _restricted(difference: float, gained: int, lost: int, n: int) -> float:
    """Maximum likelihood estimate of P(only the first is right), given the difference."""
    b = (2 * n - gained + lost) * difference - gained - lost
    c = -lost * difference * (1 - difference)
    root = sqrt(max(0.0, b * b - 8 * n * c))
    return (root - b) / (4 * n) if b <= 0 else -2 * c / (root + b)


def paired_mean(differences: Floats, level: float = 0.95, groups: Groups | None = None) -> PairedDifference:
    """Mean of differences (n,) between two models on the same samples, by Student's paired t.

    Parameters
    ----------
    differences
        (n,), finite, second minus first.
    level
        Between 0 and 1.
    groups
        Which samples belong together; None where each is its own.
    """
    exponent = exponent_of(differences)
    scaled = in_unit(differences, exponent)
    mean = float(scaled.mean())
    found = paired_influence(mean, scaled - mean, level, groups)
    low, high, mean = in_unit(np.array([found.interval.low, found.interval.high, mean]), -exponent).tolist()
    method = PAIRED_T if groups is None else f"{PAIRED_T}{BY_GROUP}"
    interval = replace(found.interval, low=low, high=high, method=method)
    return replace(found, difference=mean, interval=interval)


def paired_influence(
    difference: float,
    influence: Floats,
    level: float = 0.95,
    groups: Groups | None = None,
    *,
    n_carrying: float = inf,
) -> PairedDifference:
    """Difference of a statistic of two models on the same samples, by influence values: Var = Σφ²/(n(n − 1)).

    With groups it is that of their sums, and Student's t has one degree of freedom less than there are groups, or
    groups that carry the variance.
    It holds whatever the statistic depends on in each model, such as errors that differ between them.

    Parameters
    ----------
    difference
        Second minus first, of a statistic of order 1.
    influence
        (n,), n times the change of the difference by the weight of a sample: the influence of the sample on the
        statistic of the second model, less that on the statistic of the first. Mean 0.
    level
        Between 0 and 1.
    groups
        Which samples belong together; None where each is its own.
    n_carrying
        How many samples, or groups, carry most of the variance, where they are fewer than all: of an area of errors,
        see `rarer_kind` (of two models, in either). t then has one degree of freedom less than these.
    """
    n = influence.size
    if n < 2:
        return missing_difference(Reason.TOO_FEW(2), difference)
    if groups is not None and not (why := groups.why_too_few).is_ok:
        return missing_difference(why, difference)
    if (largest := float(np.abs(influence).max())) <= 16 * ROUNDING:
        return missing_difference(Reason.ALL_THE_SAME(), difference)
    each = Groups(np.arange(n)) if groups is None else groups
    error = largest * sqrt(variance_by_group(influence / largest, each))
    df = min(each.count, n_carrying) - 1
    if error <= 16 * ROUNDING:
        return missing_difference(Reason.ALL_THE_SAME(), difference)
    half = critical_value(level, df) * error
    interval = Interval(difference - half, difference + half, level, INFLUENCE + ("" if groups is None else BY_GROUP))
    return PairedDifference(difference, interval, 2 * float(stdtr(df, -abs(difference) / error)))


def rarer_kind(positive: Flags, groups: Groups | None = None) -> int:
    """Return how many samples are positive or how many are not, whichever are fewer; with groups, groups with such."""
    codes = np.arange(positive.size) if groups is None else groups.codes
    return min(np.unique(codes[kind]).size for kind in (positive, ~positive))
