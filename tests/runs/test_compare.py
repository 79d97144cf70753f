"""Two runs are compared on the samples that both tested, and every difference has a test that holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recorded_models import classifier, compared, regression, run_in, two_classifiers, wrong
from scipy.sparse import csr_array
from scipy.stats import t, ttest_rel
from sklearn.metrics import log_loss, r2_score, roc_auc_score

from mlx.pipeline.model_outputs import ModelOutputs
from mlx.residuals import ResidualsSettings, analyze_classification
from mlx.results.comparison import Metric, SharedSamples
from mlx.results.questions import Question
from mlx.runs.compare import compare_runs
from mlx.runs.compared_model import MEASURES, ComparedModel
from mlx.runs.paired_tests import _By, _difference, paired_tests
from mlx.runs.run import Run
from mlx.runs.shared_samples import SharedOutputs
from mlx.stats.gates import ValidationErrors
from mlx.stats.groups import Groups
from mlx.stats.status import OK, Reason


def test_every_metric_of_two_classifiers_is_compared(tmp_path: Path) -> None:
    first, second = two_classifiers(400, np.random.default_rng(0), sharpness=(1, 2))
    found = compared(tmp_path, first, second)
    assert [*found] == [Metric.ACCURACY, *MEASURES]
    assert [test.metric for test in found.values() if test.primary] == [Metric.ACCURACY]
    for metric, test in found.items():
        assert test.difference == pytest.approx(test.estimate_second - test.estimate_first, abs=1e-12)
        if metric is not Metric.ECE:
            assert (test.status, test.n, test.confidence, test.p_holm) == (OK, 400, 0.95, test.p)
            assert test.low < test.difference < test.high
            assert (test.p < 0.05) == (not test.low <= 0 <= test.high)
            assert test.null
    assert found[Metric.ECE].status == Reason.NO_TEST(Reason.BIASED_BY_BINNING())


def test_estimates_and_tests_are_those_of_other_software(tmp_path: Path) -> None:
    models = two_classifiers(400, np.random.default_rng(1), sharpness=(1, 2))
    found = compared(tmp_path, *models)
    y = models[0].y_true
    truth = np.arange(len(y)), y
    losses = [-np.log(model.probabilities[truth]) for model in models]
    expected = ttest_rel(losses[1], losses[0])
    assert found[Metric.LOG_LOSS].p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found[Metric.LOG_LOSS].low == pytest.approx(expected.confidence_interval().low, rel=1e-9)
    for which, model in zip(("estimate_first", "estimate_second"), models, strict=True):
        assert getattr(found[Metric.LOG_LOSS], which) == pytest.approx(log_loss(y, model.probabilities))
        area = roc_auc_score(y, model.probabilities, multi_class="ovr")
        assert getattr(found[Metric.ROC_AUC], which) == pytest.approx(area)
        entropy = -(model.probabilities * np.log(model.probabilities)).sum(axis=1)
        assert getattr(found[Metric.ERROR_AUROC], which) == pytest.approx(roc_auc_score(wrong(model), entropy))


def test_the_variance_of_an_auroc_difference_is_that_of_placements_although_the_errors_differ(tmp_path: Path) -> None:
    models = two_classifiers(150, np.random.default_rng(2))
    found = compared(tmp_path, *models)[Metric.ERROR_AUROC]
    n, influence = 150, []
    for model in models:
        error, entropy = wrong(model), -(model.probabilities * np.log(model.probabilities)).sum(axis=1)
        above = (entropy[error][:, None] > entropy[~error]) + 0.5 * (entropy[error][:, None] == entropy[~error])
        phi = np.empty(n)
        phi[error] = (above.mean(axis=1) - above.mean()) * n / error.sum()
        phi[~error] = (above.mean(axis=0) - above.mean()) * n / (~error).sum()
        influence.append(phi)
    variance = ((influence[0] - influence[1]) ** 2).sum() / (n * (n - 1))
    df = min(min(wrong(model).sum(), n - wrong(model).sum()) for model in models) - 1
    assert found.high - found.difference == pytest.approx(t.ppf(0.975, df) * variance**0.5, rel=1e-9)
    assert found.p == pytest.approx(2 * t.sf(abs(found.difference) / variance**0.5, df), rel=1e-9)


@pytest.mark.parametrize("metric", [m for m in MEASURES if m is not Metric.ECE])
def test_an_influence_is_what_a_sample_changes(metric: Metric) -> None:
    model, _ = two_classifiers(300, np.random.default_rng(3), ease=0.7)
    rows = np.arange(300)
    whole = ComparedModel(model, rows, 10).measure(metric)
    influence = whole.influence - whole.influence.mean()
    for sample in (0, 5, *np.flatnonzero(wrong(model))[:2]):
        without = ComparedModel(model, np.delete(rows, sample), 10).measure(metric)
        assert 299 * (whole.estimate - without.estimate) == pytest.approx(influence[sample], abs=0.02, rel=0.05)


def of_trees(model: ModelOutputs, n_trees: int) -> ModelOutputs:
    """Return the model as a forest that adds up shares: equal ones in another order have entropies that round apart."""
    counts = np.round(np.asarray(model.probabilities) * n_trees)
    return replace(model, probabilities=counts / counts.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("n_trees", [None, 7, 40])
def test_estimates_are_those_of_the_analysis(tmp_path: Path, n_trees: int | None) -> None:
    models = two_classifiers(300, np.random.default_rng(4))
    model, other = models if n_trees is None else (of_trees(one, n_trees) for one in models)
    found = compared(tmp_path, model, other)
    analyzed = analyze_classification(
        model.layers,
        logits=None,
        probabilities=model.probabilities,
        y_true=model.y_true,
        y_pred=model.y_pred,
        class_names=model.class_names,
        index=model.index,
        settings=ResidualsSettings(n_bootstrap=100, n_permutations=99, projections=[]),
    )
    expected = {test.statistic: test.estimate for test in analyzed.tests if test.question is Question.ERROR_BY_ENTROPY}
    for metric in (Metric.ERROR_AUROC, Metric.ERROR_AURC, Metric.ERROR_AUGRC):
        statistic = metric.removeprefix("error_").removesuffix("_entropy")
        assert found[metric].estimate_first == pytest.approx(expected[statistic], rel=1e-12)
    within = found[Metric.PEARSON_WITHIN].estimate_first
    assert within == pytest.approx(analyzed.headline["pearson_within"], rel=1e-12)


def test_identical_models_differ_in_nothing(tmp_path: Path) -> None:
    model, _ = two_classifiers(200, np.random.default_rng(5))
    found = compared(tmp_path, model, replace(model, index=model.index.copy()))
    assert (found[Metric.ACCURACY].p, found[Metric.ACCURACY].difference) == (1, 0)
    assert found[Metric.ACCURACY].low < 0 < found[Metric.ACCURACY].high
    assert found[Metric.ACCURACY].status == Reason.TOO_FEW_DIFFERENCES(4)
    assert found[Metric.LOG_LOSS].status == Reason.NO_TEST(Reason.ALL_THE_SAME())


def test_validation_decides_which_tests_are_given(tmp_path: Path) -> None:
    models = two_classifiers(200, np.random.default_rng(6))
    rows = np.arange(200)
    rare, usual, errors = ValidationErrors(1000, 20), ValidationErrors(1000, 300), int(wrong(models[0]).sum())
    few = Reason.FEW_EXPECTED_ERRORS(30)
    for validation, why, carrying in [(rare, few, np.inf), (usual, OK, min(errors, 200 - errors))]:
        model = ComparedModel(replace(models[0], validation=validation), rows, 10)
        found = model.measure(Metric.ERROR_AUROC)
        assert (found.why, found.n_carrying) == (why, carrying)
    assert model.expected_errors == pytest.approx(200 * 300.5 / 1001)


def test_a_probability_of_0_leaves_no_log_loss_and_says_so(tmp_path: Path) -> None:
    first, second = two_classifiers(100, np.random.default_rng(7))
    p = np.asarray(second.probabilities).copy()
    p[3] = np.eye(3)[(second.y_true[3] + 1) % 3]
    found = compared(tmp_path, first, classifier(second.y_true, p, second.layers["penultimate"]))[Metric.LOG_LOSS]
    assert found.status == Reason.PROBABILITY_ZERO("1 sample has", "its")
    assert np.isnan([found.estimate_second, found.difference, found.p, found.low]).all()
    assert np.isfinite(found.estimate_first)


def test_each_metric_is_adjusted_for_the_number_of_further_runs(tmp_path: Path) -> None:
    first, second = two_classifiers(200, np.random.default_rng(11))
    third = two_classifiers(200, np.random.default_rng(11), sharpness=(1, 0.5))[1]
    found = compare_runs([run_in(tmp_path / f"{i}/1", one) for i, one in enumerate((first, second, third))]).tests
    for metric in (Metric.ACCURACY, Metric.BRIER):
        small, large = sorted((test for test in found if test.metric is metric), key=lambda test: test.p)
        assert small.p_holm == pytest.approx(min(1, 2 * small.p))
        assert large.p_holm == pytest.approx(max(large.p, small.p_holm))


def test_two_regressions_are_compared_in_their_unit(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    y = rng.normal(size=200)
    first, second = y + rng.normal(size=200), y + 0.8 * rng.normal(size=200)
    found = compared(tmp_path, regression(y, first), regression(y, second))
    assert [*found] == [Metric.MAE, Metric.RMSE, Metric.R2]
    expected = ttest_rel(np.abs(second - y), np.abs(first - y))
    assert found[Metric.MAE].p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found[Metric.MAE].high == pytest.approx(expected.confidence_interval().high, rel=1e-9)
    assert found[Metric.R2].estimate_first == pytest.approx(r2_score(y, first), rel=1e-9)
    assert found[Metric.RMSE].estimate_second == pytest.approx(np.sqrt(np.mean((second - y) ** 2)), rel=1e-9)
    drawn = [np.random.default_rng(seed).integers(0, 200, size=200) for seed in range(500)]
    for metric, statistic in {
        Metric.RMSE: lambda y, p: np.sqrt(np.mean((p - y) ** 2)),
        Metric.R2: r2_score,
    }.items():
        spread = np.std([statistic(y[rows], second[rows]) - statistic(y[rows], first[rows]) for rows in drawn])
        half = (found[metric].high - found[metric].low) / 2
        assert half == pytest.approx(1.97 * spread, rel=0.15)
    unit = 2.0**700
    scaled = compared(tmp_path / "scaled", regression(y * unit, first * unit), regression(y * unit, second * unit))
    for metric in (Metric.MAE, Metric.RMSE):
        assert scaled[metric].low == found[metric].low * unit
    assert [test.p for test in scaled.values()] == [test.p for test in found.values()]


def odd_classifier(y_true: np.ndarray, n_classes: int, rng: np.random.Generator) -> ModelOutputs:
    """Constant, tied or saturated outputs; layers of zeros, of one direction, or beyond the range of squares."""
    n, scale = len(y_true), rng.choice([0, 1e-3, 1, 5, 800])
    logits = np.round(scale * rng.normal(size=(n, n_classes)), rng.integers(0, 4))
    logits += rng.choice([0, 0, 1000]) * np.eye(n_classes)[y_true]
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    layer = rng.choice([1e-200, 1, 1e200]) * rng.normal(size=(n, 4)) * (rng.random((n, 1)) < rng.choice([0.5, 1]))
    model = classifier(y_true, p / p.sum(axis=1, keepdims=True), layer if rng.random() < 0.8 else np.ones((n, 4)))
    leaves = csr_array(np.where(rng.random((n, 6)) < 0.4, 1.0, 0.0))
    model = replace(model, layers={"leaves": leaves}) if rng.random() < 0.3 else model
    return replace(model, logits=logits) if rng.random() < 0.3 else model


@pytest.mark.parametrize("n", [1, 2, 3, 8, 30, 80])
def test_every_result_is_a_number_or_says_why_not(tmp_path: Path, n: int) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n_classes = int(rng.choice([2, 3, 10]))
        y = rng.integers(0, n_classes, size=n) * (seed % 4 > 0)
        pair = [odd_classifier(y, n_classes, rng) for _ in range(2)]
        target, unit = rng.normal(size=n), rng.choice([0, 1, 1e-200, 1e300])
        line = [regression(unit * target, unit * target + rng.choice([0, 1]) * rng.normal(size=n)) for _ in range(2)]
        groups = Groups.of(rng.integers(0, n, size=n)) if seed % 3 == 0 else None
        for models in (pair, line):
            samples = SharedSamples(first="first", second="second", n=n)
            shared = SharedOutputs(samples, tuple(models), (np.arange(n), np.arange(n)), groups)
            run = Run(tmp_path, None)  # type: ignore[arg-type]  # its summary is not read
            for test in paired_tests(run, run, shared, level=0.9, n_bins=10):
                assert np.isnan(test.p) == np.isnan(test.low) == np.isnan(test.high) == np.isnan(test.confidence)
                if np.isnan(test.p):
                    assert not test.status.is_ok
                else:
                    assert test.low <= test.difference <= test.high
                    assert (test.p < 0.1) == (not test.low <= 0 <= test.high)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "ease", "sharpness"), [(200, 1.0, (1, 1)), (300, 2.5, (1, 1)), (250, 1.0, (1, 1.6))])
def test_where_tests_are_given_they_hold(n: int, ease: float, sharpness: tuple[float, float]) -> None:
    """Over 500 pairs of models with different errors: the interval of the difference covers the one of many samples."""
    metrics = [metric for metric in MEASURES if metric not in {Metric.ECE, Metric.ROC_AUC}]
    many = two_classifiers(60_000, np.random.default_rng(0), sharpness=sharpness, ease=ease)
    rates = [ValidationErrors(60_000, int(wrong(model).sum())) for model in many]
    whole = [ComparedModel(model, np.arange(60_000), 10) for model in many]
    truth = {metric: whole[1].measure(metric).estimate - whole[0].measure(metric).estimate for metric in metrics}
    if sharpness[0] == sharpness[1]:
        truth = dict.fromkeys(metrics, 0.0)
    missed = {metric: list[bool]() for metric in metrics}
    for seed in range(500):
        pair = two_classifiers(n, np.random.default_rng(seed + 1), sharpness=sharpness, ease=ease)
        models = [ComparedModel(replace(m, validation=v), np.arange(n), 10) for m, v in zip(pair, rates, strict=True)]
        for metric in metrics:
            found = _difference(models[0].measure(metric), models[1].measure(metric), _By(0.95, None))
            if found.interval.why_missing.is_ok:
                missed[metric].append(not found.interval.low <= truth[metric] <= found.interval.high)
    assert sum(len(each) > 400 for each in missed.values()) >= 3
    shares = {metric: float(np.mean(each)) for metric, each in missed.items() if each}
    assert {metric: share for metric, share in shares.items() if not 0.02 <= share <= 0.08} == {}
