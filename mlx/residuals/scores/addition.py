"""What geometry adds to the softmax: the combination of both on the test samples, and the tests of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Floats
from mlx.residuals.parts import OtherParts
from mlx.residuals.predictions import Predictions
from mlx.residuals.scores.combination import Combination, fit_combination, likelihood_ratio, log_odds
from mlx.residuals.scores.fitted import FittedScore
from mlx.residuals.scores.geometry import WITH_LOGITS
from mlx.residuals.scores.outputs import output_scores
from mlx.results.failure_scores import MAXIMUM_PROBABILITY, FailureScore
from mlx.results.questions import Question, Statistic
from mlx.results.tests import TestResult, adjusted
from mlx.stats.gates import why_too_few
from mlx.stats.interval import Interval
from mlx.stats.status import OK, Reason, Status
from mlx.stats.validation_outputs import validation_halves

MIN_EXPECTED = 10
"""Fewest expected errors, and expected correct predictions, for the likelihood-ratio test."""

DIFFERENCE_METHOD = "influence values; Student's t, weights fitted on half of validation"
RATIO_METHOD = "likelihood ratio of logistic models, chi-squared with 1 degree of freedom"


@dataclass(frozen=True)
class Combined:
    """The combination of the test samples, (n_samples,) each.

    Attributes
    ----------
    total
        The combination; NaN where a score of geometry is undefined.
    softmax, geometry
        The log odds of 1 − max p, and the sum of the scores of geometry with their full weights.
    has_geometry
        Whether validation gives geometry a weight in the combination.
    """

    total: Floats
    softmax: Floats
    geometry: Floats
    has_geometry: bool

    @classmethod
    def of(cls, found: Combination, scores: Mapping[str, Floats]) -> "Combined":
        """Combine scores (n_samples,) by name."""
        softmax = log_odds(scores[MAXIMUM_PROBABILITY])
        return cls(found(scores), softmax, found.geometry(scores), bool(found.weights[1:].any()))


def combine(
    fitted: Mapping[str, FittedScore | Status], of_test: Mapping[str, Floats], others: OtherParts
) -> Combined | Status:
    """Weight the maximum probability and the scores of geometry by the half of validation that fits.

    Parameters
    ----------
    fitted
        Scores of the first layer; those of the logits as well as of geometry are left out.
    of_test
        Scores of outputs of the test samples.
    others
        The validation samples with their labels.
    """
    val = others.val
    if others.train is None or val is None:
        return Reason.NOT_RECORDED("training" if others.train is None else "validation")
    rows = validation_halves(np.asarray(val.index), val.groups)[0]
    softmax = output_scores(val.probabilities, val.logits)[MAXIMUM_PROBABILITY]
    of_val, test = {MAXIMUM_PROBABILITY: softmax[rows]}, {MAXIMUM_PROBABILITY: of_test[MAXIMUM_PROBABILITY]}
    for name, score in fitted.items():
        if isinstance(score, FittedScore) and score.val is not None and name not in WITH_LOGITS:
            of_val[name], test[name] = score.val[rows], score.test
    known = ~np.isnan(np.stack(list(of_val.values()))).any(axis=0)
    error = np.asarray(val.y_true != val.y_pred)[rows]
    found = fit_combination({name: values[known] for name, values in of_val.items()}, error[known])
    if not isinstance(found, Combination):
        return found
    return Combined.of(found, test)


def addition_tests(
    row: FailureScore, combined: Combined | Status, predictions: Predictions, *, seed: int
) -> list[TestResult]:
    """Return the difference in AUROC of a row of the table of scores, and the likelihood ratio, as tests."""
    asked = TestResult(question=Question.GEOMETRY_ADDS, layer=row.layer, statistic=Statistic.AUROC, n=row.n, seed=seed)
    difference = replace(asked, statistic=Statistic.AUROC_DIFFERENCE, estimate=row.difference)
    ratio = replace(asked, statistic=Statistic.LIKELIHOOD_RATIO)
    if isinstance(combined, Status):
        return [replace(test, status=combined) for test in (difference, ratio)]
    if row.difference_status.is_ok:
        interval = Interval(row.difference_low, row.difference_high, row.confidence, DIFFERENCE_METHOD)
        difference = difference.with_p(row.p, DIFFERENCE_METHOD).with_interval(interval)
    return adjusted([replace(difference, status=row.difference_status), _ratio(ratio, combined, predictions)])


def _ratio(test: TestResult, combined: Combined, predictions: Predictions) -> TestResult:
    known = np.flatnonzero(~np.isnan(combined.total))
    error = predictions.error[known]
    why: Status = why_too_few(int(error.sum()), known.size, predictions.validation, MIN_EXPECTED)
    if why.is_ok:
        why = OK if predictions.groups is None else Reason.NOT_BY_GROUP()
    if not why.is_ok:
        return replace(test, status=why)
    found = likelihood_ratio(error, combined.softmax[known], combined.geometry[known])
    test = replace(test, estimate=found.statistic, status=found.status)
    # An estimate that has no sampling distribution under the alternative has no interval.
    return test.with_p(found.p, RATIO_METHOD)
