"""Calibration errors against known values, the Brier score's parts, and tests of calibration that hold."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from scipy.stats import binom, kstest, norm

from mlx.evaluation.calibration import (
    debiased_calibration_error,
    ece_if_calibrated,
    equal_mass_bins,
    equal_width_bins,
    expected_calibration_error,
    maximum_calibration_error,
    root_mean_square_calibration_error,
)
from mlx.evaluation.calibration_tests import excess_surprise_test, spiegelhalter_test
from mlx.evaluation.decomposition import decompose_brier
from mlx.stats.calibration_scores import calibration_scores


def predicted(n, generator, *, sharpness=2.0, believed=1.0, n_classes=4):
    """Draw labels from a model's probabilities, and probabilities that are `believed` times too sure of them."""
    logits = sharpness * generator.normal(size=(n, n_classes))
    p = softmax(logits, axis=1)
    y = (p.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1).clip(max=n_classes - 1)
    return softmax(believed * logits, axis=1), believed * logits, y


def test_calibration_toy_has_its_known_error():
    table = equal_width_bins(np.array([0.55, 0.55, 0.60, 0.90]), np.array([False, False, True, True]), n_bins=3)
    assert expected_calibration_error(table) == pytest.approx(0.2)
    assert table.count.tolist() == [0, 3, 1]


def test_reliability_bins_are_open_below_and_closed_above():
    confidence = np.array([0.0, 0.5, np.nextafter(0.5, 1), 1.0, 1.0 + 1e-7])
    table = equal_width_bins(confidence, np.ones(5, dtype=bool), n_bins=2)
    assert table.count.tolist() == [2, 3]
    assert (table.lower.tolist(), table.upper.tolist()) == ([0, 0.5], [0.5, 1])


def test_an_empty_bin_has_no_accuracy_and_doesnt_enter_the_error():
    table = equal_width_bins(np.array([0.9]), np.array([True]), n_bins=10)
    assert np.isfinite(table.accuracy).sum() == 1
    assert expected_calibration_error(table) == pytest.approx(0.1)


def test_the_toy_has_its_known_errors_in_every_norm():
    table = equal_width_bins(np.array([0.55, 0.55, 0.60, 0.90]), np.array([False, False, True, True]), n_bins=3)
    assert expected_calibration_error(table) == pytest.approx(0.2)
    assert root_mean_square_calibration_error(table) == pytest.approx(0.208167, abs=1e-6)
    assert maximum_calibration_error(table) == pytest.approx(0.233333, abs=1e-6)


def test_equal_mass_bins_hold_equally_many_and_keep_ties_together():
    generator = np.random.default_rng(0)
    confidence, correct = generator.random(1000), generator.random(1000) < 0.5
    table = equal_mass_bins(confidence, correct, n_bins=8)
    assert table.count.tolist() == [125] * 8
    parts = np.array_split(np.argsort(confidence), 8)
    np.testing.assert_allclose(table.confidence, [confidence[part].mean() for part in parts])
    np.testing.assert_allclose(table.accuracy, [correct[part].mean() for part in parts])
    tied = equal_mass_bins(np.repeat([0.0, 0.3, 1.0], [50, 49, 1]), correct[:100], n_bins=10)
    assert tied.count.tolist() == [50, 49, 1]
    assert equal_mass_bins(np.ones(5), correct[:5], n_bins=10).count.tolist() == [5]


@pytest.mark.slow
def test_the_error_of_a_calibrated_model_is_what_labels_drawn_from_it_give():
    generator = np.random.default_rng(0)
    confidence = predicted(200, generator)[0].max(axis=1)
    draws = ece_if_calibrated(confidence, n_bins=10, n_draws=2000, generator=generator)
    drawn = generator.random((2000, 200)) < confidence
    expected = [expected_calibration_error(equal_width_bins(confidence, right, n_bins=10)) for right in drawn]
    assert draws.mean() == pytest.approx(np.mean(expected), rel=0.03)
    assert draws.std() == pytest.approx(np.std(expected), rel=0.1)


@pytest.mark.slow
def test_debiasing_takes_the_noise_out_of_the_squared_error():
    square, plain = [], []
    for run in range(300):
        p, _, y = predicted(200, np.random.default_rng(run))
        table = equal_mass_bins(p.max(axis=1), p.argmax(axis=1) == y, n_bins=10)
        count, accuracy = table.count, table.accuracy
        gap = (accuracy - table.confidence) ** 2 - accuracy * (1 - accuracy) / (count - 1)
        square.append((gap * count).sum() / 200)
        plain.append(root_mean_square_calibration_error(table) ** 2)
        assert debiased_calibration_error(table) == pytest.approx(np.sqrt(max(0, square[-1])))
    assert abs(np.mean(square)) < 0.15 * np.mean(plain)


@pytest.mark.parametrize("n_bins", [2, 10, 37])
def test_the_parts_of_the_brier_score_add_up(n_bins):
    p, _, y = predicted(300, np.random.default_rng(1), believed=2.0)
    parts = decompose_brier(p, y, n_bins=n_bins)
    total = parts.reliability - parts.resolution + parts.uncertainty
    total += parts.within_bin_variance - parts.within_bin_covariance
    assert total == pytest.approx(calibration_scores(p, None, y).brier.mean(), abs=1e-14)
    share = np.bincount(y) / 300
    assert parts.uncertainty == pytest.approx(1 - (share**2).sum())


def test_bins_of_one_value_leave_nothing_over():
    generator = np.random.default_rng(0)
    p = generator.choice([0.15, 0.55, 0.85], 200)
    p, y = np.stack([1 - p, p], axis=1), (generator.random(200) < p).astype(int)
    parts = decompose_brier(p, y, n_bins=10)
    table = pd.DataFrame({"p": p[:, 1], "y": y}).groupby("p")["y"].agg(["mean", "size"])
    assert parts.reliability == pytest.approx(2 * ((table["mean"] - table.index) ** 2 * table["size"]).sum() / 200)
    assert parts.within_bin_variance == pytest.approx(0, abs=1e-14)
    assert parts.within_bin_covariance == pytest.approx(0, abs=1e-14)


def test_spiegelhalters_z_agrees_with_its_formula_for_two_classes():
    p, _, y = predicted(150, np.random.default_rng(2), n_classes=2)
    one = p[:, 1]
    expected = ((y - one) * (1 - 2 * one)).sum() / np.sqrt(((1 - 2 * one) ** 2 * one * (1 - one)).sum())
    found = spiegelhalter_test(calibration_scores(p, None, y), 50.0)
    assert found.z == pytest.approx(expected)
    assert found.p == pytest.approx(2 * norm.sf(abs(expected)))


@pytest.mark.parametrize("with_logits", [True, False])
def test_excess_surprise_agrees_with_its_formula(with_logits):
    p, logits, y = predicted(150, np.random.default_rng(3))
    scores = calibration_scores(p, logits if with_logits else None, y)
    entropy = -(p * np.log(p)).sum(axis=1)
    variance = (p * np.log(p) ** 2).sum(axis=1) - entropy**2
    excess = -np.log(p[np.arange(150), y]) - entropy
    assert excess_surprise_test(scores, 50.0).z == pytest.approx(excess.sum() / np.sqrt(variance.sum()))


@pytest.mark.slow
@pytest.mark.parametrize("sharpness", [1.0, 4.0])
def test_calibrated_models_are_rejected_as_often_as_promised_and_overconfident_ones_found(sharpness):
    p_values = []
    for run in range(800):
        p, logits, y = predicted(200, np.random.default_rng([1, run]), sharpness=sharpness)
        scores, expected = calibration_scores(p, logits, y), float((1 - p.max(axis=1)).sum())
        p_values.append([test(scores, expected).p for test in (spiegelhalter_test, excess_surprise_test)])
    rejected = (np.array(p_values) <= 0.05).sum(axis=0)
    assert ((binom.ppf(0.00025, 800, 0.03) <= rejected) & (rejected <= binom.ppf(0.99975, 800, 0.07))).all(), rejected
    assert kstest(np.array(p_values)[:, 0], "uniform").pvalue > 1e-4
    p, logits, y = predicted(200, np.random.default_rng(0), sharpness=sharpness, believed=2.5)
    scores = calibration_scores(p, logits, y)
    assert spiegelhalter_test(scores, 20.0).z > 4
    assert excess_surprise_test(scores, 20.0).p < 1e-4


def test_predictions_that_leave_nothing_to_chance_cannot_be_tested():
    p = np.repeat(np.eye(2), 20, axis=0)
    scores = calibration_scores(p, None, np.repeat([0, 1], 20))
    assert np.isnan(spiegelhalter_test(scores, 0.0).z)
    p, _, y = predicted(50, np.random.default_rng(0))
    assert np.isnan(spiegelhalter_test(calibration_scores(p, None, y), 9.0).p)
