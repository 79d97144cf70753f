"""The residuals of a regression against scipy."""

import json

import numpy as np
import pytest
from scipy import stats
from tables_of import analyze_regression

from mlx.core.errors import DataError
from mlx.residuals import ResidualsSettings
from mlx.results.classification_residuals import CLASSES
from mlx.results.tests import TESTS

FAST = ResidualsSettings(n_bootstrap=200, n_permutations=199)


def analyze(true, pred, settings=FAST):
    return analyze_regression(true, pred, index=np.arange(len(true)), settings=settings)


@pytest.fixture
def fitted():
    generator = np.random.default_rng(0)
    pred = generator.normal(size=150)
    return pred + np.exp(pred / 2) * generator.normal(size=150), pred


def test_summary_agrees_with_scipy(fitted):
    residual = fitted[0] - fitted[1]
    summary = analyze(*fitted).summary
    assert summary["residual_sd"] == pytest.approx(residual.std(ddof=1))
    assert summary["rmse"] == pytest.approx(np.sqrt((residual**2).mean()))
    assert summary["skewness"] == pytest.approx(stats.skew(residual))
    assert summary["excess_kurtosis"] == pytest.approx(stats.kurtosis(residual))
    statistic, p = stats.jarque_bera(residual)
    assert summary["jarque_bera"] == pytest.approx(statistic)
    assert summary["normality_p"] == pytest.approx(p, rel=1e-9)
    assert summary["spread_spearman"] == pytest.approx(stats.spearmanr(abs(residual), fitted[1])[0])
    assert summary["spread_spearman_low"] < summary["spread_spearman"] < summary["spread_spearman_high"]
    assert summary["spread_spearman_p"] == 1 / 201
    assert summary["status"] == "ok"
    json.dumps(summary, allow_nan=False)


def test_samples_hold_residuals_with_mean_zero_and_unit_spread(fitted):
    samples = analyze(*fitted).samples
    assert list(samples) == [
        "index", "y_true", "y_pred", "residual", "abs_residual", "standardised", "normal_quantile", "leverage",
        "prediction_low", "prediction_high",
    ]  # fmt: skip
    assert samples["standardised"].mean() == pytest.approx(0, abs=1e-12)
    assert samples["standardised"].std() == pytest.approx(1)


def test_the_seed_decides_the_bytes(fitted):
    assert analyze(*fitted).summary == analyze(*fitted).summary
    other = analyze(*fitted, settings=FAST.model_copy(update={"seed": 7})).summary
    assert other["spread_spearman_low"] != analyze(*fitted).summary["spread_spearman_low"]


@pytest.mark.parametrize(
    ("true", "pred", "status"),
    [
        ([1.0], [2.0], "too few samples (n < 4)"),
        (np.arange(50.0) + 0.1, np.arange(50.0), "constant residuals; constant absolute residuals"),
        (np.random.default_rng(0).normal(size=50), np.zeros(50), "constant predictions"),
        (
            np.arange(9.0) ** 2,
            np.arange(9.0),
            "no tests of normality, spread and memory (n < 30); no interval (n < 20)",
        ),
    ],
)
def test_what_cannot_be_said_has_a_status(true, pred, status):
    summary = analyze(np.asarray(true), np.asarray(pred)).summary
    assert summary["status"] == status
    assert None in summary.values()
    json.dumps(summary, allow_nan=False)


def test_what_cannot_be_used_is_refused_with_its_row():
    with pytest.raises(DataError, match="y_true: row 1: a value is not finite"):
        analyze([1.0, np.inf], [1.0, 2.0])
    with pytest.raises(DataError, match="of one shape"):
        analyze([1.0, 2.0], [1.0])


def test_tables_without_rows_keep_their_header():
    assert tuple(CLASSES.frame().columns) == CLASSES.columns
    assert tuple(TESTS.frame().columns) == TESTS.columns
    assert len(CLASSES.frame()) == len(TESTS.frame()) == 0
