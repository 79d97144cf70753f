"""Leverage, prediction intervals and standard errors of a linear regression against statsmodels and exact fractions."""

from contextlib import nullcontext
from fractions import Fraction

import numpy as np
import pytest
from oracles import oracle
from tables_of import analyze_regression

from mlx.core.errors import DataError
from mlx.models import ModelSettings, TaskSpec, build_model
from mlx.residuals import ResidualsSettings
from mlx.residuals.regression.leverage import coefficients_of, leverage_of
from mlx.results.regression_residuals import COEFFICIENTS
from mlx.stats.status import OK
from mlx.training import Samples, TrainingSettings, fit_model

sm, longley = oracle("statsmodels.api"), oracle("statsmodels.datasets.longley")
FAST = ResidualsSettings(n_bootstrap=100, n_permutations=19)


class Silent:
    """Watches nothing."""

    def begin(self, history):
        pass

    def batch(self):
        pass

    def epoch(self, number, metrics):
        pass


def fitted(X, y, training=None, **params):
    """The model `linear_regression` as the step `train` leaves it."""
    settings = ModelSettings(name="linear_regression", params=params)
    model = build_model(settings, TaskSpec("regression", X.shape[1:], 0), seed=0)
    fit_model(model, Samples(X, y), Samples(X[:5], y[:5]), training or TrainingSettings(), Silent())
    return model


def measured(model, X, confidence=0.95):
    return leverage_of(X, model.outputs(X).predictions, model.linear_fit, confidence)


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(120, 3)) * [1, 10, 0.1] + [50, 0, 2]
    y = X @ [1.0, 0.2, 3.0] + generator.normal(size=120)
    return X, y, generator.normal(size=(40, 3)) * [2, 20, 0.2] + [50, 0, 2]


@pytest.mark.parametrize("columns", [3, 1])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e8])
def test_all_that_follows_from_the_training_design_agrees_with_statsmodels(data, columns, scale):
    X, y, new = data[0][:, :columns] * scale, data[1], data[2][:, :columns] * scale
    model = fitted(X, y)
    expected = sm.OLS(y, np.column_stack([np.ones(120), X / scale])).fit()
    at_new = expected.get_prediction(np.column_stack([np.ones(40), new / scale]))
    found = measured(model, new, confidence=0.9)
    np.testing.assert_allclose(found.leverage, at_new.var_pred_mean / expected.mse_resid, rtol=1e-9)
    np.testing.assert_allclose(
        np.stack([found.low, found.high], axis=1), at_new.conf_int(obs=True, alpha=0.1), rtol=1e-9
    )
    np.testing.assert_allclose(measured(model, X).leverage, expected.get_influence().hat_matrix_diag, rtol=1e-9)
    assert measured(model, X).leverage.mean() == pytest.approx((columns + 1) / 120)
    table = COEFFICIENTS.frame(coefficients_of(model.linear_fit, 0.95))
    unit = np.array([1.0, *[scale] * columns])
    assert list(table["feature"]) == ["intercept", "0", "1", "2"][: columns + 1]
    np.testing.assert_allclose(table["standard_error"] * unit, expected.bse, rtol=1e-9)
    np.testing.assert_allclose(table[["low", "high"]].to_numpy() * unit[:, None], expected.conf_int(), rtol=1e-8)
    assert (found.status, found.interval_status, set(table["status"])) == (OK, OK, {"ok"})


def exact(X, y, new):
    """Leverage, residual standard deviation and standard errors in fractions."""
    rows = [[Fraction(1), *map(Fraction, row)] for row in X.tolist()]
    p = len(rows[0])
    matrix = [[sum(r[i] * r[j] for r in rows) for j in range(p)] + [Fraction(int(i == j)) for j in range(p)]
              for i in range(p)]  # fmt: skip
    for i in range(p):
        matrix[i] = [v / matrix[i][i] for v in matrix[i]]
        for k in range(p):
            if k != i:
                factor = matrix[k][i]
                matrix[k] = [a - factor * b for a, b in zip(matrix[k], matrix[i], strict=True)]
    inverse = [row[p:] for row in matrix]
    targets = [Fraction(value) for value in y.tolist()]
    moments = [sum(r[i] * t for r, t in zip(rows, targets, strict=True)) for i in range(p)]
    weights = [sum(a * b for a, b in zip(row, moments, strict=True)) for row in inverse]
    left = (t - sum(a * b for a, b in zip(r, weights, strict=True)) for r, t in zip(rows, targets, strict=True))
    variance = sum(e**2 for e in left) / (len(rows) - p)
    at = [[Fraction(1), *map(Fraction, row)] for row in new.tolist()]
    leverage = [sum(x[i] * inverse[i][j] * x[j] for i in range(p) for j in range(p)) for x in at]
    errors = [float(variance * inverse[i][i]) ** 0.5 for i in range(p)]
    return np.array(leverage, float), float(variance) ** 0.5, np.array(errors)


def test_an_ill_conditioned_design_keeps_its_digits():
    table = longley.load_pandas()
    X, y = table.exog.to_numpy(float), table.endog.to_numpy(float)
    powers = np.arange(21.0)[:, None] ** np.arange(1, 6)
    noise = np.random.default_rng(0).normal(size=21)
    for X, y, new in ((X, y, X * 1.001), (powers, powers.sum(axis=1) + noise, powers[:5] + 0.5)):  # noqa: B020
        model = fitted(X, y)
        leverage, deviation, errors = exact(X, y, new)
        np.testing.assert_allclose(measured(model, new).leverage, leverage, rtol=1e-11)
        assert model.linear_fit.residual_sd == pytest.approx(deviation, rel=1e-9)
        np.testing.assert_allclose(
            COEFFICIENTS.frame(coefficients_of(model.linear_fit, 0.95))["standard_error"], errors, rtol=1e-9
        )


def test_r_is_that_of_the_design_with_an_intercept(data):
    X, y, _ = data
    R = fitted(X, y).linear_fit.triangle
    D = np.column_stack([np.ones(len(X)), X])
    np.testing.assert_allclose(R.T @ R, D.T @ D, rtol=1e-12)
    assert (np.tril(R, -1) == 0).all()
    assert (np.diag(R) > 0).all()


def test_features_that_depend_on_each_other_leave_what_is_determined(data):
    X, y, new = data
    twice, twice_new = (np.column_stack([Z, 2 * Z[:, 0], np.full(len(Z), 0.1)]) for Z in (X, new))
    with pytest.warns(RuntimeWarning, match="rank"):
        model = fitted(twice, y)
    found, plain = measured(model, twice_new), measured(fitted(X, y), new)
    np.testing.assert_allclose(found.leverage, plain.leverage, rtol=1e-9)
    np.testing.assert_allclose(found.low, plain.low, rtol=1e-9)
    assert str(found.status) == "dependent features (rank 3 of 5 in the training samples)"
    off = twice_new.copy()
    off[0, 3] += 1  # no longer twice the first feature
    off[1, 4] = 0.2  # constant in training
    apart = measured(model, off)
    assert list(np.flatnonzero(np.isnan(apart.leverage))) == [0, 1]
    assert "no leverage of 2 of 40 samples" in str(apart.status)
    table = COEFFICIENTS.frame(coefficients_of(model.linear_fit, 0.95))
    assert list(table.index[table["standard_error"].notna()]) == [2, 3]
    assert "not determined" in table["status"][1]


def test_without_residual_degrees_of_freedom_there_are_no_intervals(data):
    X, y, new = data
    for n, missing in ((4, 0), (3, 40)):
        with nullcontext() if n == 4 else pytest.warns(RuntimeWarning, match="rank"):
            model = fitted(X[:n], y[:n])
        found = measured(model, new)
        assert np.isnan(found.leverage).sum() == missing
        assert np.isnan(found.low).all()
        assert str(found.interval_status) == (
            f"no interval (no residual degrees of freedom ({n} coefficients for {n} training samples))"
        )
        assert COEFFICIENTS.frame(coefficients_of(model.linear_fit, 0.95))["standard_error"].isna().all()


def test_a_fit_by_steps_has_the_same_design_and_intervals_once_it_has_arrived(data):
    X, y, new = (data[0] - [50, 0, 2]) / [1, 10, 0.1], data[1], data[2] - [50, 0, 2]
    solved = measured(fitted(X, y), new)
    long = TrainingSettings(epochs=60, learning_rate=0.05, optimizer="sgd", batch_size=120)
    for epochs, arrived in ((60, True), (1, False)):
        training = long.model_copy(update={"epochs": epochs, "learning_rate": 0.4})
        found = measured(fitted(X, y, training, use_gradient_descent=True), new)
        np.testing.assert_allclose(found.leverage, solved.leverage, rtol=1e-12)
        assert found.interval_status.is_ok is arrived
        if arrived:
            np.testing.assert_allclose(found.low, solved.low, rtol=1e-3)
        else:
            assert np.isnan(found.low).all()
            assert "not those of least squares" in str(found.interval_status)


def test_a_penalty_that_moves_the_coefficients_takes_their_errors(data):
    X, y, new = data
    assert measured(fitted(X, y, l2_regularization=1e-9), new).interval_status.is_ok
    found = measured(fitted(X, y, l2_regularization=100.0), new)
    assert "not those of least squares" in str(found.interval_status)
    np.testing.assert_allclose(found.leverage, measured(fitted(X, y), new).leverage, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-200, 1e100])
def test_the_unit_of_the_target_changes_no_leverage_and_underflows_nowhere(data, size):
    X, y, new = data
    plain, tiny = fitted(X, y), fitted(X, y * size)
    assert tiny.linear_fit.residual_sd == pytest.approx(plain.linear_fit.residual_sd * size)
    assert tiny.linear_fit.least_squares
    np.testing.assert_array_equal(measured(tiny, new).leverage, measured(plain, new).leverage)


def test_a_target_without_noise_has_intervals_of_no_width(data):
    X, _, new = data
    model = fitted(X, X @ [1.0, 2.0, 3.0])
    found = measured(model, new)
    assert model.linear_fit.least_squares
    np.testing.assert_allclose(found.high, found.low, rtol=1e-9)


def test_the_summary_says_how_many_targets_lie_in_their_intervals_and_why_there_are_none(data):
    X, y, new = data
    model = fitted(X, y)
    target = new @ [1.0, 0.2, 3.0] + np.random.default_rng(1).normal(size=40)
    pred, index = model.outputs(new).predictions, np.arange(40)
    found = analyze_regression(target, pred, index=index, settings=FAST, design=new, fit=model.linear_fit)
    at = measured(model, new)
    assert found.summary["prediction_coverage"] == ((at.low <= target) & (target <= at.high)).mean()
    assert found.summary["leverage_mean"] == pytest.approx(at.leverage.mean())
    assert (found.summary["n_training"], found.summary["n_coefficients"]) == (120, 4)
    other = analyze_regression(target, pred, index=index, settings=FAST)
    assert other.summary["leverage_status"] == "no leverage (not the predictions of a linear regression)"
    assert other.summary["leverage_mean"] is None
    assert other.samples["leverage"].isna().all()
    assert len(other.coefficients) == 0


def test_a_design_that_is_not_the_models_is_rejected(data):
    X, y, new = data
    fit = fitted(X, y).linear_fit
    with pytest.raises(DataError, match=r"design: expected shape \(40, 3\)"):
        leverage_of(new[:, :2], np.zeros(40), fit, 0.95)
    with pytest.raises(DataError, match="design: row 3: a value is not finite"):
        leverage_of(np.where(np.arange(40)[:, None] == 3, np.nan, new), np.zeros(40), fit, 0.95)
