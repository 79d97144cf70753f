"""Entropy, surprise and Brier of single predictions, where softmax is saturated too."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy.special import log_softmax as scipy_log_softmax
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy
from scipy.stats import kstest, norm

from mlx.core.errors import DataError
from mlx.core.log_scores import log_of, log_softmax
from mlx.stats.prediction_scores import prediction_scores
from mlx.stats.quantile_residuals import quantile_residuals
from mlx.stats.row_scores import entropy_from_log_probabilities as entropy_of


def test_entropy_agrees_with_scipy():
    logits = np.random.default_rng(0).normal(size=(200, 7)) * 3
    p = softmax(logits, axis=1)
    np.testing.assert_allclose(entropy_of(log_softmax(logits)), scipy_entropy(p, axis=1), rtol=1e-12)
    np.testing.assert_allclose(entropy_of(log_of(p)), scipy_entropy(p, axis=1), rtol=1e-12)
    np.testing.assert_allclose(log_softmax(logits), scipy_log_softmax(logits, axis=1), atol=1e-13)


def test_saturated_logits_have_an_entropy_of_zero_or_the_tiny_number_it_is():
    logits = np.array([[1e4, 0.0], [1e308, -1e308], [50.0, 0.0], [7.0, 7.0]])
    with np.errstate(over="ignore"):
        found = entropy_of(log_softmax(logits))
    np.testing.assert_allclose(found, [0, 0, 51 * np.exp(-50.0), np.log(2)], rtol=1e-12)


def test_a_certain_prediction_keeps_its_surprise_beyond_double_rounding():
    scores = prediction_scores(np.array([[1.0, 0.0]]), np.array([[50.0, 0.0]]), np.array([0]), np.array([0]))
    assert scores.surprise[0] == pytest.approx(np.exp(-50.0), rel=1e-12)


@pytest.mark.parametrize("with_logits", [True, False])
def test_scores_follow_their_definitions(with_logits):
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(50, 4))
    p, y = softmax(logits, axis=1), generator.integers(4, size=50)
    pred = p.argmax(axis=1)
    scores = prediction_scores(p, logits if with_logits else None, y, pred)
    p_y = p[np.arange(50), y]
    np.testing.assert_allclose(scores.confidence, p.max(axis=1), rtol=1e-13)
    np.testing.assert_allclose(scores.entropy_normalised, scores.entropy / np.log(4), rtol=1e-15)
    np.testing.assert_allclose(scores.surprise, -np.log(p_y), rtol=1e-12)
    np.testing.assert_allclose(scores.excess_surprise, -np.log(p_y) - scores.entropy, atol=1e-12)
    np.testing.assert_allclose(scores.brier, 1 - 2 * p_y + (p**2).sum(axis=1), atol=1e-14)


@pytest.mark.parametrize(("dtype", "tiny"), [(np.float16, 1e-6), (np.float32, 1e-10), (np.float64, 1e-300)])
def test_a_stored_probability_surprises_by_its_logarithm_however_small_it_is(dtype, tiny):
    p = np.array([[1.0, tiny], [1.0, tiny], [1.0, 0.0], [0.25, 0.75]], dtype=dtype)
    scores = prediction_scores(p, None, np.array([1, 0, 1, 1]), np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(scores.surprise, [-np.log(float(p[0, 1])), 0, np.inf, -np.log(0.75)], rtol=1e-15)
    np.testing.assert_allclose(scores.deviance, 2 * scores.surprise, rtol=1e-15)
    assert (scores.raw[2], scores.pearson[2], scores.excess_surprise[2]) == (1, np.inf, np.inf)
    assert np.isfinite(scores.entropy).all()


def test_logits_of_another_model_are_refused_with_their_row():
    p = np.full((3, 2), 0.5)
    logits = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    with pytest.raises(DataError, match=r"logits: row 1: .*difference of 0\.231"):
        prediction_scores(p, logits, np.zeros(3, int), np.zeros(3, int))


@pytest.mark.parametrize("with_logits", [True, False])
def test_classical_residuals_follow_their_definitions(with_logits):
    generator = np.random.default_rng(2)
    logits = 2 * generator.normal(size=(50, 4))
    p, y = softmax(logits, axis=1), generator.integers(4, size=50)
    scores = prediction_scores(p, logits if with_logits else None, y, p.argmax(axis=1))
    p_y = p[np.arange(50), y]
    variance = (p * np.log(p) ** 2).sum(axis=1) - scores.entropy**2
    np.testing.assert_allclose(scores.raw, 1 - p_y, rtol=1e-12)
    np.testing.assert_allclose(scores.pearson, 1 / p_y - 1, rtol=1e-12)
    np.testing.assert_allclose(scores.deviance, -2 * np.log(p_y), rtol=1e-12)
    np.testing.assert_allclose(scores.surprise_variance, variance, atol=1e-12)
    np.testing.assert_allclose(scores.excess_surprise_z, (-np.log(p_y) - scores.entropy) / np.sqrt(variance))


def test_residuals_of_saturated_and_uniform_predictions_are_finite_but_for_what_no_number_holds():
    logits = np.array([[800.0, 0.0], [0.0, 800.0], [1e4, 0.0], [3.0, 3.0]])
    scores = prediction_scores(softmax(logits, axis=1), logits, np.array([0, 0, 1, 1]), logits.argmax(axis=1))
    beyond_the_largest_number = {"pearson", "excess_surprise_z"}  # e^800, and for the third row e^5000
    assert all(np.isfinite(v).all() for name, v in vars(scores).items() if name not in beyond_the_largest_number)
    assert scores.pearson[1:3].tolist() == [np.inf, np.inf]
    assert scores.excess_surprise_z[[0, 3]].tolist() == [0, 0]
    assert scores.excess_surprise_z[1] == pytest.approx(np.exp(400.0))


def test_a_standardized_surprise_beside_a_probability_of_0_is_that_of_the_other_probabilities():
    scores = prediction_scores(np.array([[1.0, 1e-300, 0.0]]), None, np.array([0]), np.array([0]))
    assert scores.excess_surprise_z[0] == pytest.approx(-1e-150, rel=0.01)


def exact_entropy(logits):
    """Entropies (n,) as decimals of 800 digits, in which 1 less a probability of e^-740 is not 1."""
    with localcontext() as context:
        context.prec = 800
        found = []
        for row in logits:
            e = [Decimal(float(z)).exp() for z in row]
            p = [value / sum(e) for value in e]
            found.append(-sum(value * value.ln() for value in p))
        return found


@pytest.mark.parametrize("margin", [30.0, 300.0, 670.0, 700.0, 735.0])
def test_entropies_of_saturated_logits_agree_with_arithmetic_of_any_precision(margin):
    logits = np.array([[margin, 0.0, 1.5], [-1.0, margin, 0.25]])
    exact = exact_entropy(logits)
    # 735 leaves entropies of 1e-316, whose last digit is the eighth.
    np.testing.assert_allclose(entropy_of(log_softmax(logits)), [float(h) for h in exact], rtol=1e-12, atol=2.5e-324)


def test_entropies_of_probabilities_near_1_are_what_the_other_probabilities_say():
    # 1 - 1e-20 is stored as 1, and of 1 - 3e-16 the last digit is rounded.
    p = np.array([[1.0, 1e-20, 2e-20], [1e-18, 1.0, 0.0], [1 - 3e-16, 1e-16, 2e-16], [0.2, 0.3, 0.5]])
    scores = prediction_scores(p, None, np.zeros(4, int), p.argmax(axis=1))
    logits = np.log(np.where(p > 0, p, 1e-300))
    np.testing.assert_allclose(scores.entropy, [float(h) for h in exact_entropy(logits)], rtol=1e-12)


def draw_of_the_model(n, generator):
    logits = 3 * generator.normal(size=(n, 5))
    p = softmax(logits, axis=1)
    return p, logits, (p.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1).clip(max=4)


def test_quantile_residuals_are_standard_normal_if_the_model_is_right():
    p, logits, y = draw_of_the_model(5000, np.random.default_rng(0))
    residuals = quantile_residuals(p, logits, y, generator=np.random.default_rng(0))
    assert kstest(residuals, "norm").pvalue > 0.01
    np.testing.assert_allclose(quantile_residuals(p, None, y, generator=np.random.default_rng(0)), residuals, atol=1e-6)
    assert kstest(quantile_residuals(p, logits, (y + 1) % 5, generator=np.random.default_rng(0)), "norm").pvalue < 1e-10
    lower = np.array([p_i[:k].sum() for p_i, k in zip(p, y, strict=True)])
    u = norm.cdf(residuals)
    assert ((u >= lower - 1e-9) & (u <= lower + p[np.arange(5000), y] + 1e-9)).all()


def test_quantile_residuals_stay_finite_where_the_truth_had_no_chance():
    p = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    found = quantile_residuals(p, None, np.array([0, 1, 0]), generator=np.random.default_rng(0))
    assert found[0] < -37
    assert found[1] > 37
    assert abs(found[2]) < 37
