"""Regression metrics against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from mlx.core.errors import DataError
from mlx.evaluation import EvaluationSettings, evaluate_regression
from mlx.stats.mean_intervals import mean_interval
from mlx.stats.square_intervals import mean_square_interval

SETTINGS = EvaluationSettings()


def test_metrics_agree_with_scikit_learn():
    generator = np.random.default_rng(0)
    true = generator.normal(50, 2, size=80)
    pred = true + generator.normal(size=80)
    found = evaluate_regression(true, pred[:, None], settings=SETTINGS).metrics.as_dict()
    expected = {
        "n": 80,
        "rmse": pytest.approx(oracle.root_mean_squared_error(true, pred), rel=1e-13),
        "mae": pytest.approx(oracle.mean_absolute_error(true, pred), rel=1e-13),
        "r2": pytest.approx(oracle.r2_score(true, pred), rel=1e-12),
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("offset", [1e8, 1e12, 1e15, -1e15])
def test_r2_keeps_its_digits_far_from_0(offset):
    generator = np.random.default_rng(0)
    true = offset + generator.normal(size=60)
    pred = true + np.round(generator.normal(size=60), 1)
    y, error = (true - offset).astype(np.longdouble), (true - pred).astype(np.longdouble)
    expected = float(1 - (error**2).sum() / ((y - y.mean()) ** 2).sum())
    assert evaluate_regression(true, pred, settings=SETTINGS).metrics.r2.value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_a_constant_target_has_no_r2(value):
    assert evaluate_regression(np.full(7, value), np.arange(7.0), settings=SETTINGS).metrics.as_dict()["r2"] is None


def test_what_cannot_be_used_is_refused_with_its_row():
    with pytest.raises(DataError, match="y_pred: row 1: a value is not finite"):
        evaluate_regression([1.0, 2.0], [1.0, np.nan], settings=SETTINGS)
    with pytest.raises(DataError, match=r"found \(2,\) and \(3,\)"):
        evaluate_regression([1.0, 2.0], [1.0, 2.0, 3.0], settings=SETTINGS)


def test_targets_whose_squares_overflow_have_finite_metrics():
    generator = np.random.default_rng(0)
    true = generator.normal(size=60)
    pred = true + 0.1 * generator.normal(size=60)
    plain, large = (
        evaluate_regression(true * unit, pred * unit, settings=SETTINGS).metrics.as_dict() for unit in (1, 1e200)
    )
    for name in ("rmse", "rmse_low", "mae", "mae_high"):
        assert large[name] == pytest.approx(plain[name] * 1e200)
    assert large["r2_high"] == pytest.approx(plain["r2_high"])


@pytest.mark.parametrize(("freedom", "again"), [(2.5, 9), (30, 2)])
def test_the_high_end_of_a_mean_square_is_that_with_the_largest_as_often_again_as_the_tail_says(freedom, again):
    squares = np.random.default_rng(0).standard_t(freedom, size=100) ** 2
    ordered = np.sort(squares)[::-1]
    inverse = np.log(ordered[:20] / ordered[20]).mean()  # Hill's estimate of 1/α from the 2√n largest
    assert again == (9 if inverse >= 8 / 9 else np.ceil(1 / (1 - inverse)))
    expected = mean_interval(np.append(squares, np.full(again, ordered[0])), 0.95).high
    assert mean_square_interval(squares, 0.95).high == pytest.approx(expected, rel=1e-12)
