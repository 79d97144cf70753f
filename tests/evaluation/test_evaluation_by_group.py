"""Metrics of samples that belong together: their intervals and p-values go by group, or are missing."""

import json

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import binom, t

from mlx.core.errors import DataError, SettingsError
from mlx.core.metrics import read_metrics, write_metrics
from mlx.evaluation import EvaluationSettings, evaluate_classification, evaluate_regression
from mlx.results.evaluation import ClassificationMetrics, RegressionMetrics
from mlx.stats.gates import ValidationErrors
from mlx.stats.groups import Groups
from mlx.stats.proportions import wilson_interval

SHARES = ("accuracy", "balanced_accuracy", "macro_precision", "macro_f1", "cohen_kappa", "matthews_corrcoef")
METRICS = (*SHARES, "weighted_precision", "weighted_f1", "roc_auc", "average_precision", "log_loss", "brier")


def drawn(generator, n_groups=60, size=5, *, shared=0.5, scale=1.5, n_classes=3):
    """Groups, labels and logits that are calibrated; the samples of a group share a part of their noise."""
    groups = np.repeat(np.arange(n_groups), size)
    y = generator.integers(n_classes, size=groups.size)
    common, own = generator.normal(size=(n_groups, n_classes)), generator.normal(size=(groups.size, n_classes))
    noise = np.sqrt(shared) * common[groups] + np.sqrt(1 - shared) * own
    return groups, y, scale * noise + scale**2 * np.eye(n_classes)[y]


def evaluated(y, logits, groups=None, *, name=None, validation=None):
    return evaluate_classification(
        y,
        logits.argmax(axis=1),
        softmax(logits, axis=1),
        logits=logits,
        class_names=[str(label) for label in range(logits.shape[1])],
        settings=EvaluationSettings(n_bootstrap=100, groups=name),
        validation=validation,
        groups=groups,
    ).metrics


def test_accuracy_has_the_interval_of_korn_and_graubard():
    sizes, right = np.tile([3, 2, 1, 4, 2], 20), np.tile([3, 0, 1, 4, 1], 20)
    groups = np.repeat(np.arange(100), sizes)
    correct = np.concatenate([np.arange(n) < k for n, k in zip(sizes, right, strict=True)])
    logits = np.where(correct[:, None], [1.0, 0.0], [0.0, 1.0])
    found = evaluated(np.zeros(240, dtype=int), logits, groups, name="subject")
    # The reference's five groups, twenty times: only the factor G/(G - 1) and the quantiles of t are others.
    effect = (55 / 24) * (100 / 99) / (5 / 4)
    n = 240 / effect * (t.ppf(0.975, 239) / t.ppf(0.975, 99)) ** 2
    expected = wilson_interval(0.75 * n, n)
    for estimate in (found.accuracy, found.weighted_recall):
        assert estimate.value == 0.75
        assert (estimate.interval.low, estimate.interval.high) == pytest.approx(
            (expected.low, expected.high), abs=1e-12
        )
    assert (found.groups, found.n_groups) == ("subject", 100)


@pytest.mark.slow
def test_standard_errors_are_those_of_a_jackknife_over_groups():
    groups, y, logits = drawn(np.random.default_rng(3), n_groups=200, shared=0.8)
    whole = evaluated(y, logits, groups)
    parts = [evaluated(y[groups != g], logits[groups != g]).as_dict() for g in range(200)]
    for name in METRICS:
        without = np.array([part[name] for part in parts])
        error = np.sqrt(199 / 200 * ((without - without.mean()) ** 2).sum())
        ends = getattr(whole, name).interval
        width = (ends.high - ends.low) / 2 / t.ppf(0.975, 199)
        assert width == pytest.approx(error, rel=0.06), name


def test_one_sample_a_group_is_no_group():
    _, y, logits = drawn(np.random.default_rng(4), n_groups=400, size=1)
    plain, alone = evaluated(y, logits).as_dict(), evaluated(y, logits, np.arange(400)).as_dict()
    for name in METRICS:
        for end in ("", "_low", "_high"):
            assert alone[name + end] == pytest.approx(plain[name + end], abs=5e-4)


def test_copies_of_samples_are_worth_one_sample():
    _, y, logits = drawn(np.random.default_rng(5), n_groups=300, size=1)
    copies = np.repeat(np.arange(300), 4)
    once, copied = evaluated(y, logits), evaluated(y[copies], logits[copies], copies)
    for name in METRICS:
        widths = [np.ptp([one.interval.low, one.interval.high]) for one in (getattr(once, name), getattr(copied, name))]
        assert widths[1] == pytest.approx(widths[0], rel=0.03), name
    assert copied.spiegelhalter.z == pytest.approx(once.spiegelhalter.z, rel=0.01)


def test_what_is_not_given_by_group_says_why():
    groups, y, logits = drawn(np.random.default_rng(6))
    found = evaluated(y, logits, groups)
    assert np.isnan([found.ece_p, found.ece_if_calibrated]).all()
    assert found.as_dict()["ece_p_status"] == found.as_dict()["ece_if_calibrated_status"] == "not by group"
    assert found.groups == "given"
    few = evaluated(y, logits, groups % 30).as_dict()
    for name in METRICS:
        assert few[f"{name}_low"] is None
        assert few[f"{name}_status"] == "no interval (fewer than 40 groups)"
    assert few["spiegelhalter_p_status"] == few["excess_surprise_p_status"] == "fewer than 40 groups"
    rare = evaluated(y, logits, groups, validation=ValidationErrors(1000, 150))  # 45 of 300 in groups of 5
    assert str(rare.accuracy.status) == "no interval (fewer than 10 effective errors in groups)"
    rare = evaluated(np.where(groups < 2, 2, y % 2), logits, groups)  # ten samples of a class, in two groups
    assert str(rare.macro_f1.status) == "no interval (a class has fewer than 8 effective samples in groups)"


def test_a_regression_goes_by_group_as_well():
    generator = np.random.default_rng(7)
    groups = np.repeat(np.arange(80), 4)
    y, error = generator.normal(size=320), np.repeat(generator.normal(size=80), 4)
    once = evaluate_regression(y[::4], y[::4] + error[::4], settings=EvaluationSettings())
    found = evaluate_regression(y, y + error, settings=EvaluationSettings(groups="subject"), groups=groups)
    assert (found.metrics.groups, found.metrics.n_groups) == ("subject", 80)
    for name in ("rmse", "mae"):
        ends = [
            (one.interval.low, one.interval.high) for one in (getattr(found.metrics, name), getattr(once.metrics, name))
        ]
        assert ends[0] == pytest.approx(ends[1], rel=1e-9), name  # four equal errors say what one says
    few = evaluate_regression(y, y + error, settings=EvaluationSettings(), groups=groups % 39).metrics
    assert {str(one.status) for one in (few.rmse, few.mae, few.r2)} == {"no interval (fewer than 40 groups)"}


def test_what_was_written_is_read_again(tmp_path):
    groups, y, logits = drawn(np.random.default_rng(8))
    regression = evaluate_regression(y, y + logits[:, 0], settings=EvaluationSettings(groups="site"), groups=groups)
    path = tmp_path / "evaluation.json"
    for metrics, kind in ((evaluated(y, logits, groups, name="site"), ClassificationMetrics),
                          (regression.metrics, RegressionMetrics)):  # fmt: skip
        write_metrics(path, metrics.as_dict())
        assert json.loads(path.read_text())["groups"] == "site"
        assert kind.from_dict(path, read_metrics(path)).as_dict() == metrics.as_dict()


def test_labels_that_do_not_fit_are_rejected():
    _, y, logits = drawn(np.random.default_rng(9))
    with pytest.raises(SettingsError, match=r"evaluation\.groups: expected the labels of groups 'site', found none"):
        evaluated(y, logits, name="site")
    with pytest.raises(DataError, match=r"groups: expected shape \(300,\), found \(299,\)"):
        evaluated(y, logits, np.arange(299))


def test_a_sample_without_a_label_is_a_group_by_itself():
    _, y, logits = drawn(np.random.default_rng(10))
    labels = np.array([None] * 100 + ["a", "b"] * 100, dtype=object)
    assert evaluated(y, logits, labels).n_groups == Groups.of(labels).count == 102


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.5, 0.8])
def test_intervals_cover_and_tests_reject_as_often_as_they_say(shared):
    runs, generator = 500, np.random.default_rng(11)
    many = [evaluated(*drawn(generator, 20_000, 1)[1:]).as_dict() for _ in range(3)]
    true = {name: np.mean([one[name] for one in many]) for name in METRICS}
    validation = ValidationErrors(10_000, round(10_000 * (1 - true["accuracy"])))
    found = []
    for _ in range(runs):
        groups, y, logits = drawn(generator, shared=shared)
        found.append(evaluated(y, logits, groups, validation=validation).as_dict())
    for name in METRICS:
        given = [one for one in found if one[f"{name}_low"] is not None]
        assert len(given) > 0.9 * runs, name
        hits = np.mean([one[f"{name}_low"] <= true[name] <= one[f"{name}_high"] for one in given])
        assert binom.ppf(0.001, runs, 0.93) <= hits * runs <= binom.ppf(0.999, runs, 0.97), (name, hits)
    for name in ("spiegelhalter_p", "excess_surprise_p"):
        p = np.array([one[name] for one in found if one[name] is not None])
        assert binom.ppf(0.001, p.size, 0.03) <= (p <= 0.05).sum() <= binom.ppf(0.999, p.size, 0.07), name
