"""Slices with large residuals: combinations of factors, found on one half of the samples and measured on the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.residuals.errors.factor_values import Factor
from mlx.residuals.errors.ranking import Ranking
from mlx.residuals.errors.slice_conditions import Condition, leaves, members_of
from mlx.residuals.errors.slices import MAX_SLICES, halves, why_no_search
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.questions import Question, Scope, Statistic
from mlx.results.regression_residuals import RegressionSlice
from mlx.results.tests import TestResult, adjusted
from mlx.stats.brunner_munzel import CHANCE
from mlx.stats.correlation import midranks
from mlx.stats.groups import Groups, too_few_groups
from mlx.stats.interval import NAN
from mlx.stats.mean_intervals import mean_interval
from mlx.stats.permutation import permutations_for
from mlx.stats.status import OK, Reason, Status

MIN_OF_A_SIDE = 10
"""Fewest samples in a slice, and in the rest, for a p-value."""

ASKED = TestResult(question=Question.SLICE, scope=Scope.HALF, statistic=Statistic.MEAN)


@dataclass(frozen=True)
class ResidualSlices:
    """Slices, those with the largest residuals first by the half that chose them, and the test of each.

    Without slices, there is one result that says why. ``members`` are the rows of each slice in the half that measures.
    """

    slices: tuple[RegressionSlice, ...]
    tests: tuple[TestResult, ...]
    members: tuple[Integers, ...] = field(default=(), compare=False)


def large_residual_slices(
    factors: Sequence[Factor], size: Floats, *, settings: ResidualsSettings, groups: Groups | None = None
) -> ResidualSlices:
    """Find up to five slices of samples with larger residuals than all together, and measure them.

    Parameters
    ----------
    factors
        Of n_samples; those that are constant, or of more than fifty categories, are left out.
    size
        (n_samples,), absolute residuals.
    settings
        Seed, permutations and confidence.
    groups
        Of the samples, where they are not independent: all of a group are in one half.
    """
    finding, measuring = halves(size.size, groups, stream(settings.seed, Stream.SLICE_SPLIT))
    usable = [factor for factor in factors if factor.why_undefined.is_ok]
    status = why_no_search(usable, finding.size)
    if status.is_ok and not np.ptp(size[finding]):
        status = Reason.CONSTANT("absolute residuals")
    if status.is_ok and groups is not None:
        status = groups.why_too_few
    found = _found(usable, size, finding) if status.is_ok else []
    if not found:
        status = Reason.NO_LARGE_SLICE() if status.is_ok else status
        none = replace(ASKED, question=Question.WEAK_SLICES, n=measuring.size, status=status)
        return ResidualSlices((), (none,))
    measured = [_measured(conditions, mean, size, measuring, settings, groups) for mean, conditions in found]
    tests = adjusted([test for _, test in measured])
    slices = [replace(one, p_holm=test.p_holm) for (one, _), test in zip(measured, tests, strict=True)]
    members = tuple(measuring[members_of(conditions, measuring)] for _, conditions in found)
    return ResidualSlices(tuple(slices), tuple(tests), members)


def _found(factors: Sequence[Factor], size: Floats, rows: Integers) -> list[tuple[float, list[Condition]]]:
    """Return the slices of the half that looks for them, by ranks: a few large residuals must not decide."""
    ranks = np.zeros(size.size)
    ranks[rows] = midranks(size[rows])
    means = [
        (float(size[rows][members_of(conditions, rows)].mean()), conditions)
        for conditions in leaves(factors, ranks, rows)
    ]
    larger = [one for one in means if one[0] > size[rows].mean()]
    return sorted(larger, key=lambda one: -one[0])[:MAX_SLICES]


def _measured(
    conditions: Sequence[Condition],
    mean_found: float,
    size: Floats,
    rows: Integers,
    settings: ResidualsSettings,
    groups: Groups | None,
) -> tuple[RegressionSlice, TestResult]:
    members, own = members_of(conditions, rows), size[rows]
    inside, rest = own[members], own[~members]
    description = " and ".join(condition.words() for condition in conditions)
    found = RegressionSlice(
        description=description,
        n=inside.size,
        abs_residual_mean=float(inside.mean()) if inside.size else NAN,
        n_rest=rest.size,
        rest_abs_residual_mean=float(rest.mean()) if rest.size else NAN,
        abs_residual_mean_found=mean_found,
    )
    test = replace(ASKED, subject=description, estimate=found.abs_residual_mean, n=found.n, seed=settings.seed)
    if not inside.size or not rest.size:
        status = Reason.WHOLE_SLICE() if inside.size else Reason.EMPTY_SLICE()
        return replace(found, status=status), replace(test, status=status)
    of_half = None if groups is None else groups.take(rows)
    if not (status := _why_not_tested(members, of_half)).is_ok:
        return replace(found, status=status), replace(test, status=status)
    test = _tested(test, Ranking(members, own, np.arange(own.size), groups=of_half), settings)
    interval = mean_interval(inside, settings.confidence, groups=None if of_half is None else of_half.take(members))
    test = test.with_interval(interval)
    return replace(found, low=interval.low, high=interval.high, p=test.p, status=interval.status), test


def _tested(test: TestResult, ranking: Ranking, settings: ResidualsSettings) -> TestResult:
    """Return the test with the one-sided p-value of residuals in the slice that are no larger than in the rest."""
    n_permutations = permutations_for(MAX_SLICES, least=settings.n_permutations)
    found = ranking.tested(test, n_permutations, stream(settings.seed, Stream.FACTOR_PERMUTATION))
    p = found.p / 2 if ranking.area.estimate > CHANCE else 1 - found.p / 2
    return test.with_p(p, f"{found.p_method}, one-sided", found.n_permutations)


def _why_not_tested(members: Flags, groups: Groups | None) -> Status:
    if min(members.sum(), (~members).sum()) < MIN_OF_A_SIDE:
        return Reason.NO_TEST(Reason.FEW_OF_A_SIDE(MIN_OF_A_SIDE))
    reason = OK if groups is None else too_few_groups(members, groups)
    return reason if reason.is_ok else Reason.NO_TEST(reason)
