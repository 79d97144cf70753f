"""The first paragraph of the page: what fails, whether the model knows, and what may help.

Nothing is claimed of other samples than these unless an interval or a test holds; a count of these samples is a fact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlx.plots.confusion import confused_pairs
from mlx.plots.page.key_results import CHANCE_LEVEL
from mlx.plots.page.next_steps import ALPHA, MOST_CLASSES, NextStep, next_steps
from mlx.plots.page.weak_classes import weak_classes
from mlx.plots.report.inputs import AnyReport, ClassificationReport, RegressionReport
from mlx.plots.text import fixed, interval_text, listed, percent, plural, quoted_names, significant, thousands
from mlx.results.metrics import Estimate
from mlx.results.questions import Question, Statistic
from mlx.results.tests import first_test

MOST_REMEDIES, MOST_PAIRS = 3, 3


def paragraph(report: AnyReport) -> str:
    """Say in plain words how often the model is wrong, on what, whether it knows, how calibrated it is, what helps."""
    if isinstance(report, RegressionReport):
        parts = [_errors_of_regression(report)]
    else:
        said = (_how_often, _which_classes, _which_pair, _whether_it_knows, _calibration)
        parts = [sentence(report) for sentence in said]
    return " ".join(filter(None, (*parts, _what_would_help(next_steps(report)))))


def _what_would_help(steps: Sequence[NextStep]) -> str:
    """Name at most three remedies of the next steps, in their order."""
    remedies = list(dict.fromkeys(step.remedy for step in steps))[:MOST_REMEDIES]
    if not remedies:
        return "Nothing that was tested points to what would help."
    *others, last = remedies
    return f"What may help: {'; '.join(others)}{'; or ' * bool(others)}{last}."


def _how_often(report: ClassificationReport) -> str:
    n, wrong = len(report.samples), int((~report.samples["correct"]).sum())
    interval = report.evaluation.metrics.accuracy.interval
    bounds = interval_text(1 - interval.high, 1 - interval.low, interval.level, percent)
    if not wrong:
        return f"The model is right on all {plural(n, 'test sample')}{bounds and f' (errors in general: {bounds})'}."
    share = ", ".join(filter(None, (percent(wrong / n), bounds)))
    return f"The model is wrong on {thousands(wrong)} of {plural(n, 'test sample')} ({share})."


def _which_classes(report: ClassificationReport) -> str:
    """Name the classes that fail more often than the others, at most three, where tests say so."""
    found, names = weak_classes(report, ALPHA), quoted_names(report.class_names)
    if not found:
        return ""
    if len(found) == 1:
        one, others = found[0], "the others" if len(names) > 2 else "the other"
        rest = f"against {thousands(one.n_errors_rest)} of {thousands(one.n_rest)}, {percent(one.rest_error_rate)}"
        shares = f"({percent(one.error_rate)}, {rest}, of {others})"
        wrong = f"{thousands(one.n_errors)} of {thousands(one.n)}"
        return f"Class {names[one.label]} fails more often than {others}: {wrong} samples {shares}."
    shares = listed([f"{names[one.label]} ({one.shares})" for one in found[:MOST_CLASSES]])
    if len(found) > MOST_CLASSES:
        return f"{thousands(len(found))} classes fail more often than the others, among them {shares}."
    return f"Classes {shares} fail more often than the others."


def _which_pair(report: ClassificationReport) -> str:
    """Name the most frequent confusion of these samples, or at most three that are equally frequent."""
    counts = report.evaluation.confusion
    pairs = confused_pairs(counts, MOST_PAIRS + 1)
    first = [pair for pair in pairs if pair[2] == pairs[0][2]]
    if not first or first[0][2] < 2 or len(first) > MOST_PAIRS:
        return ""
    names, n = quoted_names(report.class_names), first[0][2]
    which = listed([f"true {names[actual]} predicted as {names[predicted]}" for actual, predicted, _ in first])
    mistakes = plural(int(counts.sum() - np.trace(counts)), "mistake")
    if len(first) > 1:
        return f"The most frequent mistakes are {which} ({thousands(n)} of {mistakes} each)."
    return f"The most frequent mistake is {which} ({thousands(n)} of {mistakes})."


def _whether_it_knows(report: ClassificationReport) -> str:
    test = first_test(report.residuals.tests, Question.ERROR_BY_ENTROPY, Statistic.AUROC)
    wrong = ~report.samples["correct"].to_numpy(bool)
    if wrong.all() or not wrong.any():
        which = "It is never wrong here" if not wrong.any() else "It is never right here"
        return f"{which}, so these samples cannot say whether it is unsure when it is wrong."
    if test is None or np.isnan(test.estimate) or np.isnan(test.low):
        return "There are too few mistakes or too few right predictions to say whether it is unsure when it is wrong."
    bounds = interval_text(test.low, test.high, test.confidence)
    auroc = f"AUROC of its entropy {fixed(test.estimate)}, {bounds}; chance is {CHANCE_LEVEL}"
    if test.low > CHANCE_LEVEL:
        return f"It tends to be unsure when it is wrong ({auroc})."
    if test.high < CHANCE_LEVEL:
        return f"It is less unsure when it is wrong than when it is right ({auroc})."
    return f"These samples do not show that it is unsure when it is wrong ({auroc})."


def _calibration(report: ClassificationReport) -> str:
    metrics, samples = report.evaluation.metrics, report.samples
    confidence, right = float(samples["confidence"].mean()), float(samples["correct"].mean())
    if np.isnan(metrics.ece_p) or np.isnan(confidence):
        return ""
    numbers = f"mean confidence {percent(confidence)}, accuracy {percent(right)}"
    if metrics.ece_p > ALPHA:
        return f"Its confidence agrees with its accuracy as far as these samples tell ({numbers})."
    calibrated = f"; a calibrated model would be off by {_points(metrics.ece_if_calibrated)} with this many samples"
    calibrated = calibrated if np.isfinite(metrics.ece_if_calibrated) else ""
    return f"Its confidence is off by {_points(metrics.ece.value)} on average ({numbers}{calibrated})."


def _points(share: float) -> str:
    return f"{fixed(100 * share, 1)} percentage points"


def _errors_of_regression(report: RegressionReport) -> str:
    metrics, n = report.evaluation.metrics, plural(len(report.samples), "test sample")
    r2, interval = metrics.r2, metrics.r2.interval
    rmse = ", ".join(filter(None, (f"RMSE {significant(metrics.rmse.value)}", _bounds(metrics.rmse))))
    about = "; ".join(filter(None, (_bounds(metrics.mae), rmse)))
    text = f"The model is off by {significant(metrics.mae.value)} on average over {n} ({about})."
    if np.isnan(r2.value) or np.isnan(interval.low):
        return text
    bounds = f"R² {fixed(r2.value)}, {interval_text(interval.low, interval.high, interval.level)}"
    if interval.low > 0:
        return f"{text} It explains {percent(r2.value)} of the target's variance ({bounds})."
    if interval.high < 0:
        return f"{text} It is worse than predicting the mean ({bounds})."
    return f"{text} These samples do not show that it is better than predicting the mean ({bounds})."


def _bounds(one: Estimate) -> str:
    return interval_text(one.interval.low, one.interval.high, one.interval.level, significant)
