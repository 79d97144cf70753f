"""What the geometry of representations says, under the answer: each number with its interval and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from mlx.plots.report.inputs import AnyReport, ClassificationReport, RegressionReport
from mlx.plots.text import PValue, fixed, interval_text, p_text, status_text, with_interval
from mlx.results.failure_scores import COMBINATION, MAXIMUM_PROBABILITY, FailureScore
from mlx.results.questions import PRIMARY, Question, Statistic
from mlx.results.tests import TestResult, first_test
from mlx.stats.status import Reason, Status

CLAIMS_NOTHING = "without an interval, it says nothing about other samples"
ALPHA = 0.05
"""Largest adjusted p-value of a difference that is claimed."""

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
    """Say how well low similarity ranks the mistakes, beside the model's own maximum probability where both have it."""
    test = first_test(report.residuals.tests, Question.ERROR_BY_LOW_SIMILARITY, Statistic.AUROC)
    if test is None or np.isnan(test.estimate):
        return None
    label, auroc = "Low similarity and mistakes", with_interval(test.estimate, test.low, test.high)
    if np.isnan(test.low):
        sentence = f"Low similarity ranks these wrong predictions with AUROC {auroc}; {CLAIMS_NOTHING}."
        return KeyResult(label, "not known", _bounds(test), sentence)
    if test.low > CHANCE_LEVEL:
        label = "Low similarity detects mistakes"
        sentence = f"Low similarity detects wrong predictions with AUROC {auroc}; chance is {CHANCE_LEVEL}."
    else:
        sentence = (
            f"Low similarity ranks wrong predictions with AUROC {auroc}, which does not show that it beats chance, "
            f"{CHANCE_LEVEL}."
        )
    sentence = " ".join(filter(None, (sentence, _compared(report), _no_weight(report))))
    return KeyResult(label, f"AUROC {fixed(test.estimate)}", _bounds(test), sentence)


def _compared(report: ClassificationReport) -> str:
    """Compare low similarity with the maximum probability; empty where that was not tested."""
    ours, own = _score(report, "similarity"), _score(report, MAXIMUM_PROBABILITY)
    if ours is None or own is None or np.isnan(ours.difference_low):
        return ""
    than = f"the model's own maximum probability, AUROC {fixed(own.auroc)}"
    bounds = interval_text(ours.difference_low, ours.difference_high, ours.confidence)
    numbers = f"difference {fixed(ours.difference)}, {bounds}, Holm-adjusted {p_text(ours.p_holm)}"
    if ours.p_holm > ALPHA or np.isnan(ours.p_holm):
        return f"It is not shown to be better or worse than {than} ({numbers})."
    return f"It is {'better' if ours.difference > 0 else 'worse'} than {than} ({numbers})."


def _score(report: ClassificationReport, name: str) -> FailureScore | None:
    """Return a score of the outputs, or of the first layer; None where there is none."""
    return next((one for one in report.residuals.scores if one.score == name and one.layer in {"", report.layer}), None)


def _no_weight(report: ClassificationReport) -> str:
    test = first_test(report.residuals.tests, Question.GEOMETRY_ADDS, Statistic.AUROC_DIFFERENCE)
    known = () if test is None else (test.status, *test.status.values)
    if not any(isinstance(one, Status) and one.reason is Reason.NO_WEIGHT for one in known):
        return ""
    return "Beside that probability, validation samples give scores of geometry no weight."


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
    both, own = _score(report, COMBINATION), _score(report, MAXIMUM_PROBABILITY)
    areas = f"AUROC {fixed(both.auroc, 3)} against {fixed(own.auroc, 3)}; " if both and own else ""
    return KeyResult("Geometry beside the softmax", value, bounds, f"{says} ({areas}{p_text(PValue(test.p, False))}).")


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
