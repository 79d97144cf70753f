"""Whatever the data, no NaN and no infinity reaches a metrics file: what is undefined is null with a status."""

import json

import numpy as np
import pytest
from scipy.special import softmax
from tables_of import analyze_classification, analyze_regression

from mlx.core.metrics import write_metrics
from mlx.evaluation import EvaluationSettings, evaluate_classification, evaluate_regression
from mlx.residuals import ResidualsSettings

pytestmark = pytest.mark.slow

RESIDUALS = ResidualsSettings(n_bootstrap=100, n_permutations=19, projections=["pca"])
EVALUATION = EvaluationSettings(n_bootstrap=100)


def written(tmp_path, metrics):
    """The metrics as a strict reader of JSON finds them."""
    write_metrics(tmp_path / "metrics.json", metrics)

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads((tmp_path / "metrics.json").read_text(), parse_constant=refuse)


def assert_nulls_are_explained(found):
    """Each null has a status of its own; an interval shares that of the number."""
    for key, value in found.items():
        if value is None:
            assert found.get(f"{key.removesuffix('_interval')}_status") not in {None, "", "ok"}, key


def classifiers():
    generator = np.random.default_rng(0)
    for n, k in ((1, 2), (2, 2), (3, 3), (5, 2), (40, 3)):
        y = np.arange(n) % k
        logits = generator.normal(size=(n, k))
        yield f"n = {n}, k = {k}", y, logits
        yield f"n = {n}, k = {k}, perfect", y, 5 * np.eye(k)[y] + 0.1 * logits
        yield f"n = {n}, k = {k}, saturated", y, 600 * np.eye(k)[y] + logits
        yield f"n = {n}, k = {k}, beyond saturation", y, 1e5 * np.eye(k)[y] + logits
        yield f"n = {n}, k = {k}, always wrong", (y + 1) % k, 600 * np.eye(k)[y] + logits
        yield f"n = {n}, k = {k}, uniform", y, np.zeros((n, k))
        yield f"n = {n}, k = {k}, one class present", np.zeros(n, int), logits
        yield f"n = {n}, k = {k}, one class predicted", y, logits + 40 * np.eye(k)[0]
    y = generator.integers(2, size=200)
    yield "one saturated class", y, np.where(y == 0, 500, 3)[:, None] * np.eye(2)[y] + generator.normal(size=(200, 2))


@pytest.mark.parametrize(("y", "logits"), [case[1:] for case in classifiers()], ids=[case[0] for case in classifiers()])
@pytest.mark.parametrize("with_logits", [True, False])
def test_every_metric_of_a_classifier_is_a_number_or_null_with_its_reason(tmp_path, y, logits, with_logits):
    p = softmax(logits, axis=1)
    k, given = logits.shape[1], logits if with_logits else None
    names = [f"class {label}" for label in range(k)]
    found = evaluate_classification(y, p.argmax(axis=1), p, logits=given, class_names=names, settings=EVALUATION)
    assert_nulls_are_explained(written(tmp_path, found.metrics.as_dict()))
    scale = 10.0 ** np.random.default_rng(1).choice([-200.0, 0.0, 200.0])
    layers = {"layer": scale * np.random.default_rng(2).normal(size=(y.size, 3))}
    analyzed = analyze_classification(
        layers, logits=given, probabilities=p, y_true=y, y_pred=p.argmax(axis=1), class_names=names,
        index=np.arange(y.size), settings=RESIDUALS,
    )  # fmt: skip
    assert_nulls_are_explained(written(tmp_path, analyzed.headline))
    for table in (analyzed.classes, analyzed.tests, analyzed.temperature, analyzed.risk_coverage):
        assert not np.isinf(table.select_dtypes("number").to_numpy(float)).any()
    missing = analyzed.temperature["log_loss"].isna()
    assert (analyzed.temperature.loc[missing, "status"] != "ok").all()
    assert (analyzed.tests.loc[analyzed.tests["estimate"].isna(), "status"] != "ok").all()


def regressions():
    generator = np.random.default_rng(0)
    for n in (1, 2, 3, 4, 5, 40):
        x, noise = np.arange(n, dtype=float), generator.normal(size=n)
        yield f"n = {n}", x + noise, x
        yield f"n = {n}, perfect", x, x
        yield f"n = {n}, residuals of rounding", 1e6 + x, (1e6 + x) * (1 + 1e-16 * noise)
        yield f"n = {n}, residuals of 1e-12", 1.7e12 + x + noise, 1.7e12 + x
        yield f"n = {n}, constant target", np.full(n, 0.1), 0.1 + noise
        yield f"n = {n}, target constant but for rounding", np.where(x % 2, 0.3, 0.1 + 0.2), noise
        yield f"n = {n}, constant prediction", noise, np.zeros(n)
        yield f"n = {n}, everything constant", np.ones(n), np.ones(n)
        yield f"n = {n}, residuals of one size", x + (-1.0) ** x, x
        for unit in (1e-310, 1e-200, 1e200, 1e307):
            yield f"n = {n}, in units of {unit}", (x + noise) / 100 * unit, x / 100 * unit
        yield f"n = {n}, targets of 1e-200, predictions of 1", (x + noise) * 1e-200, noise
        yield (
            f"n = {n}, opposite ends of the range",
            np.where(x % 2, 1.7e308, -1.7e308),
            np.where(x % 2, -1.7e308, 1.7e308),
        )


@pytest.mark.parametrize(
    ("y", "predicted"), [case[1:] for case in regressions()], ids=[case[0] for case in regressions()]
)
def test_every_metric_of_a_regression_is_a_number_or_null_with_its_reason(tmp_path, y, predicted):
    evaluated = evaluate_regression(y, predicted, settings=EVALUATION).metrics.as_dict()
    assert_nulls_are_explained(written(tmp_path, evaluated))
    found = analyze_regression(y, predicted, index=np.arange(y.size), settings=RESIDUALS)
    summary = written(tmp_path, found.summary)
    assert summary["leverage_status"].startswith("no leverage")
    assert_nulls_are_explained(summary)


@pytest.mark.parametrize("unit", [1e-300, 1e-200, 1e150, 1e300])
def test_metrics_of_a_regression_scale_with_the_unit_of_its_target(unit):
    generator = np.random.default_rng(3)
    x = generator.normal(size=60)
    y = x + 0.3 * generator.normal(size=60)
    plain, scaled = (evaluate_regression(y * s, x * s, settings=EVALUATION).metrics.as_dict() for s in (1.0, unit))
    for key in ("rmse", "rmse_low", "rmse_high", "mae", "mae_low", "mae_high"):
        assert scaled[key] == pytest.approx(plain[key] * unit, rel=1e-11)
    for key in ("r2", "r2_low", "r2_high"):
        assert scaled[key] == pytest.approx(plain[key], rel=1e-11)
    plain, scaled = (
        analyze_regression(y * s, x * s, index=np.arange(60), settings=RESIDUALS).summary for s in (1.0, unit)
    )
    for key, value in plain.items():
        expected = value * unit if key in {"residual_mean", "residual_sd", "rmse"} else value
        assert scaled[key] == (pytest.approx(expected, rel=1e-9) if isinstance(value, float) else expected), key


def test_residuals_equal_in_a_chain_of_rounding_have_no_rank_correlation_and_a_status():
    generator = np.random.default_rng(0)
    fitted = 1.7e12 + generator.normal(size=60)
    found = analyze_regression(fitted + generator.normal(size=60), fitted, index=np.arange(60), settings=RESIDUALS)
    assert found.summary["spread_spearman"] is None
    assert "constant absolute residuals" in found.summary["status"]


def test_an_infinite_validation_loss_of_a_forest_is_missing_and_not_a_large_number(tmp_path):
    from mlx.pipeline.train import _summary
    from mlx.training.fit import FitResult

    reached = {"loss": 0.1, "accuracy": 1.0, "val_loss": np.inf, "val_accuracy": 0.9}
    found = written(tmp_path, _summary(FitResult((reached,), 1)))
    assert (found["val_loss"], found["val_accuracy"]) == (None, 0.9)
    assert found["val_loss_status"].startswith("infinite")
