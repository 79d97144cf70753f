"""Weak slices: combinations of factors with many errors, found on one half of the samples and measured on the other.

A shallow tree looks for combinations of factors with many errors. The errors that made it choose a slice
overstate how weak the slice is; the other half of the samples, which it has not seen, does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.core.scale import exponent_of, in_unit
from mlx.residuals.errors.error_rate import BY_GROUP, WILSON, error_rate_interval
from mlx.residuals.errors.factor_values import Factor
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.classification_residuals import Slice
from mlx.results.tests import Question, Scope, TestResult
from mlx.stats.groups import Groups, higher_proportion_p_value
from mlx.stats.interval import Interval
from mlx.stats.multiple_testing import holm
from mlx.stats.status import OK, Reason, Status

MAX_DEPTH = 3
MAX_SLICES = 5
MIN_HALF = 50
"""Fewest samples of a half for a tree to find anything."""

MIN_LEAF = 10
LEAF_SHARE = 0.05
"""A slice has at least `MIN_LEAF` samples, and this share, of the half that found it."""

MIN_GROUPS_OF_A_SIDE = 10
"""Fewest groups with samples in a slice, and with samples in the rest, for a p-value by group."""

P_BY_GROUP = "score test against the rest, one-sided, variance by group"
P_METHOD = "Fisher's test against the rest, one-sided mid-p"
"""Half the probability of the errors that were seen counts (Lancaster 1961)."""

SINGLE = 100
"""Numbers below 2^SINGLE, and above its inverse, are given to the tree as they are."""


@dataclass(frozen=True)
class Condition:
    """One side of a split: a factor above or at most a number, or in a category or not.

    Attributes
    ----------
    factor
        What is asked of the samples.
    category
        Place of the category asked for; None for a number.
    threshold
        The number; of no meaning with a category.
    above
        Whether the factor is above the threshold, or in the category.
    fill
        What a missing number counts as; a missing category is none.
    exponent
        The tree, which reads single precision, is given the number in units of 2^exponent.
    """

    factor: Factor
    category: int | None
    threshold: float
    above: bool
    fill: float
    exponent: int = 0

    def holds(self, rows: Integers) -> Flags:
        """Whether the condition holds for each of the rows."""
        values = self.factor.numbers[rows]
        if self.category is not None:
            met = values == self.category
        else:
            met = np.where(np.isnan(values), self.fill, values) > self.threshold
        holds: Flags = met if self.above else ~met
        return holds

    def words(self) -> str:
        """Say it: "noise > 0.31", "color is red", "not occluded"."""
        name = self.factor.name
        if self.factor.kind == "boolean":
            return name if self.above else f"not {name}"
        if self.category is not None:
            return f"{name} {'is' if self.above else 'is not'} {self.factor.categories[self.category]}"
        counted = "" if self.factor.present.all() else f" (where missing, counted as {self.fill:.4g})"
        return f"{name} {'>' if self.above else '≤'} {self.threshold:.15g}{counted}"


@dataclass(frozen=True)
class WeakSlices:
    """Slices, weakest first by the half that chose them; ``status`` says why there are none."""

    slices: tuple[Slice, ...]
    n_found: int
    n_measured: int
    status: Status
    by_group: bool = False

    def tests(self, settings: ResidualsSettings) -> list[TestResult]:
        """Return the test of each slice, or one result that says why there is no slice."""
        if not self.slices:
            none = TestResult(
                question=Question.WEAK_SLICES, scope=Scope.HALF, statistic="error_rate", n=self.n_measured
            )
            return [replace(none, status=self.status)]
        return [_test(one, settings, by_group=self.by_group) for one in self.slices]


def _test(one: Slice, settings: ResidualsSettings, *, by_group: bool) -> TestResult:
    asked = TestResult(
        question=Question.SLICE,
        subject=one.description,
        scope=Scope.HALF,
        statistic="error_rate",
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
    finding, measuring = _halves(error.size, groups, stream(seed, Stream.SLICE_SPLIT))
    sizes = (finding.size, measuring.size)
    usable = [factor for factor in factors if factor.why_undefined.is_ok]
    status = _why_none(usable, error[finding])
    if status.is_ok and groups is not None:
        status = groups.why_too_few
    if not status.is_ok:
        return WeakSlices((), *sizes, status, groups is not None)
    found = []
    for conditions in _leaves(usable, error, finding):
        members = _members(conditions, finding)
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
    return WeakSlices(tuple(slices), *sizes, status, groups is not None)


def _halves(n: int, groups: Groups | None, generator: np.random.Generator) -> tuple[Integers, Integers]:
    """Rows of the half that looks for slices, and of the half that measures them; each group is in one of them."""
    if groups is None:
        order = generator.permutation(n)
        return np.sort(order[: n // 2]), np.sort(order[n // 2 :])
    order = generator.permutation(groups.count)
    # The half that measures is the larger one, up to one group.
    finds = np.cumsum(groups.sizes[order]) <= n // 2
    in_first = finds[np.argsort(order)][groups.codes]
    return np.flatnonzero(in_first), np.flatnonzero(~in_first)


def _why_none(factors: Sequence[Factor], wrong: Flags) -> Status:
    if not factors:
        return Reason.NO_VARYING_FACTOR()
    if wrong.size < MIN_HALF:
        return Reason.TOO_FEW_SAMPLES(2 * MIN_HALF)
    if not wrong.any():
        return Reason.NO_ERRORS_TO_FIND_BY()
    return Reason.ALL_WRONG_TO_FIND_BY() if wrong.all() else OK


def _members(conditions: Sequence[Condition], rows: Integers) -> Flags:
    members = np.ones(rows.size, dtype=bool)
    for condition in conditions:
        members &= condition.holds(rows)
    return members


def _measured(
    conditions: Sequence[Condition],
    error: Flags,
    rows: Integers,
    rate_found: float,
    confidence: float,
    groups: Groups | None,
) -> Slice:
    members, wrong = _members(conditions, rows), error[rows]
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
    found = replace(found, error_rate=n_errors / n, rest_error_rate=rest)
    if groups is not None and not (reason := _too_few_groups(members, groups)).is_ok:
        return replace(found, status=Reason.NO_TEST(reason))
    interval = error_rate_interval(wrong[members], None if groups is None else groups.take(members), confidence)
    p = _p_value(wrong, members) if groups is None else higher_proportion_p_value(wrong, members, groups)
    return replace(found, low=interval.low, high=interval.high, p=p, status=interval.status)


def _p_value(wrong: Flags, members: Flags) -> float:
    from scipy.stats import hypergeom

    n_errors = int(wrong[members].sum())
    # Half the chance of what was seen: with few errors the exact test would reject a true null far too rarely.
    law = hypergeom(wrong.size, int(wrong.sum()), int(members.sum()))
    return min(1.0, float(law.sf(n_errors) + law.pmf(n_errors) / 2))


def _too_few_groups(members: Flags, groups: Groups) -> Status:
    """Say why a slice is not compared with the rest by group; `OK` where it is."""
    fewest = min(groups.take(side).count for side in (members, ~members))
    return OK if fewest >= MIN_GROUPS_OF_A_SIDE else Reason.FEW_GROUPS(MIN_GROUPS_OF_A_SIDE)


def _leaves(factors: Sequence[Factor], error: Flags, rows: Integers) -> list[list[Condition]]:
    """Conditions of every leaf of a tree grown on the given rows."""
    from sklearn.tree import DecisionTreeClassifier

    questions = [question for factor in factors for question in _questions(factor, rows)]
    columns = np.stack([_answers(question, rows) for question in questions], axis=1)
    least = max(MIN_LEAF, int(LEAF_SHARE * rows.size))
    model = DecisionTreeClassifier(max_depth=MAX_DEPTH, min_samples_leaf=least, random_state=0)
    tree: Any = model.fit(columns, error[rows]).tree_
    return _paths(tree, 0, [], questions, columns) if tree.node_count > 1 else []


def _questions(factor: Factor, rows: Integers) -> list[Condition]:
    known = factor.numbers[rows][factor.present[rows]]
    fill = float(np.median(known)) if known.size else 0.0
    if factor.kind == "numeric":
        return [Condition(factor, None, 0.0, True, fill, _single_exponent(known))]
    asked = range(len(factor.categories)) if factor.kind == "categorical" else (1,)
    return [Condition(factor, place, 0.5, True, fill) for place in asked]


def _single_exponent(known: Floats) -> int:
    """Exponent of numbers that single precision can't hold as they are; else 0."""
    exponent = exponent_of(known)
    return exponent if known.any() and abs(exponent) > SINGLE else 0


def _answers(question: Condition, rows: Integers) -> Floats:
    if question.category is not None:
        return question.holds(rows).astype(np.float64)
    values = question.factor.numbers[rows]
    return in_unit(np.where(np.isnan(values), question.fill, values), question.exponent)


def _paths(
    tree: Any, node: int, above: list[Condition], questions: Sequence[Condition], columns: Floats
) -> list[list[Condition]]:
    if tree.children_left[node] < 0:
        return [_merged(above)]
    column = int(tree.feature[node])
    question = questions[column]
    unscaled = in_unit(columns[:, column], -question.exponent)
    threshold = _rounded(float(in_unit(tree.threshold[node], -question.exponent)), unscaled)
    paths = []
    for child, upper in ((tree.children_left[node], False), (tree.children_right[node], True)):
        condition = replace(question, threshold=threshold, above=upper)
        paths += _paths(tree, int(child), [*above, condition], questions, columns)
    return paths


def _rounded(threshold: float, values: Floats) -> float:
    """Return the threshold in as few digits as split the values alike, so that the words can be checked."""
    for digits in range(2, 16):
        short = float(f"{threshold:.{digits}g}")
        if np.array_equal(values > short, values > threshold):
            return short
    return threshold


def _merged(conditions: Sequence[Condition]) -> list[Condition]:
    """Keep, of the conditions on one side of one number, the tightest, in the order of first mention."""
    kept: dict[tuple[str, int | None, bool], Condition] = {}
    for condition in conditions:
        key = (condition.factor.name, condition.category, condition.above)
        tighter = kept.get(key)
        if tighter is None or (condition.threshold > tighter.threshold) == condition.above:
            kept[key] = condition
    return list(kept.values())
