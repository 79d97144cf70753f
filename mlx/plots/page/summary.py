"""The first paragraph of the page: what fails, whether the model knows, and what may help.

Nothing is claimed of other samples than these unless an interval or a test holds; a count of these samples is a fact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlx.plots.confusion import confused_pairs
from mlx.plots.page.key_results import CHANCE_LEVEL
from mlx.plots.page.next_steps import ALPHA, NextStep, next_steps
from mlx.plots.report.inputs import AnyReport, ClassificationReport, RegressionReport
from mlx.plots.text import level_text, listed, percent, plural, short_names, significant, thousands, with_interval
from mlx.results.metrics import Estimate
from mlx.results.questions import Question, Statistic
from mlx.results.tests import first_test

MOST_REMEDIES, MOST_PAIRS = 3, 3


def paragraph(report: AnyReport) -> str:
    """Say in plain words how often the model is wrong, on what, whether it knows, how calibrated it is, what helps."""
    if isinstance(report, RegressionReport):
        parts = [_errors_of_regression(report)]
    else:
        parts = [_how_often(report), _which_pair(report), _whether_it_knows(report), _calibration(report)]
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
    accuracy = report.evaluation.metrics.accuracy
    low, high = 1 - accuracy.interval.high, 1 - accuracy.interval.low
    level = level_text(accuracy.interval.level)
    bounds = (
        ""
        if np.isnan(low + high)
        else f"in general, with {level} confidence, between {percent(low)} and {percent(high)}"
    )
    if not wrong:
        return f"The model is right on all {plural(n, 'test sample')}{bounds and f' (wrong {bounds})'}."
    share = "; ".join(filter(None, (percent(wrong / n), bounds)))
    return f"The model is wrong on {thousands(wrong)} of {plural(n, 'test sample')} ({share})."


def _which_pair(report: ClassificationReport) -> str:
    """Name the most frequent confusion of these samples, or at most three that are equally frequent."""
    counts = report.evaluation.confusion
    pairs = confused_pairs(counts, MOST_PAIRS + 1)
    first = [pair for pair in pairs if pair[2] == pairs[0][2]]
    if not first or first[0][2] < 2 or len(first) > MOST_PAIRS:
        return ""
    names, n = short_names(report.class_names), first[0][2]
    which = [f"{names[actual]} for {names[predicted]}" for actual, predicted, _ in first]
    each = " each" * (len(first) > 1)
    share = f"{thousands(n)} of {plural(int(counts.sum() - np.trace(counts)), 'mistake')}{each}"
    return f"Most often it takes {listed(which)} ({share})."


def _whether_it_knows(report: ClassificationReport) -> str:
    test = first_test(report.residuals.tests, Question.ERROR_BY_ENTROPY, Statistic.AUROC)
    wrong = ~report.samples["correct"].to_numpy(bool)
    if wrong.all() or not wrong.any():
        which = "It is never wrong here" if not wrong.any() else "It is never right here"
        return f"{which}, so these samples cannot say whether it is unsure when it is wrong."
    if test is None or np.isnan(test.estimate) or np.isnan(test.low):
        return "There are too few mistakes or too few right predictions to say whether it is unsure when it is wrong."
    auroc = with_interval(test.estimate, test.low, test.high)
    if test.low > CHANCE_LEVEL:
        return f"It tends to be unsure when it is wrong (AUROC of its entropy {auroc}; chance is {CHANCE_LEVEL})."
    if test.high < CHANCE_LEVEL:
        return f"It is surer when it is wrong than when it is right (AUROC of its entropy {auroc})."
    return f"These samples do not show that it is unsure when it is wrong (AUROC of its entropy {auroc})."


def _calibration(report: ClassificationReport) -> str:
    metrics, samples = report.evaluation.metrics, report.samples
    confidence, right = float(samples["confidence"].mean()), float(samples["correct"].mean())
    if np.isnan(metrics.ece_p) or np.isnan(confidence):
        return ""
    numbers = f"{percent(confidence)} confident on average, right in {percent(right)} of cases"
    if metrics.ece_p > ALPHA:
        return f"Its confidence agrees with its accuracy as far as these samples tell: {numbers}."
    expected = f" (a calibrated model would show {percent(metrics.ece_if_calibrated)} with this many samples)"
    expected = expected if np.isfinite(metrics.ece_if_calibrated) else ""
    return f"Its confidence is off by {percent(metrics.ece.value)} on average{expected}: it is {numbers}."


def _errors_of_regression(report: RegressionReport) -> str:
    metrics, n = report.evaluation.metrics, plural(len(report.samples), "test sample")
    r2 = metrics.r2
    mae, rmse = (_with_bounds(one) for one in (metrics.mae, metrics.rmse))
    text = f"On {n} the model is off by {mae} on average (RMSE {rmse})."
    if np.isnan(r2.value) or np.isnan(r2.interval.low):
        return text
    bounds = with_interval(r2.value, r2.interval.low, r2.interval.high)
    if r2.interval.low > 0:
        return f"{text} It explains {percent(r2.value)} of the target's variance (R² {bounds})."
    if r2.interval.high < 0:
        return f"{text} It is worse than predicting the mean (R² {bounds})."
    return f"{text} These samples do not show that it is better than predicting the mean (R² {bounds})."


def _with_bounds(one: Estimate) -> str:
    low, high = one.interval.low, one.interval.high
    known = "" if np.isnan(low + high) else f" [{significant(low)}, {significant(high)}]"
    return f"{significant(one.value)}{known}"
