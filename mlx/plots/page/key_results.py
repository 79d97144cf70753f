"""The numbers at the top of a report, each with its interval and a sentence in plain language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlx.plots.page.estimate import Estimate
from mlx.plots.report.inputs import AnyReport, ClassificationReport, RegressionReport
from mlx.plots.text import fixed, p_text, percent, plural, readable, significant, thousands
from mlx.results.classification_residuals import Slice
from mlx.results.tests import Question, first_test

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
            _detection(report, Question.ERROR_BY_LOW_SIMILARITY, "Low similarity"),
            _correlation(report),
            _calibration(report),
            _slice(report),
        ]
    return [result for result in found if result is not None]


def _accuracy(report: ClassificationReport) -> KeyResult:
    n, wrong = len(report.samples), int((~report.samples["correct"]).sum())
    metrics = report.evaluation.metrics
    accuracy = Estimate.of_metric(metrics.accuracy, metrics.confidence)
    sentence = f"{thousands(wrong)} of {plural(n, 'test sample')} {'is' if wrong == 1 else 'are'} misclassified."
    return KeyResult("Accuracy", percent(accuracy.value), accuracy.interval(percent), sentence)


def _calibration(report: ClassificationReport) -> KeyResult | None:
    metrics, samples = report.evaluation.metrics, report.samples
    confidence, accuracy = float(samples["confidence"].mean()), float(samples["correct"].mean())
    if np.isnan(confidence):
        return None
    sentence = f"The model is {percent(confidence)} confident on average and right in {percent(accuracy)} of cases."
    sentence += f" A calibrated model would show {percent(metrics.ece_if_calibrated)} with this many samples."
    return KeyResult("Calibration error", percent(metrics.ece), "", sentence)


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
    test = first_test(report.residuals.tests, question, "auroc")
    if test is None or np.isnan(test.estimate):
        return None
    auroc = Estimate.of_test(test, report.residuals_metrics["confidence"])
    label, bounds = f"{score} and mistakes", auroc.interval()
    if not auroc.has_interval:
        sentence = f"{score} ranks these wrong predictions with AUROC {auroc}; {CLAIMS_NOTHING}."
        return KeyResult(label, "not known", bounds, sentence)
    if auroc.low > CHANCE_LEVEL:
        label = f"{score} detects mistakes"
        sentence = f"{score} detects wrong predictions with AUROC {auroc}; chance is {CHANCE_LEVEL}."
    else:
        sentence = (
            f"{score} ranks wrong predictions with AUROC {auroc}, which does not show that it beats chance, "
            f"{CHANCE_LEVEL}."
        )
    return KeyResult(label, f"AUROC {fixed(auroc.value)}", bounds, sentence)


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
        f"Error rate where {where}, {n} samples; {rest} for all others (Holm-adjusted {p_text(shown.p_holm)}{chance})."
    )
    error = Estimate(shown.error_rate, shown.low, shown.high, report.residuals_metrics["confidence"], status="")
    return KeyResult("Weakest slice", rate, error.interval(percent), sentence)


def _slice_to_show(slices: Sequence[Slice]) -> Slice:
    """Return the first slice that the other half confirms; the first of all where it confirms none."""
    worse = (one for one in slices if one.error_rate > one.rest_error_rate)
    return next((one for one in worse if one.p_holm <= ALPHA), slices[0])


def _correlation(report: ClassificationReport) -> KeyResult | None:
    test = report.correlation("pearson")
    r = Estimate.of_test(test, report.residuals_metrics["confidence"])
    if np.isnan(r.value):
        return None
    label, value = "Similarity and entropy", f"r = {fixed(r.value)}"
    if not r.has_interval:
        sentence = f"In these samples similarity and entropy have {value}; {CLAIMS_NOTHING}."
        return KeyResult(label, "not known", r.interval(), sentence)
    if r.high < 0:
        says = "Samples dissimilar to those predicted alike tend to be uncertain"
    elif r.low > 0:
        says = "Samples similar to those predicted alike tend to be uncertain"
    else:
        says = "These samples do not show that uncertainty depends on the similarity to samples predicted alike"
    return KeyResult(label, value, r.interval(), f"{says} (permutation {p_text(test.p)}).")


def _errors(report: RegressionReport) -> list[KeyResult]:
    n, metrics = plural(len(report.samples), "test sample"), report.evaluation.metrics
    errors = (
        ("RMSE", metrics.rmse, f"Root mean square error on {n}, in target units."),
        ("MAE", metrics.mae, "Mean absolute error, in target units."),
    )
    found = [(label, Estimate.of_metric(error, metrics.confidence), text) for label, error, text in errors]
    return [
        KeyResult(label, significant(error.value), error.interval(significant), text)
        for label, error, text in found
        if np.isfinite(error.value)
    ]


def _explained_variance(report: RegressionReport) -> KeyResult | None:
    metrics = report.evaluation.metrics
    r2 = Estimate.of_metric(metrics.r2, metrics.confidence)
    if not np.isfinite(r2.value):
        return None
    value = significant(r2.value)
    if not r2.has_interval:
        sentence = f"These samples have R² = {value}; {CLAIMS_NOTHING}."
        return KeyResult("R²", "not known", r2.interval(), sentence)
    if r2.low > 0:
        sentence = f"{percent(r2.value)} of the target's variance is explained."
    elif r2.high < 0:
        sentence = "Worse than predicting the mean."
    else:
        sentence = "These samples do not show that it beats predicting the mean."
    return KeyResult("R²", value, r2.interval(significant), sentence)
