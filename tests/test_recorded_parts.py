"""`extract-representations` records what the kept model says of each part of the data, and the readers find it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlx.config import ExperimentConfig
from mlx.core.descriptions import SPLITS, DatasetDescription, Split, read_description
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace
from mlx.models import load_model
from mlx.pipeline.evaluate import evaluate
from mlx.pipeline.extract_representations import extract_representations
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.model_outputs import open_model_outputs
from mlx.pipeline.other_parts import open_other_parts
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.pipeline.results import read_classification_residuals
from mlx.pipeline.train import train
from mlx.representations import RepresentationsSettings
from mlx.residuals import ResidualsSettings
from mlx.results.failure_scores import SCORES
from mlx.results.probes import PROBES
from mlx.runs.rescore import rescore
from mlx.stats.gates import ValidationErrors

FAST = ResidualsSettings(n_bootstrap=100, n_permutations=19, projections=[])


def config_of(name: str, dataset: str = "blobs", **representations: Any) -> ExperimentConfig:
    return ExperimentConfig.model_validate(
        {
            "name": name,
            "dataset": {"name": dataset, "params": {"n_samples": 200, "seed": 1}},
            "split": {"val_size": 0.2},
            "model": {"name": name},
            "training": {"epochs": 2},
            "representations": representations,
        }
    )


def trained(folder: Path, config: ExperimentConfig) -> Workspace:
    workspace = Workspace(folder)
    generate_data(workspace, dataset=config.dataset)
    preprocess_split(workspace, split=config.split, preprocessing=config.preprocessing)
    train(workspace, model=config.model, training=config.training)
    extract_representations(workspace, representations=config.representations)
    return workspace


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "random_forest", "logistic_regression"])
def test_each_part_has_the_outputs_of_the_kept_model(tmp_path: Path, name: str) -> None:
    workspace = trained(tmp_path, config_of(name, batch_size=32))
    model = load_model(workspace.model)
    for split in SPLITS:
        X, y, index = (np.load(workspace.splits / f"{kind}_{split}.npy") for kind in ("X", "y", "index"))
        found, expected = open_model_outputs(workspace.representations, split), model.outputs(X)
        np.testing.assert_array_equal(found.y_true, y)
        np.testing.assert_array_equal(found.index, index)
        np.testing.assert_array_equal(found.y_pred, expected.predictions)
        assert found.probabilities is not None
        np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-6)


def test_a_sample_of_the_training_part_is_recorded_with_its_rows_in_raw(tmp_path: Path) -> None:
    workspace = trained(tmp_path, config_of("mlp", max_train_samples=30, batch_size=8))
    whole = {kind: np.load(workspace.splits / f"{kind}_train.npy") for kind in ("X", "y", "index")}
    found = open_model_outputs(workspace.representations, "train")
    rows = np.flatnonzero(np.isin(whole["index"], found.index))
    assert len(rows) == len(found.y_true) == 30
    np.testing.assert_array_equal(found.y_true, whole["y"][rows])
    model = load_model(workspace.model)
    expected = model.outputs(whole["X"][rows], (model.penultimate,))
    layer = next(iter(found.layers.values()))
    assert isinstance(layer, np.ndarray)
    np.testing.assert_allclose(layer, expected.representations[model.penultimate], atol=1e-6)


@pytest.mark.parametrize("split", SPLITS)
def test_mlx_eval_takes_the_whole_part_whatever_is_recorded(tmp_path: Path, split: Split) -> None:
    config = config_of("logistic_regression", max_train_samples=30, splits=["test"])
    workspace = trained(tmp_path, config)
    found = rescore(workspace, evaluation=config.evaluation, representations=config.representations, split=split)
    X, y = (np.load(workspace.splits / f"{kind}_{split}.npy") for kind in ("X", "y"))
    assert found["n"] == len(y)
    assert found["accuracy"] == (load_model(workspace.model).outputs(X).predictions == y).mean()


def test_without_validation_recorded_its_errors_are_still_counted(tmp_path: Path) -> None:
    workspace = trained(tmp_path, config_of("logistic_regression"))
    before = open_model_outputs(workspace.representations).validation
    assert isinstance(before, ValidationErrors)
    extract_representations(workspace, representations=RepresentationsSettings(splits=["test"]))
    assert sorted(path.name for path in workspace.representations.iterdir()) == ["representations.json", "test"]
    assert open_model_outputs(workspace.representations).validation == before
    with pytest.raises(ArtifactError, match="expected outputs on the val samples, found those on test; add val to"):
        open_model_outputs(workspace.representations, "val")


def test_a_folder_of_an_earlier_version_is_read_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_of("linear_regression", "synthetic_regression")
    workspace = trained(tmp_path, config)
    evaluate(workspace, evaluation=config.evaluation)
    metrics = (workspace.metrics / "evaluation.json").read_bytes()
    for path in (workspace.representations / "test").iterdir():
        path.rename(workspace.representations / path.name)
    path = workspace.representations / "representations.json"
    content = json.loads(path.read_text())
    del content["samples"]
    path.write_text(json.dumps(content | {"split": "test"}))
    capsys.readouterr()
    evaluate(workspace, evaluation=config.evaluation)
    assert (workspace.metrics / "evaluation.json").read_bytes() == metrics
    assert capsys.readouterr().err.count("which recorded the test samples alone; a new run records all parts") == 1
    assert open_model_outputs(workspace.representations).linear_fit is not None
    with pytest.raises(ArtifactError, match="found those on test"):
        open_model_outputs(workspace.representations, "train")


@pytest.mark.slow
def test_the_last_layer_is_recorded_where_its_input_is(tmp_path: Path) -> None:
    for name, layers, expected in (("mlp", ["hidden_1", "penultimate"], "penultimate"), ("mlp", ["hidden_1"], None)):
        workspace = trained(tmp_path / str(expected), config_of(name, layers=layers))
        others = open_other_parts(workspace)
        assert others.train is not None
        assert others.train.logits is not None
        if expected is None:
            assert others.last_layer is None
            continue
        assert others.last_layer is not None
        assert others.last_layer.layer == expected
        layer = others.train.layers[expected]
        assert isinstance(layer, np.ndarray)
        made = layer @ others.last_layer.weights + others.last_layer.bias
        np.testing.assert_allclose(made, others.train.logits, atol=1e-5)
        residuals_analysis(workspace, residuals=FAST)
        rows = pd.read_csv(workspace.residuals / "probes.csv")
        assert rows["train_nc3"].notna().tolist() == [False, True]
        scores = pd.read_csv(workspace.residuals / "scores.csv")
        assert set(scores["layer"].dropna()) == {*layers}
        described = read_description(workspace.raw / "dataset.json", DatasetDescription)
        found = read_classification_residuals(workspace, described)
        assert len(found.scores) == len(scores)
        assert set(found.failure_scores) >= {"knn", "knn.penultimate", "max_probability"}


def test_a_regression_has_the_tables_of_scores_and_probes_without_rows(tmp_path: Path) -> None:
    workspace = trained(tmp_path, config_of("linear_regression", "synthetic_regression"))
    residuals_analysis(workspace, residuals=FAST)
    for schema in (SCORES, PROBES):
        table = pd.read_csv(workspace.residuals / schema.file)
        assert (len(table), tuple(table)) == (0, schema.columns)


@pytest.mark.parametrize("splits", [["val"], [], ["test", "test"]])
def test_the_test_part_is_always_recorded(splits: list[str]) -> None:
    with pytest.raises(ValueError, match="splits"):
        RepresentationsSettings.model_validate({"splits": splits})
