"""Weak slices: combinations of factors with many errors, found on one half of the samples and measured on the other.

A shallow tree looks for combinations of factors with many errors. The errors that made it choose a slice
overstate how weak the slice is; the other half of the samples, which it has not seen, does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mlx.core.array_types import Flags, Integers
from mlx.residuals.errors.error_rate import BY_GROUP, WILSON, error_rate_interval
from mlx.residuals.errors.factor_values import Factor
from mlx.residuals.errors.slice_conditions import Condition, leaves, members_of
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.classification_residuals import Slice
from mlx.results.questions import Question, Scope, Statistic
from mlx.results.tests import TestResult
from mlx.stats.groups import Groups, higher_proportion_p_value, too_few_groups
from mlx.stats.interval import Interval
from mlx.stats.multiple_testing import holm
from mlx.stats.proportions import higher_share_p_values
from mlx.stats.status import OK, Reason, Status

MAX_SLICES = 5
MIN_HALF = 50
"""Fewest samples of a half for a tree to find anything."""

P_BY_GROUP = "score test against the rest, one-sided, variance by group"
P_METHOD = "Fisher's test against the rest, one-sided mid-p"
"""Half the probability of the errors that were seen counts (Lancaster 1961)."""


@dataclass(frozen=True)
class WeakSlices:
    """Slices, weakest first by the half that chose them; ``status`` says why there are none.

    ``members`` are the rows of each slice in the half that measures.
    """

    slices: tuple[Slice, ...]
    n_found: int
    n_measured: int
    status: Status
    by_group: bool = False
    members: tuple[Integers, ...] = field(default=(), compare=False)

    def tests(self, settings: ResidualsSettings) -> list[TestResult]:
        """Return the test of each slice, or one result that says why there is no slice."""
        if not self.slices:
            none = TestResult(
                question=Question.WEAK_SLICES, scope=Scope.HALF, statistic=Statistic.ERROR_RATE, n=self.n_measured
            )
            return [replace(none, status=self.status)]
        return [_test(one, settings, by_group=self.by_group) for one in self.slices]


def _test(one: Slice, settings: ResidualsSettings, *, by_group: bool) -> TestResult:
    asked = TestResult(
        question=Question.SLICE,
        subject=one.description,
        scope=Scope.HALF,
        statistic=Statistic.ERROR_RATE,
        estimate=one.error_rate,
        p=one.p,
        p_method="" if np.isnan(one.p) else P_BY_GROUP if by_group else P_METHOD,
        p_holm=one.p_holm,
        n=one.n,
        seed=settings.seed,
        status=one.status,
    )
    if np.isnan(one.low):
        return asked
    method = BY_GROUP if by_group else WILSON
    return asked.with_interval(Interval(one.low, one.high, settings.confidence, method))


def weak_slices(
    factors: Sequence[Factor], error: Flags, *, seed: int, confidence: float, groups: Groups | None = None
) -> WeakSlices:
    """Find up to five slices of samples with more errors than all together, and measure them.

    Parameters
    ----------
    factors
        Of n_samples; those that are constant, or of more than fifty categories, are left out.
    error
        (n_samples,), whether the prediction was wrong.
    seed
        Of the split in halves.
    confidence
        Level of the intervals.
    groups
        Of the samples, where they are not independent: all of a group are in one half.
    """
    finding, measuring = halves(error.size, groups, stream(seed, Stream.SLICE_SPLIT))
    sizes = (finding.size, measuring.size)
    usable = [factor for factor in factors if factor.why_undefined.is_ok]
    status = _why_none(usable, error[finding])
    if status.is_ok and groups is not None:
        status = groups.why_too_few
    if not status.is_ok:
        return WeakSlices((), *sizes, status, groups is not None)
    found = []
    for conditions in leaves(usable, error, finding):
        members = members_of(conditions, finding)
        rate = float(error[finding][members].mean())
        if rate > error[finding].mean():
            found.append((rate, conditions))
    found.sort(key=lambda pair: -pair[0])
    measured = None if groups is None else groups.take(measuring)
    slices = [
        _measured(conditions, error, measuring, rate, confidence, measured) for rate, conditions in found[:MAX_SLICES]
    ]
    adjusted = holm(np.array([s.p for s in slices]))
    slices = [replace(s, p_holm=float(p)) for s, p in zip(slices, adjusted, strict=True)]
    status = OK if slices else Reason.NO_WEAK_SLICE()
    rows = tuple(measuring[members_of(conditions, measuring)] for _, conditions in found[:MAX_SLICES])
    return WeakSlices(tuple(slices), *sizes, status, groups is not None, rows)


def halves(n: int, groups: Groups | None, generator: np.random.Generator) -> tuple[Integers, Integers]:
    """Return the rows of the half that looks for slices, and of the half that measures; each group is in one."""
    if groups is None:
        order = generator.permutation(n)
        return np.sort(order[: n // 2]), np.sort(order[n // 2 :])
    order = generator.permutation(groups.count)
    # The half that measures is the larger one, up to one group.
    finds = np.cumsum(groups.sizes[order]) <= n // 2
    in_first = finds[np.argsort(order)][groups.codes]
    return np.flatnonzero(in_first), np.flatnonzero(~in_first)


def why_no_search(factors: Sequence[Factor], n_finding: int) -> Status:
    """Return why no slices are sought with these factors in a half of this size; `OK` where they are."""
    if not factors:
        return Reason.NO_VARYING_FACTOR()
    return Reason.TOO_FEW_SAMPLES(2 * MIN_HALF) if n_finding < MIN_HALF else OK


def _why_none(factors: Sequence[Factor], wrong: Flags) -> Status:
    if not (reason := why_no_search(factors, wrong.size)).is_ok:
        return reason
    if not wrong.any():
        return Reason.NO_ERRORS_TO_FIND_BY()
    return Reason.ALL_WRONG_TO_FIND_BY() if wrong.all() else OK


def _measured(
    conditions: Sequence[Condition],
    error: Flags,
    rows: Integers,
    rate_found: float,
    confidence: float,
    groups: Groups | None,
) -> Slice:
    members, wrong = members_of(conditions, rows), error[rows]
    n, n_errors = int(members.sum()), int(wrong[members].sum())
    found = Slice(
        description=" and ".join(condition.words() for condition in conditions),
        n=n,
        n_errors=n_errors,
        error_rate_found=rate_found,
    )
    if n in {0, rows.size}:
        return replace(found, status=Reason.WHOLE_SLICE() if n else Reason.EMPTY_SLICE())
    rest = float(wrong[~members].mean())
    found = replace(found, error_rate=n_errors / n, n_rest=rows.size - n, rest_error_rate=rest)
    if groups is not None and not (reason := too_few_groups(members, groups)).is_ok:
        return replace(found, status=Reason.NO_TEST(reason))
    interval = error_rate_interval(wrong[members], None if groups is None else groups.take(members), confidence)
    p = float(higher_share_p_values(n_errors, n, int(wrong.sum()), rows.size))
    if groups is not None:
        p = higher_proportion_p_value(wrong, members, groups)
    return replace(found, low=interval.low, high=interval.high, p=p, status=interval.status)
