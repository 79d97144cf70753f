"""What the page proposes to do next: rules that turn results into steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import pdtrc

from mlx.plots.page.in_words import part_in_words, slice_in_words
from mlx.plots.page.selections import mistakes_query, part_query, samples_query, slice_query
from mlx.plots.page.weak_classes import weak_classes
from mlx.plots.report.inputs import AnyReport, ClassificationReport, RegressionReport
from mlx.plots.text import (
    fixed,
    interval_text,
    listed,
    of_all,
    percent,
    plural,
    quoted_names,
    readable,
    significant,
    thousands,
)
from mlx.results.classification_residuals import FactorEffect
from mlx.results.issues import Issue, IssueKind, IssueMethod
from mlx.results.prediction_sets import Looked, SetCoverage
from mlx.results.questions import FactorTarget, Question, Statistic
from mlx.results.recalibration import RecalibratedMetric
from mlx.results.tests import first_test
from mlx.stats.calibrators import Calibrator
from mlx.stats.status import Reason, Status

ALPHA = 0.05
"""Largest p-value, adjusted where there are several tests, of what is claimed."""

MOST_STEPS, MOST_CLASSES = 5, 3
GATES = {Reason.FEW_EXPECTED_ERRORS, Reason.FEW_ERRORS}
"""Why an interval is missing that more test samples would give; the number is that of errors."""


@dataclass(frozen=True)
class NextStep:
    """One thing to do.

    Attributes
    ----------
    text
        What to do, in the imperative, and what was found.
    remedy
        What would help, in a few words.
    section
        Of the page, that shows it.
    samples
        Numbers of test samples that a link selects; empty where it is about none in particular.
    query
        What a link selects by conditions, as `mlx.plots.page.selections` writes it.
    """

    text: str
    remedy: str
    section: str
    samples: tuple[int, ...] = ()
    query: str = ""


def next_steps(report: AnyReport) -> list[NextStep]:
    """Return at most five things to do.

    First what makes the numbers themselves wrong (classes in another order, test samples that are also trained on,
    likely wrong labels), then what can be improved without training (calibration), then causes (classes, factors,
    slices, groups that prediction sets cover too rarely), last what too few samples leave open.
    """
    if isinstance(report, RegressionReport):
        found = [step for rule in RULES_OF_REGRESSION for step in rule(report)]
    else:
        found = [step for rule in RULES for step in rule(report)]
    return found[:MOST_STEPS]


def _order_of_classes(report: ClassificationReport) -> Iterator[NextStep]:
    """Name an accuracy below that of the same predictions in another order: classes are likely mixed up."""
    counts, accuracy = report.evaluation.confusion, report.evaluation.metrics.accuracy
    by_chance = float(counts.sum(axis=0) @ counts.sum(axis=1)) / float(counts.sum()) ** 2
    if accuracy.interval.high < by_chance:
        text = (
            "Check that labels and probabilities have the classes in one order: the model is right on "
            f"{percent(accuracy.value)} of the samples, its own predictions in random order would be on "
            f"{percent(by_chance)}"
        )
        yield NextStep(text, "checking the order of the classes", "wrong")


def _issues(report: AnyReport, kind: IssueKind) -> list[Issue]:
    return [issue for issue in report.residuals.issues if issue.kind is kind and issue.split == "test"]


def _leaks(report: AnyReport) -> Iterator[NextStep]:
    """Name test samples that are exactly those of another part."""
    leaks = [issue for issue in _issues(report, IssueKind.LEAK) if issue.method is not IssueMethod.NEAR]
    if leaks:
        numbers = tuple(dict.fromkeys(issue.index for issue in leaks))
        which = f"{plural(len(numbers), 'test sample')} repeat{'s' * (len(numbers) == 1)}"
        text = f"Divide the data anew: {which} samples of another part"
        query = samples_query(report, leaks) if report.others else ""
        yield NextStep(text, "a split without repeated samples", "act", numbers, query)


def _labels(report: AnyReport) -> Iterator[NextStep]:
    """Name likely wrong labels where there are more than flawless data would have by chance."""
    for count in report.residuals.issue_counts:
        if count.kind is not IssueKind.LABEL or count.split != "test" or np.isnan(count.expected):
            continue
        if count.n_issues and pdtrc(count.n_issues - 1, count.expected) <= ALPHA:
            numbers = tuple(issue.index for issue in _issues(report, IssueKind.LABEL))
            one = count.n_issues == 1
            text = (
                f"Check the label{'s' * (not one)} of {plural(count.n_issues, 'test sample')} that look{'s' * one} "
                f"mislabeled; flawless data would have {fixed(count.expected, 1)}"
            )
            yield NextStep(text, f"checking {plural(count.n_issues, 'label')}", "act", numbers)


def _recalibrate(report: ClassificationReport) -> Iterator[NextStep]:
    """Propose the chosen calibrator where it lowers the log loss of these samples."""
    if report.evaluation.recalibration is None:
        return
    for effect in report.evaluation.recalibration.effects:
        is_log_loss = effect.metric is RecalibratedMetric.LOG_LOSS
        if effect.chosen and effect.calibrator is not Calibrator.NONE and is_log_loss and effect.high < 0:
            how = f" (T = {fixed(effect.temperature)})" if np.isfinite(effect.temperature) else ""
            level = report.evaluation.metrics.confidence
            bounds = interval_text(effect.low, effect.high, level, partial(fixed, digits=3))
            text = (
                f"Recalibrate by {effect.calibrator}{how}: the log loss changes from {fixed(effect.before, 3)} by "
                f"{fixed(effect.difference, 3)} ({bounds})"
            )
            yield NextStep(text, f"recalibrating by {effect.calibrator}{how}", "unsure")


def _classes(report: ClassificationReport) -> Iterator[NextStep]:
    """Name the classes that fail more often than the others."""
    found, names = weak_classes(report, ALPHA), quoted_names(report.class_names)
    if not found:
        return
    first = found[:MOST_CLASSES]
    which = listed([names[one.label] for one in first])
    if len(found) == 1:
        others = "the other classes" if len(names) > 2 else "the other class"
        rest = f"{of_all(found[0].n_errors_rest, found[0].n_rest)} of {others}"
        text = f"Add samples of class {which}: {of_all(found[0].n_errors, found[0].n)} are wrong, against {rest}"
    else:
        shares = [f"{names[one.label]} ({one.shares})" for one in first]
        more = f" and {len(found) - len(first)} more" if len(found) > len(first) else ""
        text = f"Add samples of the classes that fail more often than the others: {listed(shares)}{more}"
    what = f"more data of class{'es' * (len(first) > 1)} {which}"
    yield NextStep(text, what, "wrong", query=mistakes_query(found[0].label) if len(found) == 1 else "")


def _worst_part(report: AnyReport, target: FactorTarget, overall: float) -> FactorEffect | None:
    """Return the part with the highest mean of the factor with the smallest adjusted p-value; None without a claim."""
    factors = [one for one in report.residuals.factors if one.target == target]
    tested = [one for one in factors if not one.bin and one.p_holm <= ALPHA]
    if not tested:
        return None
    first = min(tested, key=lambda one: one.p_holm)
    parts = [one for one in factors if one.factor == first.factor and one.bin and one.low > overall]
    return max(parts, key=lambda one: one.estimate, default=None)


def _factors(report: ClassificationReport) -> Iterator[NextStep]:
    """Name the part of a factor with the most errors."""
    n, wrong = len(report.samples), int((~report.samples["correct"]).sum())
    if (part := _worst_part(report, FactorTarget.ERROR, wrong / n)) is None:
        return
    errors = round(part.estimate * part.n)
    shares = f"{of_all(errors, part.n)} are wrong, against {of_all(wrong - errors, n - part.n)} of the other samples"
    where = part_in_words(report, part)
    short = report.plain(f"{part.factor} is {readable(part.bin)}")
    yield NextStep(f"Add samples where {where}: {shares}", f"more data where {short}", "why", query=part_query(part))


def _slices(report: ClassificationReport) -> Iterator[NextStep]:
    """Name the first slice that the half that did not choose it confirms, unless the factor above says the same."""
    for one in report.residuals.slices:
        if one.error_rate > one.rest_error_rate and one.p_holm <= ALPHA:
            rest = of_all(round(one.rest_error_rate * one.n_rest), one.n_rest)
            shares = f"{of_all(one.n_errors, one.n)} are wrong, against {rest} outside these conditions"
            yield from _of_slice(report, one.description, shares, _factors(report))
            return


def _of_slice(report: AnyReport, description: str, shares: str, of_factors: Iterator[NextStep]) -> Iterator[NextStep]:
    query = slice_query(description, report.residuals.sample_factors)
    if [part.split("=")[0] for part in query.split("&")] == [step.query.split("=")[0] for step in of_factors]:
        return
    text = (
        f"Add samples where {slice_in_words(report, description)}: found on one half of the test samples, checked on "
        f"the other: {shares}"
    )
    yield NextStep(text, "more data under the conditions that fail most (below)", "why", query=query)


def _large_factors(report: RegressionReport) -> Iterator[NextStep]:
    """Name the part of a factor with the largest mean absolute error."""
    size = report.samples["residual"].abs()
    n, overall = len(size), float(size.mean())
    if (part := _worst_part(report, FactorTarget.ABS_RESIDUAL, overall)) is None:
        return
    rest = (overall * n - part.estimate * part.n) / max(1, n - part.n)
    means = (
        f"{significant(part.estimate)} over {plural(part.n, 'sample')}, {significant(rest)} over the other {n - part.n}"
    )
    where = part_in_words(report, part)
    short = report.plain(f"{part.factor} is {readable(part.bin)}")
    text = f"Add samples where {where}: the mean absolute error is {means}"
    yield NextStep(text, f"more data where {short}", "why", query=part_query(part))


def _large_slices(report: RegressionReport) -> Iterator[NextStep]:
    """Name the first slice with larger errors that the half that did not choose it confirms."""
    for one in report.residuals.slices:
        if one.abs_residual_mean > one.rest_abs_residual_mean and one.p_holm <= ALPHA:
            means = f"{significant(one.abs_residual_mean)} over {plural(one.n, 'sample')}"
            rest = f"{significant(one.rest_abs_residual_mean)} over the other {thousands(one.n_rest)}"
            shares = f"the mean absolute error is {means}, {rest}"
            yield from _of_slice(report, one.description, shares, _large_factors(report))
            return


def _sets(report: AnyReport) -> Iterator[NextStep]:
    """Name the group that prediction sets cover less often than all samples, where that holds after adjustment."""
    groups = [one for one in report.residuals.prediction_sets if one.kind is not Looked.ALL and one.p_holm <= ALPHA]
    if groups:
        worst = min(groups, key=lambda one: one.coverage)
        by_class = worst.kind is Looked.CLASS
        which = _samples_of(report, worst)
        action = "Calibrate prediction sets by class" if by_class else f"Report the prediction sets of {which} apart"
        text = (
            f"{action}: they hold the truth in {percent(worst.coverage)} of {plural(worst.n, 'sample')}"
            f"{f' of class “{worst.subject}”' if by_class else ''}, where {percent(worst.expected)} are to be expected"
        )
        what = "prediction sets calibrated by class" if by_class else "prediction sets reported by group"
        yield NextStep(text, what, "unsure")


def _samples_of(report: AnyReport, group: SetCoverage) -> str:
    """Return the samples of a group in words."""
    if group.kind is Looked.FACTOR:
        return f"samples where {report.plain(readable(group.subject))} is {readable(group.bin)}"
    if group.kind is Looked.SLICE:
        return f"samples where {report.plain(readable(group.subject))}"
    return f"samples predicted as “{group.subject}”"


def _too_few(report: ClassificationReport) -> Iterator[NextStep]:
    """Say how many test samples would let an interval be given that too few errors prevent."""
    test = first_test(report.residuals.tests, Question.ERROR_BY_ENTROPY, Statistic.AUROC)
    wrong, n = int((~report.samples["correct"]).sum()), len(report.samples)
    if test is None or not wrong or not np.isnan(test.low):
        return
    why = [one for one in (test.status, *test.status.values) if isinstance(one, Status) and one.reason in GATES]
    if why and (needed := int(str(why[0].values[0]))) > wrong:
        more = plural(int(np.ceil(n * needed / wrong)) - n, "more test sample")
        text = f"Collect about {more}: there are too few mistakes to say whether the model knows them"
        yield NextStep(text, f"about {more}", "geometry")


RULES: tuple[Callable[[ClassificationReport], Iterator[NextStep]], ...] = (
    _order_of_classes, _leaks, _labels, _recalibrate, _classes, _factors, _slices, _sets, _too_few,
)  # fmt: skip
RULES_OF_REGRESSION: tuple[Callable[[RegressionReport], Iterator[NextStep]], ...] = (
    _leaks, _labels, _large_factors, _large_slices, _sets,
)  # fmt: skip
"""In the order in which their steps are shown."""
