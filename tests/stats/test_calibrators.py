"""Recalibration: independent minimizers, scikit-learn's isotonic regression, the choice, and halves of validation."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.isotonic import IsotonicRegression

from mlx.stats.calibrator_choice import _folds, choose_calibrator, fit_calibrators
from mlx.stats.calibrators import Calibrator, fit_calibrator, fit_vector_scaling
from mlx.stats.status import Reason
from mlx.stats.validation_outputs import ValidationOutputs, validation_halves


def drawn(n=400, n_classes=3, seed=0, sharpness=2.0):
    """Logits of an overconfident model, and labels."""
    generator = np.random.default_rng(seed)
    z = 1.5 * generator.normal(size=(n, n_classes))
    return sharpness * z, (z + generator.gumbel(size=z.shape)).argmax(axis=1)


def outputs(z, y, *, logits=True):
    return ValidationOutputs(softmax(z, axis=1), z if logits else None, y, np.arange(len(y)))


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_vector_scaling_is_where_an_independent_minimizer_ends(n_classes: int) -> None:
    z, y = drawn(n_classes=n_classes)
    z = z * np.linspace(0.7, 1.4, n_classes) + np.linspace(-1, 2, n_classes)
    w, b, status = fit_vector_scaling(z, y)

    def loss(x):
        return -log_softmax(z * x[:n_classes] + x[n_classes:], axis=1)[np.arange(len(y)), y].mean()

    start = np.concatenate([np.ones(n_classes), np.zeros(n_classes)])
    other = minimize(loss, start, method="BFGS", options={"gtol": 1e-9})
    assert status.is_ok
    np.testing.assert_allclose(w, other.x[:n_classes], rtol=2e-6)
    assert loss(np.concatenate([w, b])) <= other.fun + 1e-12


def test_without_a_minimum_weights_are_at_their_bound() -> None:
    z = np.repeat(np.eye(3), 4, axis=0)
    weights, _, status = fit_vector_scaling(z, np.repeat(np.arange(3), 4))
    assert status == Reason.WEIGHTS_AT_BOUND(3, 3)
    np.testing.assert_allclose(weights, 100)


@pytest.mark.parametrize("logits", [True, False])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_isotonic_is_that_of_scikit_learn(n_classes: int, logits: bool) -> None:
    z, y = drawn(n_classes=n_classes)
    p, given = softmax(z, axis=1), z if logits else None
    values = z if logits else p
    fitted = fit_calibrator(Calibrator.ISOTONIC, p[:200], None if given is None else given[:200], y[:200])
    found = np.exp(fitted.log_probabilities(p[200:], None if given is None else given[200:]))
    columns = []
    for k in range(n_classes):
        of = values[:, k] if n_classes > 2 else (z[:, 1] - z[:, 0] if logits else p[:, 1])
        steps = IsotonicRegression(out_of_bounds="clip").fit(of[:200], y[:200] == (k if n_classes > 2 else 1))
        columns.append(steps.predict(of[200:]))
    expected = np.stack(columns, axis=1) if n_classes > 2 else np.stack([1 - columns[1], columns[1]], axis=1)
    total = expected.sum(axis=1, keepdims=True)
    expected = np.where(total > 0, expected / np.where(total > 0, total, 1), 1 / n_classes)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_what_can_not_be_fitted_says_why() -> None:
    p = np.array([[1.0, 0.0], [0.4, 0.6]] * 10)
    y = np.array([0, 1] * 10)
    for calibrator in (Calibrator.TEMPERATURE, Calibrator.VECTOR):
        found = fit_calibrator(calibrator, p, None, y)
        assert found.log_probabilities is None
        assert found.status == Reason.ZERO_PROBABILITIES(10)
    assert fit_calibrator(Calibrator.ISOTONIC, p, None, y).status.is_ok
    absent = fit_calibrator(Calibrator.VECTOR, p, p, np.zeros(20, int))
    assert absent.status == Reason.FEW_VALIDATION_IN_CLASS(1)


def test_the_lowest_cross_validated_brier_score_is_chosen() -> None:
    z, y = drawn(n=1000, sharpness=4.0)
    found = fit_calibrators(outputs(z, y), Calibrator)
    assert [one.fitted.calibrator for one in found] == list(Calibrator)
    assert all(0 < one.cv_brier < 2 for one in found)
    assert choose_calibrator(found).fitted.calibrator is Calibrator.TEMPERATURE
    assert choose_calibrator(found).fitted.temperature == pytest.approx(4.0, rel=0.2)
    assert choose_calibrator(fit_calibrators(outputs(z, y), [])).fitted.calibrator is Calibrator.NONE
    order = np.random.default_rng(1).permutation(len(y))
    again = fit_calibrators(outputs(z, y).take(order), Calibrator)
    assert [one.cv_brier for one in again] == pytest.approx([one.cv_brier for one in found], rel=1e-9)


def test_ties_go_to_the_simpler_one() -> None:
    found = fit_calibrators(outputs(np.zeros((60, 2)), np.array([0, 1] * 30)), [Calibrator.TEMPERATURE])
    assert found[1].cv_brier == pytest.approx(found[0].cv_brier)
    assert choose_calibrator(found).fitted.calibrator is Calibrator.NONE


def test_few_samples_leave_the_model_as_it_is() -> None:
    z, y = drawn(n=9)
    found = fit_calibrators(outputs(z, y), Calibrator)
    assert {str(one.fitted.status) for one in found[1:]} == {"fewer than 10 validation samples to fit to"}
    assert choose_calibrator(found).fitted.calibrator is Calibrator.NONE
    z, y = drawn(n=60)
    y[:] = np.arange(60) % 2
    y[0] = 2
    found = fit_calibrators(outputs(z, y), Calibrator)
    assert [one.fitted.status for one in found[2:]] == [Reason.FEW_VALIDATION_IN_CLASS(2)] * 2
    assert found[1].fitted.log_probabilities is not None


def test_the_halves_of_validation_share_no_sample_and_are_those_of_its_samples() -> None:
    index = np.array([40, 7, 11, 90, 2, 5, 66])
    fits, calibrates = validation_halves(index)
    assert sorted([*fits, *calibrates]) == list(range(7))
    assert (len(fits), len(calibrates)) == (3, 4)
    again, _ = validation_halves(index[::-1])
    assert sorted(index[::-1][again]) == sorted(index[fits])
    whole = ValidationOutputs(np.full((7, 2), 0.5), None, np.zeros(7, int), index)
    assert [*whole.fitting().index, *whole.calibrating().index] == [*index[fits], *index[calibrates]]


def test_samples_that_belong_together_are_in_one_half_and_in_one_fold() -> None:
    rng = np.random.default_rng(0)
    index, groups = rng.permutation(1000)[:90], rng.choice([f"subject {k}" for k in range(25)], 90)
    fits, calibrates = validation_halves(index, groups)
    assert not {*groups[fits]} & {*groups[calibrates]}
    assert abs(len(fits) - 45) <= np.unique(groups, return_counts=True)[1].max() / 2
    order = rng.permutation(90)
    again, _ = validation_halves(index[order], groups[order])
    assert {*index[order][again]} == {*index[fits]}
    alone = validation_halves(index, np.arange(90))[0]
    np.testing.assert_array_equal(alone, validation_halves(index)[0])
    folds = _folds(ValidationOutputs(np.full((90, 2), 0.5), None, np.zeros(90, int), index, groups=groups))
    assert all(len({*folds[groups == group]}) == 1 for group in groups)
    assert {*folds} == {0, 1, 2, 3, 4}
