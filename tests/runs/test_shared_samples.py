"""Which samples two runs are compared on, and which of these are not independent."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from recorded_models import classifier, compared, run_in, two_classifiers, wrong
from scipy.stats import t

from mlx.commands import compare
from mlx.core.artifacts import write_parquet
from mlx.pipeline.model_outputs import ModelOutputs
from mlx.results.comparison import Metric
from mlx.runs.compare import compare_runs
from mlx.runs.shared_samples import shared_outputs
from mlx.stats.status import OK, Reason


def test_test_sets_of_other_splits_are_counted_and_only_shared_samples_used(tmp_path: Path) -> None:
    first, second = two_classifiers(300, np.random.default_rng(8))
    half = replace(second, index=second.index + 100)
    for name in ("y_true", "y_pred"):
        half = replace(half, **{name: np.roll(getattr(half, name), -100)})
    half = replace(half, probabilities=np.roll(half.probabilities, -100, axis=0))
    runs = [run_in(tmp_path / "a/1", first), run_in(tmp_path / "b/1", half)]
    comparison = compare_runs(runs)
    (samples,) = comparison.samples
    assert (samples.n_first, samples.n_second, samples.n_shared, samples.n) == (300, 300, 200, 200)
    assert samples.status == Reason.DIFFERENT_TEST_SETS(200, 300, 300)
    accuracy = comparison.tests[0]
    assert accuracy.n == 200
    assert accuracy.estimate_first == pytest.approx(1 - wrong(first)[100:].mean())
    assert accuracy.estimate_second == pytest.approx(1 - wrong(second)[100:].mean())


def test_a_sample_that_one_model_was_trained_on_is_not_used(tmp_path: Path) -> None:
    first, second = two_classifiers(100, np.random.default_rng(9))
    trained = run_in(tmp_path / "a/1", first, index_train=np.array([2, 3, 500]))
    other = run_in(tmp_path / "b/1", second, index_train=np.array([3, 4]))
    found = shared_outputs(trained, other)
    assert (found.samples.n_shared, found.samples.n_trained, found.samples.n) == (100, 3, 97)
    assert not set(found.rows[0]) & {2, 3, 4}
    seen = run_in(tmp_path / "c/1", second, index_train=np.arange(100))
    assert shared_outputs(trained, seen).samples.status == Reason.ALL_TRAINED_ON()


def test_runs_without_samples_to_compare_on_say_why(tmp_path: Path) -> None:
    first, second = two_classifiers(60, np.random.default_rng(10))
    own = run_in(tmp_path / "a/1", first)
    other_labels = classifier((second.y_true + 1) % 3, second.probabilities, second.layers["penultimate"])
    others = {
        Reason.NO_SHARED_SAMPLES(): run_in(tmp_path / "b/1", replace(second, index=second.index + 60)),
        Reason.DIFFERENT_LABELS(): run_in(tmp_path / "c/1", other_labels),
        Reason.DIFFERENT_DATASETS(): run_in(tmp_path / "d/1", second, dataset={"name": "mnist"}),
    }
    comparison = compare_runs([own, *others.values()])
    assert [samples.status for samples in comparison.samples] == [*others]
    assert [(test.metric, test.status) for test in comparison.tests] == [(None, why) for why in others]


def repeated(model: ModelOutputs, times: int) -> ModelOutputs:
    arrays = {name: np.repeat(getattr(model, name), times, axis=0) for name in ("y_true", "y_pred", "probabilities")}
    layers = {name: np.repeat(layer, times, axis=0) for name, layer in model.layers.items()}
    return replace(model, **arrays, layers=layers, index=np.arange(len(model.index) * times))


def test_exact_duplicates_are_counted_and_offered_as_groups(tmp_path: Path) -> None:
    models = two_classifiers(200, np.random.default_rng(13))
    single = compared(tmp_path, *models)
    threefold = [repeated(model, 3) for model in models]
    plain = compare_runs([run_in(tmp_path / f"plain_{i}/1", one) for i, one in enumerate(threefold)])
    assert plain.samples[0].n_duplicates == 400
    assert plain.tests[0].status == Reason.DUPLICATES(OK, 400, 600)
    groups = {"residuals": {"groups": "duplicates"}}
    grouped = compare_runs([run_in(tmp_path / f"grouped_{i}/1", one, **groups) for i, one in enumerate(threefold)])
    assert (grouped.samples[0].n_groups, grouped.samples[0].n) == (200, 600)
    assert "evaluation.groups has no effect on them" in compare._tables(grouped)
    assert "evaluation.groups" not in compare._tables(plain)
    found = {test.metric: test for test in grouped.tests}
    for metric in (Metric.LOG_LOSS, Metric.BRIER, Metric.ROC_AUC, Metric.ERROR_AUROC, Metric.PEARSON_WITHIN):
        ours, ones = found[metric], single[metric]
        assert (ours.status, ours.n) == (OK, 600)
        assert [ours.difference, ours.low, ours.high, ours.p] == pytest.approx(
            [ones.difference, ones.low, ones.high, ones.p], rel=1e-6
        )
    assert found[Metric.ACCURACY].method.endswith("by group")


@pytest.mark.parametrize("file", ["factors.parquet", "roles.parquet"])
def test_samples_of_one_group_are_not_independent(tmp_path: Path, file: str) -> None:
    first, second = two_classifiers(300, np.random.default_rng(14))
    raw = tmp_path / "a/1/data/raw"
    raw.mkdir(parents=True)
    subjects = [f"subject {row // 5}" for row in range(300)]
    write_parquet(raw / file, pd.DataFrame({"subject": subjects}))
    known = {"factors": ["subject"], "roles": {}} if file[0] == "f" else {"factors": [], "roles": {"subject": "group"}}
    described = {"name": "a", "task": "classification", "class_names": ["a", "b"], "shape": [300, 2]}
    described |= {"dtype": "float64", "source": "", "seed": None, "params": {}, "augmentation": None, "details": {}}
    (raw / "dataset.json").write_text(json.dumps(described | known))
    groups = {"residuals": {"groups": "subject"}}
    comparison = compare_runs([run_in(tmp_path / "a/1", first, **groups), run_in(tmp_path / "b/1", second)])
    assert comparison.samples[0].n_groups == 60
    difference = wrong(first).astype(float) - wrong(second)
    sums = (difference - difference.mean()).reshape(60, 5).sum(axis=1)
    half = t.ppf(0.975, 59) * (sums @ sums * 60 / 59) ** 0.5 / 300
    assert comparison.tests[0].high - comparison.tests[0].difference == pytest.approx(half, rel=1e-9)
