"""The numbers at the top of a report, each with its interval and a sentence in plain language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from mlx.plots.report.inputs import AnyReport, ClassificationReport, RegressionReport
from mlx.plots.text import (
    PValue,
    fixed,
    interval_text,
    p_text,
    percent,
    plural,
    readable,
    significant,
    status_text,
    thousands,
    with_interval,
)
from mlx.results.classification_residuals import Slice
from mlx.results.metrics import Estimate
from mlx.results.questions import PRIMARY, Question, Statistic
from mlx.results.tests import TestResult, first_test

CLAIMS_NOTHING = "without an interval, it says nothing about other samples"
CHANCE_LEVEL = 0.5
"""AUROC of a score that is independent of the errors."""

ALPHA = 0.05
"""Adjusted p-value above which a sentence says that a difference may be chance."""


@dataclass(frozen=True)
class KeyResult:
    """One number: what it is, how it reads, its interval or why there is none (may be empty), and what it says."""

    label: str
    value: str
    interval: str
    sentence: str


def key_results(report: AnyReport) -> list[KeyResult]:
    """Return the key results that `report` has the numbers for, at most six."""
    if isinstance(report, RegressionReport):
        found = [_explained_variance(report), *_errors(report)]
    else:
        found = [
            _accuracy(report),
            _detection(report, Question.ERROR_BY_ENTROPY, "Entropy") or _entropy(report),
            _addition(report) or _detection(report, Question.ERROR_BY_LOW_SIMILARITY, "Low similarity"),
            _correlation(report),
            _calibration(report),
            _slice(report),
        ]
    return [result for result in found if result is not None]


def _of_metric(label: str, metric: Estimate, write: Callable[[float], str], sentence: str) -> KeyResult:
    ends = metric.interval
    bounds = interval_text(ends.low, ends.high, ends.level, write) or status_text(metric.status)
    return KeyResult(label, write(metric.value), bounds, sentence)


def _accuracy(report: ClassificationReport) -> KeyResult:
    n, wrong = len(report.samples), int((~report.samples["correct"]).sum())
    sentence = f"{thousands(wrong)} of {plural(n, 'test sample')} {'is' if 1 in {n, wrong} else 'are'} misclassified."
    return _of_metric("Accuracy", report.evaluation.metrics.accuracy, percent, sentence)


def _calibration(report: ClassificationReport) -> KeyResult | None:
    metrics, samples = report.evaluation.metrics, report.samples
    confidence, accuracy = float(samples["confidence"].mean()), float(samples["correct"].mean())
    if np.isnan(metrics.ece.value) or np.isnan(confidence):
        return None
    sentence = f"The model is {percent(confidence)} confident on average and right in {percent(accuracy)} of cases."
    if np.isfinite(metrics.ece_if_calibrated):
        sentence += f" A calibrated model would show {percent(metrics.ece_if_calibrated)} with this many samples."
    return _of_metric("Calibration error", metrics.ece, percent, sentence)


def _entropy(report: ClassificationReport) -> KeyResult | None:
    samples = report.samples
    known = samples[np.isfinite(samples["entropy"])]
    right, wrong = (known.loc[known["correct"] == correct, "entropy"] for correct in (True, False))
    if not len(right) or not len(wrong):
        return None
    sentence = (
        f"Median entropy of these wrong predictions, compared with {significant(right.median(), 2)} nats for the "
        f"correct ones; {CLAIMS_NOTHING}."
    )
    return KeyResult("Entropy when wrong", f"{significant(wrong.median(), 2)} nats", "", sentence)


def _detection(report: ClassificationReport, question: Question, score: str) -> KeyResult | None:
    test = first_test(report.residuals.tests, question, Statistic.AUROC)
    if test is None or np.isnan(test.estimate):
        return None
    auroc, bounds = with_interval(test.estimate, test.low, test.high), _bounds(test)
    label = f"{score} and mistakes"
    if np.isnan(test.low):
        sentence = f"{score} ranks these wrong predictions with AUROC {auroc}; {CLAIMS_NOTHING}."
        return KeyResult(label, "not known", bounds, sentence)
    if test.low > CHANCE_LEVEL:
        label = f"{score} detects mistakes"
        sentence = f"{score} detects wrong predictions with AUROC {auroc}; chance is {CHANCE_LEVEL}."
    else:
        sentence = (
            f"{score} ranks wrong predictions with AUROC {auroc}, which does not show that it beats chance, "
            f"{CHANCE_LEVEL}."
        )
    return KeyResult(label, f"AUROC {fixed(test.estimate)}", bounds, sentence)


def _addition(report: ClassificationReport) -> KeyResult | None:
    """Say whether geometry adds to the softmax, where that was tested."""
    test = first_test(report.residuals.tests, Question.GEOMETRY_ADDS, Statistic.AUROC_DIFFERENCE)
    if test is None or np.isnan(test.low):
        return None
    value = f"{'+' if test.estimate > 0 else ''}{fixed(test.estimate, 3)} AUROC"
    if test.low > 0:
        says = "Scores of geometry together with the maximum probability rank errors better than this alone"
    elif test.high < 0:
        says = (
            "Scores of geometry, weighted on validation samples, rank errors worse than the maximum probability alone"
        )
    else:
        says = "These samples do not show that geometry ranks errors better than the maximum probability alone"
    bounds = interval_text(test.low, test.high, test.confidence, partial(fixed, digits=3))
    return KeyResult("Geometry beside the softmax", value, bounds, f"{says} ({p_text(PValue(test.p, False))}).")


def _slice(report: ClassificationReport) -> KeyResult | None:
    if not report.residuals.slices:
        return None
    shown = _slice_to_show(report.residuals.slices)
    if np.isnan(shown.error_rate) or np.isnan(shown.rest_error_rate):
        return None
    where, n = readable(shown.description), thousands(shown.n)
    rate, rest = percent(shown.error_rate), percent(shown.rest_error_rate)
    if shown.error_rate <= shown.rest_error_rate:  # the worst slice of one half need not be worse on the other half
        sentence = (
            f"The worst slice of one half of the test samples, {where}, has an error rate of {rate} in {n} samples of "
            f"the other half; all other samples have {rest}."
        )
        return KeyResult("Weak slices", "none confirmed", "", sentence)
    chance = "" if shown.p_holm <= ALPHA else "; this may be chance"
    sentence = (
        f"Error rate where {where}, {n} samples of the half that tests it; {rest} for its others (Holm-adjusted "
        f"{p_text(shown.p_holm)}{chance})."
    )
    bounds = interval_text(shown.low, shown.high, report.residuals_metrics["confidence"], percent)
    return KeyResult("Weakest slice", rate, bounds, sentence)


def _slice_to_show(slices: Sequence[Slice]) -> Slice:
    """Return the first slice that the other half confirms; the first of all where it confirms none."""
    worse = (one for one in slices if one.error_rate > one.rest_error_rate)
    return next((one for one in worse if one.p_holm <= ALPHA), slices[0])


def _correlation(report: ClassificationReport) -> KeyResult | None:
    test = first_test(report.residuals.tests, PRIMARY[0], PRIMARY[1], scope=PRIMARY[2])
    if test is None or np.isnan(test.estimate):
        return None
    label, value, bounds = (
        "Similarity and entropy within predicted classes",
        f"r = {fixed(test.estimate)}",
        _bounds(test),
    )
    if np.isnan(test.low):
        sentence = f"Within predicted classes, similarity and entropy have {value} in these samples; {CLAIMS_NOTHING}."
        return KeyResult(label, "not known", bounds, sentence)
    if test.high < 0:
        says = "Samples dissimilar to others of their predicted class tend to be uncertain"
    elif test.low > 0:
        says = "Samples similar to others of their predicted class tend to be uncertain"
    else:
        says = "These samples do not show that uncertainty depends on the similarity to others of the predicted class"
    return KeyResult(label, value, bounds, f"{says} (the primary test; {p_text(PValue(test.p, test.p_at_floor))}).")


def _bounds(test: TestResult) -> str:
    return "; ".join(filter(None, (interval_text(test.low, test.high, test.confidence), status_text(test.status))))


def _errors(report: RegressionReport) -> list[KeyResult]:
    metrics, n = report.evaluation.metrics, plural(len(report.samples), "test sample")
    return [
        _of_metric("RMSE", metrics.rmse, significant, f"Root mean square error on {n}, in target units."),
        _of_metric("MAE", metrics.mae, significant, "Mean absolute error, in target units."),
    ]


def _explained_variance(report: RegressionReport) -> KeyResult | None:
    r2 = report.evaluation.metrics.r2
    if np.isnan(r2.value):
        return None
    if np.isnan(r2.interval.low):
        sentence = f"These samples have R² = {significant(r2.value)}; {CLAIMS_NOTHING}."
        return KeyResult("R²", "not known", status_text(r2.status), sentence)
    if r2.interval.low > 0:
        sentence = f"{percent(r2.value)} of the target's variance is explained."
    elif r2.interval.high < 0:
        sentence = "Worse than predicting the mean."
    else:
        sentence = "These samples do not show that it beats predicting the mean."
    return _of_metric("R²", r2, significant, sentence)
