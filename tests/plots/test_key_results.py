"""The sentences of a report about correlations, shares of variance, error detection and slices."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_reports import correlations, estimate, with_metrics, with_residuals

from mlx.plots.page.key_results import _accuracy, key_results
from mlx.plots.text import MINUS, fixed
from mlx.results.classification_residuals import Slice
from mlx.results.metrics import Estimate
from mlx.results.questions import Question
from mlx.results.tests import TestResult
from mlx.stats.interval import Interval
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
    ("r2", "low", "high", "value", "says"),
    [
        (0.9, 0.8, 0.95, "0.900", "90.0 % of the target's variance is explained."),
        (0.1, -0.2, 0.3, "0.100", "These samples do not show that it beats predicting the mean."),
        (-0.1, -0.3, 0.2, "-0.100", "These samples do not show that it beats predicting the mean."),
        (-0.5, -0.9, -0.2, "-0.500", "Worse than predicting the mean."),
        (
            1.0,
            None,
            None,
            "not known",
            "These samples have R² = 1.00; without an interval, it says nothing about other samples.",
        ),
        (
            -3.0,
            None,
            None,
            "not known",
            "These samples have R² = -3.00; without an interval, it says nothing about other samples.",
        ),
    ],
)
def test_the_share_of_variance_is_a_finding_only_with_an_interval(regression, r2, low, high, value, says):
    missing = Interval.missing(Reason.TOO_FEW(30))
    metric = estimate(r2, low, high) if low is not None else Estimate(r2, missing)
    found = key_results(with_metrics(regression(), r2=metric))[0]
    texts = (found.value, found.sentence)
    texts = tuple(text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-") for text in texts)
    assert texts == (value, says)


@pytest.mark.parametrize(
    ("estimate", "low", "high", "label", "says"),
    [
        (
            0.91,
            0.88,
            0.94,
            "Entropy detects mistakes",
            "wrong predictions with AUROC 0.91 [0.88, 0.94]; chance is 0.5",
        ),
        (0.58, 0.47, 0.69, "Entropy and mistakes", "does not show that it beats chance"),
        (
            1.00,
            np.nan,
            np.nan,
            "Entropy and mistakes",
            "AUROC 1.00; without an interval, it says nothing",
        ),
        (
            0.50,
            np.nan,
            np.nan,
            "Entropy and mistakes",
            "AUROC 0.50; without an interval, it says nothing",
        ),
    ],
)
def test_a_score_detects_mistakes_only_if_it_is_shown_to_beat_chance(classification, estimate, low, high, label, says):
    status = OK if np.isfinite(low) else no_interval(Reason.FEW_ERRORS(10))
    test = TestResult(question=Question.ERROR_BY_ENTROPY, statistic="auroc", estimate=estimate, low=low, high=high,
                      confidence=0.95, status=status)  # fmt: skip
    report = classification()
    found = key_results(with_residuals(report, tests=(*report.residuals.tests, test)))[1]
    assert found.label == label
    assert found.value == (f"AUROC {estimate:.2f}" if np.isfinite(low) else "not known")
    assert found.interval.startswith("95 % interval" if np.isfinite(low) else "no interval (fewer than 10 errors)")
    assert says in found.sentence


def test_the_key_result_is_the_first_slice_that_is_confirmed(classification):
    def told(p_holm):
        known = {"low": 0.0, "high": 0.9, "error_rate_found": 0.5}
        slices = (
            Slice(
                description="a ≤ 0.474123", n=10, n_errors=1, error_rate=0.1, rest_error_rate=0.133, p_holm=1.0, **known
            ),
            Slice(
                description="b > -0.47",
                n=11,
                n_errors=6,
                error_rate=0.545,
                rest_error_rate=0.079,
                p_holm=p_holm,
                **known,
            ),
        )
        return key_results(with_residuals(classification(), slices=slices))[-1]

    assert told(0.00076).value.startswith("54.5")
    assert told(0.00076).sentence.startswith(f"Error rate where b > {MINUS}0.47, 11 samples")
    assert told(0.2).value == "none confirmed"
    assert "a ≤ 0.474, has an error rate" in told(0.2).sentence


@pytest.mark.parametrize(
    ("wrong", "n", "said"),
    [(0, 1, "0 of 1 test sample is"), (1, 1, "1 of 1 test sample is"), (1, 9, "1 of 9 test samples is"),
     (0, 9, "0 of 9 test samples are"), (2, 9, "2 of 9 test samples are")],
)  # fmt: skip
def test_the_number_of_misclassified_samples_is_a_sentence(wrong, n, said):
    accuracy = Estimate(1 - wrong / n, Interval(0.0, 1.0, 0.95))
    evaluation = SimpleNamespace(metrics=SimpleNamespace(accuracy=accuracy))
    samples = pd.DataFrame({"correct": np.arange(n) >= wrong})
    found = _accuracy(SimpleNamespace(samples=samples, evaluation=evaluation))
    assert found.sentence.replace("\N{NO-BREAK SPACE}", " ").startswith(f"{said} misclassified")
