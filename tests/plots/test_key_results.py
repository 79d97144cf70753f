"""The sentences of a report about correlations and error detection."""

import numpy as np
import pytest
from made_reports import LAYER, correlations, with_residuals

from mlx.plots.page.key_results import key_results
from mlx.plots.text import fixed
from mlx.results.failure_scores import FailureScore
from mlx.results.questions import Question, Statistic
from mlx.results.tests import TestResult
from mlx.stats.status import OK, Reason, no_interval


def said_of_the_correlation(report, **known):
    report = with_residuals(report, tests=tuple(correlations(**known)))
    return next(result for result in key_results(report) if result.label.startswith("Similarity and entropy within"))


@pytest.mark.parametrize(("r", "p"), [(-0.7, 0.001), (0.7, 0.001), (1.0, 0.001), (-0.7, 0.3)])
def test_a_correlation_without_an_interval_claims_nothing_and_says_why(classification, r, p):
    found = said_of_the_correlation(classification(), estimate=r, p=p, status=no_interval(Reason.TOO_FEW(30)))
    assert (found.value, found.interval) == ("not known", "no interval (n < 30)")
    nothing = "; without an interval, it says nothing about other samples."
    within = f"Within predicted classes, similarity and entropy have r = {fixed(r)} in these samples"
    assert found.sentence == within + nothing


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.2, 0.6, "Samples similar to others of their predicted class tend to be uncertain (the primary test; p ="),
        (
            -0.6,
            -0.2,
            "Samples dissimilar to others of their predicted class tend to be uncertain (the primary test; p =",
        ),
        (-0.6, 0.2, "These samples do not show that uncertainty depends on the similarity to others of the predicted "),
    ],
)
def test_a_correlation_says_what_its_interval_shows(classification, low, high, says):
    found = said_of_the_correlation(classification(), estimate=(low + high) / 2, low=low, high=high, p=0.1)
    assert found.sentence.startswith(says)


@pytest.mark.parametrize(
    ("estimate", "low", "high", "label", "says"),
    [
        (
            0.91,
            0.88,
            0.94,
            "Low similarity detects mistakes",
            "wrong predictions with AUROC 0.91 [0.88, 0.94]; chance is 0.5",
        ),
        (0.58, 0.47, 0.69, "Low similarity and mistakes", "does not show that it beats chance"),
        (
            1.00,
            np.nan,
            np.nan,
            "Low similarity and mistakes",
            "AUROC 1.00; without an interval, it says nothing",
        ),
        (
            0.50,
            np.nan,
            np.nan,
            "Low similarity and mistakes",
            "AUROC 0.50; without an interval, it says nothing",
        ),
    ],
)
def test_a_score_detects_mistakes_only_if_it_is_shown_to_beat_chance(classification, estimate, low, high, label, says):
    status = OK if np.isfinite(low) else no_interval(Reason.FEW_ERRORS(10))
    asked = {"question": Question.ERROR_BY_LOW_SIMILARITY, "statistic": "auroc", "confidence": 0.95}
    test = TestResult(**asked, estimate=estimate, low=low, high=high, status=status)
    report = classification()
    found = key_results(with_residuals(report, tests=(*report.residuals.tests, test)))[0]
    assert found.label == label
    assert found.value == (f"AUROC {estimate:.2f}" if np.isfinite(low) else "not known")
    assert found.interval.startswith("95 % interval" if np.isfinite(low) else "no interval (fewer than 10 errors)")
    assert says in found.sentence


@pytest.mark.parametrize(
    ("difference", "p", "says"),
    [(0.04, 0.9, "It is not shown to be better or worse than"), (0.04, 0.01, "It is better than"),
     (-0.04, 0.01, "It is worse than"), (np.nan, np.nan, "")],
)  # fmt: skip
def test_similarity_is_compared_with_the_maximum_probability(classification, difference, p, says):
    asked = {"question": Question.ERROR_BY_LOW_SIMILARITY, "statistic": "auroc", "confidence": 0.95}
    test = TestResult(**asked, estimate=0.9, low=0.8, high=0.95)
    no_weight = TestResult(question=Question.GEOMETRY_ADDS, statistic=Statistic.AUROC_DIFFERENCE,
                           status=no_interval(Reason.NO_WEIGHT()))  # fmt: skip
    scores = (
        FailureScore(score="max_probability", fitted_on="none", auroc=0.86),
        FailureScore(score="similarity", layer=LAYER, fitted_on="none", auroc=0.9, difference=difference, p_holm=p,
                     difference_low=difference - 0.03, difference_high=difference + 0.03, confidence=0.95),
    )  # fmt: skip
    report = classification()
    tests = (*report.residuals.tests, test, no_weight)
    found = key_results(with_residuals(report, tests=tests, scores=scores))[0].sentence
    numbers = f"AUROC 0.86 (difference {fixed(difference)}, 95 % interval"
    assert f"{says} the model's own maximum probability, {numbers}" in found or not says
    assert ("It is" in found) == bool(says)
    assert found.endswith("validation samples give scores of geometry no weight.")
