"""What the geometry of representations says, under the answer: each number with its interval and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from mlx.plots.report.inputs import AnyReport, ClassificationReport, RegressionReport
from mlx.plots.text import PValue, fixed, interval_text, p_text, status_text, with_interval
from mlx.results.questions import PRIMARY, Question, Statistic
from mlx.results.tests import TestResult, first_test

CLAIMS_NOTHING = "without an interval, it says nothing about other samples"
CHANCE_LEVEL = 0.5
"""AUROC of a score that is independent of the errors."""


@dataclass(frozen=True)
class KeyResult:
    """One number: what it is, how it reads, its interval or why there is none (may be empty), and what it says."""

    label: str
    value: str
    interval: str
    sentence: str


def key_results(report: AnyReport) -> list[KeyResult]:
    """Return what the geometry of the representations says, as far as `report` has the numbers for it."""
    if isinstance(report, RegressionReport):
        return []
    found = (_addition(report) or _detection(report), _correlation(report))
    return [result for result in found if result is not None]


def _detection(report: ClassificationReport) -> KeyResult | None:
    score, test = (
        "Low similarity",
        first_test(report.residuals.tests, Question.ERROR_BY_LOW_SIMILARITY, Statistic.AUROC),
    )
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
