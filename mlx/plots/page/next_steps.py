"""What the page proposes to do next: rules that turn results into steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import pdtrc

from mlx.plots.page.selections import part_query, slice_query
from mlx.plots.report.inputs import AnyReport, ClassificationReport, RegressionReport
from mlx.plots.text import fixed, percent, plural, readable, with_interval
from mlx.results.classification_residuals import FactorEffect
from mlx.results.issues import Issue, IssueKind, IssueMethod
from mlx.results.questions import FactorTarget, Question, Statistic
from mlx.results.recalibration import RecalibratedMetric
from mlx.results.tests import first_test
from mlx.stats.calibrators import Calibrator
from mlx.stats.status import Reason, Status

ALPHA = 0.05
"""Largest p-value, adjusted where there are several tests, of what is claimed."""

MOST_STEPS = 5
GATES = {Reason.FEW_EXPECTED_ERRORS, Reason.FEW_ERRORS}
"""Why an interval is missing that more test samples would give; the number is that of errors."""


@dataclass(frozen=True)
class NextStep:
    """One thing to do.

    Attributes
    ----------
    text
        What was found, and what to do about it.
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
    likely wrong labels), then what can be improved without training (calibration), then causes (factors, slices, groups
    that prediction sets cover too rarely), last what too few samples leave open.
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
            f"It is right less often than its own predictions in random order would be ({percent(accuracy.value)}, "
            f"where these have {percent(by_chance)}): check that labels and probabilities have the classes in one order"
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
        text = f"{which} samples of another part: divide the data anew"
        yield NextStep(text, "a split without repeated samples", "act", numbers)


def _labels(report: AnyReport) -> Iterator[NextStep]:
    """Name likely wrong labels where there are more than flawless data would have by chance."""
    for count in report.residuals.issue_counts:
        if count.kind is not IssueKind.LABEL or count.split != "test" or np.isnan(count.expected):
            continue
        if count.n_issues and pdtrc(count.n_issues - 1, count.expected) <= ALPHA:
            numbers = tuple(issue.index for issue in _issues(report, IssueKind.LABEL))
            text = (
                f"{plural(count.n_issues, 'test sample')} look{'s' * (count.n_issues == 1)} mislabeled, where flawless "
                f"data would have {fixed(count.expected, 1)}: look at them"
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
            change = with_interval(effect.difference, effect.low, effect.high, 3)
            whence = f"from {fixed(effect.before, 3)}"
            text = f"Recalibrating by {effect.calibrator}{how} changes the log loss by {change}, {whence}"
            yield NextStep(text, f"recalibrating by {effect.calibrator}{how}", "unsure")


def _factors(report: ClassificationReport) -> Iterator[NextStep]:
    """Name the part of a factor with the most errors, of the factor with the smallest adjusted p-value."""
    overall = float((~report.samples["correct"]).mean())
    of_errors = [one for one in report.residuals.factors if one.target == FactorTarget.ERROR and not one.bin]
    tested = [one for one in of_errors if one.p_holm <= ALPHA]
    for effect in sorted(tested, key=lambda one: one.p_holm)[:1]:
        bins = [
            one for one in report.residuals.factors if one.factor == effect.factor and one.bin and one.low > overall
        ]
        if bins:
            worst = max(bins, key=lambda one: one.estimate)
            n = len(report.samples)
            rest = (overall * n - worst.estimate * worst.n) / max(1, n - worst.n)
            where = report.plain(_part(worst))
            text = (
                f"Errors are more frequent where {where} ({percent(worst.estimate)} of "
                f"{plural(worst.n, 'sample')}, {percent(rest)} of the others): add such data"
            )
            yield NextStep(text, f"more data where {where}", "why", query=part_query(worst))


def _part(effect: FactorEffect) -> str:
    return f"{readable(effect.factor)} is {readable(effect.bin)}"


def _slices(report: ClassificationReport) -> Iterator[NextStep]:
    """Name the first slice that the half that did not choose it confirms, unless the factor above says the same."""
    named = [step.query.split("=")[0] for step in _factors(report)]
    for one in report.residuals.slices:
        if one.error_rate > one.rest_error_rate and one.p_holm <= ALPHA:
            rest = f"{percent(one.rest_error_rate)} of the others in the half of the samples that tests it"
            share = f"{percent(one.error_rate)} of {plural(one.n, 'sample')}, {rest}"
            where = f"{report.plain(readable(one.description))} ({share})"
            query = slice_query(one.description, report.residuals.sample_factors)
            if [part.split("=")[0] for part in query.split("&")] == named:
                return
            what = "more data like those of the weakest slice"
            yield NextStep(f"It fails most where {where}: add such data", what, "why", query=query)
            return


def _sets(report: AnyReport) -> Iterator[NextStep]:
    """Name the group that prediction sets cover less often than all samples, where that holds after adjustment."""
    groups = [one for one in report.residuals.prediction_sets if one.kind != "all" and one.p_holm <= ALPHA]
    if groups:
        worst = min(groups, key=lambda one: one.coverage)
        covered = f"{percent(worst.coverage)} of {plural(worst.n, 'sample')} of {worst.named}"
        text = (
            f"Prediction sets hold the truth in {covered}, "
            f"where {percent(worst.expected)} are to be expected: calibrate by class, or report them apart"
        )
        yield NextStep(text, "prediction sets calibrated by class", "unsure")


def _too_few(report: ClassificationReport) -> Iterator[NextStep]:
    """Say how many test samples would let an interval be given that too few errors prevent."""
    test = first_test(report.residuals.tests, Question.ERROR_BY_ENTROPY, Statistic.AUROC)
    wrong, n = int((~report.samples["correct"]).sum()), len(report.samples)
    if test is None or not wrong or not np.isnan(test.low):
        return
    why = [one for one in (test.status, *test.status.values) if isinstance(one, Status) and one.reason in GATES]
    if why and (needed := int(str(why[0].values[0]))) > wrong:
        more = plural(int(np.ceil(n * needed / wrong)) - n, "more test sample")
        text = f"Too few mistakes to say whether the model knows them: about {more} would do"
        yield NextStep(text, f"about {more}", "geometry")


RULES: tuple[Callable[[ClassificationReport], Iterator[NextStep]], ...] = (
    _order_of_classes, _leaks, _labels, _recalibrate, _factors, _slices, _sets, _too_few,
)  # fmt: skip
RULES_OF_REGRESSION: tuple[Callable[[RegressionReport], Iterator[NextStep]], ...] = (_leaks, _labels, _sets)
"""In the order in which their steps are shown."""
