"""The metrics of the runs of a cell, from what they recorded, and their ensemble."""

from dataclasses import replace

import numpy as np
import pytest
from recorded_models import classifier, regression, two_classifiers
from scipy.stats import entropy
from sklearn.metrics import log_loss, r2_score, roc_auc_score, root_mean_squared_error

from mlx.pipeline.model_outputs import ModelOutputs
from mlx.results.comparison import Metric
from mlx.runs.compared_model import MEASURES
from mlx.stats.groups import Groups
from mlx.stats.status import OK, Reason
from mlx.studies.cells import estimate_cell
from mlx.studies.differences import difference_of
from mlx.studies.ensemble import ensemble_of, ensemble_rows
from mlx.studies.measure import measure_cell


@pytest.fixture(scope="module")
def runs() -> list[ModelOutputs]:
    return [*two_classifiers(300, np.random.default_rng(0)), *two_classifiers(300, np.random.default_rng(0))[:1]]


def test_every_metric_is_measured_with_influences_of_mean_0(runs: list[ModelOutputs]) -> None:
    found = measure_cell(runs[:2])
    assert set(found) == {Metric.ACCURACY, *MEASURES}
    for metric, values in found.items():
        assert (values.metric, values.why, values.influence.shape) == (metric, OK, (2, 300))
        assert np.abs(values.influence.mean(axis=1)).max() < 1e-12
    assert found[Metric.LOG_LOSS].estimates[0] == pytest.approx(log_loss(runs[0].y_true, runs[0].probabilities))
    assert found[Metric.ACCURACY].estimates[0] == (runs[0].y_true == runs[0].y_pred).mean()


def test_regressions_are_measured_in_the_unit_of_the_target() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(100, 5, 250)
    predicted = y + rng.normal(size=(3, 250))
    found = measure_cell([regression(y, one) for one in predicted])
    assert found[Metric.RMSE].estimates == pytest.approx([root_mean_squared_error(y, one) for one in predicted])
    assert found[Metric.R2].estimates == pytest.approx([r2_score(y, one) for one in predicted])
    assert found[Metric.MAE].influence[0] == pytest.approx(np.abs(predicted[0] - y) - np.abs(predicted[0] - y).mean())
    huge = measure_cell([regression(y * 1e306, -one * 1e306) for one in predicted])
    assert huge[Metric.MAE].why == Reason.BEYOND_RANGE()


def test_runs_on_other_samples_have_no_influences_and_are_not_paired(runs: list[ModelOutputs]) -> None:
    moved = replace(runs[1], index=runs[1].index + 1)
    assert measure_cell([runs[0], moved])[Metric.LOG_LOSS].n_samples == 0
    first, second = (measure_cell([run, run])[Metric.LOG_LOSS] for run in (runs[0], moved))
    assert difference_of(first, second)[3] == Reason.NO_TEST(Reason.OTHER_TEST_SAMPLES())


def test_groups_take_the_place_of_samples(runs: list[ModelOutputs]) -> None:
    found = measure_cell(runs[:2], groups=Groups.of(np.repeat(np.arange(100), 3)))[Metric.ACCURACY]
    assert (found.n_samples, found.is_proportion, found.why) == (100, False, OK)
    few = measure_cell(runs[:2], groups=Groups.of(np.repeat(np.arange(10), 30)))[Metric.ACCURACY]
    assert few.why == Reason.FEW_GROUPS(40)


def test_few_errors_have_no_interval_over_seeds_and_wilsons_for_one_model() -> None:
    y = np.arange(200) % 2
    p = np.where(np.arange(2) == y[:, None], 0.9, 0.1)
    p[:3] = p[:3, ::-1]
    model = classifier(y, p, np.random.default_rng(2).normal(size=(200, 3)))
    other = replace(model, probabilities=p * 0.98 + 0.01)
    two = measure_cell([model, replace(other, y_pred=1 - other.y_pred)])[Metric.ACCURACY]
    assert two.why in {Reason.FEW_ERRORS(4), Reason.FEW_CORRECT(4)}
    (one,) = estimate_cell("cell", measure_cell([model])[Metric.ACCURACY])
    assert (one.estimate, one.status) == (0.985, OK)
    assert one.low < 0.985 < one.high < 1


def test_the_interval_of_ece_holds_that_of_calibrated_and_of_overconfident_models() -> None:
    rng, given, held = np.random.default_rng(3), 0, 0
    for shift in (0.0, 0.15):
        for _ in range(60):
            confidence = rng.uniform(0.55, 0.95, 400)
            y = (rng.random(400) > confidence - shift).astype(int)  # label 1 is an error
            model = classifier(y, np.stack([confidence, 1 - confidence], axis=1), confidence[:, None])
            (row,) = estimate_cell("cell", measure_cell([model])[Metric.ECE])
            given += row.method.startswith("conservative")
            held += row.low <= shift <= row.high
    assert given == 120
    assert held >= 114


def test_an_ensemble_averages_and_disagrees(runs: list[ModelOutputs]) -> None:
    p = np.stack([run.probabilities for run in runs[:2]])  # type: ignore[misc]
    found = ensemble_of(list(p))
    assert found.probabilities == pytest.approx(p.mean(axis=0))
    assert found.entropy == pytest.approx(entropy(p.mean(axis=0), axis=1))
    assert found.mutual_information == pytest.approx(found.entropy - entropy(p, axis=2).mean(axis=0))
    assert found.disagreement == pytest.approx((p.argmax(axis=2) != found.y_pred).mean(axis=0))
    alone = ensemble_of([p[0], p[0]])
    assert np.abs(alone.mutual_information).max() < 1e-12
    assert not alone.disagreement.any()
    with pytest.raises(ValueError, match="one shape"):
        ensemble_of([p[0], p[1, 1:]])


def test_what_an_ensemble_reaches_has_intervals_and_scores_of_failure(runs: list[ModelOutputs]) -> None:
    cells = measure_cell(runs[:2])
    rows = {row.quantity: row for row in ensemble_rows("a", runs[:2], cells, level=0.9, n_bins=10)}
    made = ensemble_of([run.probabilities for run in runs[:2] if run.probabilities is not None])
    y = runs[0].y_true
    assert rows["accuracy"].estimate == (made.y_pred == y).mean()
    assert rows["accuracy"].low < rows["accuracy"].estimate < rows["accuracy"].high
    assert rows["log_loss"].estimate == pytest.approx(log_loss(y, made.probabilities))
    assert rows["log_loss"].mean_of_runs == cells[Metric.LOG_LOSS].mean
    for name in ("entropy", "mutual_information", "disagreement"):
        area = roc_auc_score(made.y_pred != y, getattr(made, name))
        assert rows[f"error_auroc_{name}"].estimate == pytest.approx(area)
    assert {(row.n_models, row.n_samples, row.confidence) for row in rows.values() if row.status.is_ok} == {
        (2, 300, 0.9)
    }
    equal = [runs[0], runs[2]]
    assert ensemble_rows("a", equal, measure_cell(equal), level=0.9, n_bins=10) == ()


def test_equal_runs_with_few_errors_are_one_model_and_accuracies_are_compared_by_their_differences() -> None:
    rng = np.random.default_rng(4)
    y = np.arange(400) % 2
    p = np.where(np.arange(2) == y[:, None], 0.9, 0.1)
    p[:5] = p[:5, ::-1]
    good = classifier(y, p, rng.normal(size=(400, 3)))
    plain = measure_cell([good] * 3)
    (row,) = estimate_cell("plain", plain[Metric.ACCURACY])
    assert (row.question, row.low < row.estimate < row.high) == ("this model, other samples", True)
    worse = []
    for _ in range(3):
        q = p.copy()
        wrong = rng.permutation(400)[:60]
        q[wrong] = q[wrong, ::-1]
        worse.append(classifier(y, q, good.layers["penultimate"]))  # type: ignore[arg-type]
    other = measure_cell(worse)
    fewer = [classifier(y, np.roll(p, 2 * k, axis=0), good.layers["penultimate"]) for k in range(3)]  # type: ignore[arg-type]
    row = estimate_cell("few", measure_cell(fewer)[Metric.ACCURACY])[1]
    assert row.method.startswith("Wilson's")
    assert row.estimate - row.low > row.high - row.estimate > 0
    _, interval, p_value, status = difference_of(plain[Metric.ACCURACY], other[Metric.ACCURACY])
    assert status == OK
    assert p_value < 0.05
    assert interval.high < 0
    assert difference_of(plain[Metric.LOG_LOSS], other[Metric.LOG_LOSS])[3] == Reason.NO_TEST(Reason.FEW_ERRORS(40))
