"""Outputs of models that were not trained on the sample: folds, files, resumption, and the label issues they find."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlx
from mlx.config import ExperimentConfig
from mlx.core.artifacts import read_csv
from mlx.core.paths import Workspace
from mlx.models import build_model
from mlx.models.task_spec import TaskSpec
from mlx.pipeline.extract_representations import extract_representations
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.pipeline.train import train
from mlx.training import Callbacks, Samples, cross_fit, fit_model
from mlx.training.cross_fit import NEVER, fold_of

SLOW = ("random_forest", "keras_mlp")


def config_of(
    model: str, dataset: str = "blobs", folds: int = 3, *, n: int = 200, params: dict[str, Any] | None = None
) -> ExperimentConfig:
    return ExperimentConfig.model_validate(
        {
            "name": model,
            "dataset": {"name": dataset, "params": {"n_samples": n, "seed": 1}},
            "model": {"name": model, "params": params or {}},
            "training": {"epochs": 3, "cross_fit": folds},
            "residuals": {"n_permutations": 19, "n_bootstrap": 100, "projections": []},
        }
    )


def prepared(folder: Path, config: ExperimentConfig) -> Workspace:
    workspace = Workspace(folder)
    generate_data(workspace, dataset=config.dataset)
    preprocess_split(workspace, split=config.split, preprocessing=config.preprocessing)
    return workspace


def trained(workspace: Workspace, config: ExperimentConfig) -> dict[str, bytes]:
    train(workspace, model=config.model, training=config.training)
    return {path.name: path.read_bytes() for path in sorted((workspace.model / "cross_fit").glob("*"))}


def test_folds_are_in_proportion_and_keep_groups_together() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(4, size=240)
    groups = np.where(np.arange(240) < 60, np.arange(240) // 3 * 3, np.arange(240))
    y = y[groups]
    folds = fold_of(y, groups, 5, seed=1)
    assert np.array_equal(folds, fold_of(y, groups, 5, seed=1))
    assert not np.array_equal(folds, fold_of(y, groups, 5, seed=2))
    assert all(len(set(folds[groups == group])) == 1 for group in groups)
    counts = np.array([np.bincount(folds[(y == label) & (np.arange(240) >= 60)], minlength=5) for label in range(4)])
    assert np.ptp(counts, axis=1).max() <= 6
    single = fold_of(np.append(y, 4), np.append(groups, 240), 5, seed=1)
    assert single[-1] == NEVER
    assert np.array_equal(single[:-1], folds)


@pytest.mark.parametrize(
    "name",
    ["mlp", "logistic_regression", *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)],
)
def test_each_training_sample_has_the_output_of_a_model_that_was_not_trained_on_it(tmp_path: Path, name: str) -> None:
    config = config_of(name, n=80, params={"n_estimators": 10} if name == "random_forest" else {})
    workspace = prepared(tmp_path, config)
    files = trained(workspace, config)
    found = {Path(file).stem: np.load(workspace.model / "cross_fit" / file) for file in files}
    X, y, index = (np.load(workspace.splits / f"{kind}_train.npy") for kind in ("X", "y", "index"))
    np.testing.assert_array_equal(found["y_true"], y)
    np.testing.assert_array_equal(found["index"], index)
    assert not (workspace.checkpoints / "cross_fit").exists()
    rest = found["fold"] != 1
    model = build_model(config.model, TaskSpec("classification", X.shape[1:], 3), seed=config.training.seed)
    val = Samples(*(np.load(workspace.splits / f"{kind}_val.npy") for kind in ("X", "y")))
    fit_model(model, Samples(X[rest], y[rest]), val, config.training, Callbacks(()))
    expected = model.outputs(X[~rest])
    np.testing.assert_allclose(found["probabilities"][~rest], expected.probabilities, atol=1e-6)
    assert ("logits" in found) == (expected.logits is not None)


@pytest.mark.slow
def test_the_outputs_are_handed_on_and_tell_training_labels_that_are_likely_wrong(tmp_path: Path) -> None:
    config = config_of("logistic_regression", folds=4)
    workspace = prepared(tmp_path, config)
    path = workspace.splits / "y_train.npy"
    y = np.load(path)
    wrong = np.arange(8)
    y[wrong] = (y[wrong] + 1) % 3
    np.save(path, y)
    files = trained(workspace, config)
    extract_representations(workspace, representations=config.representations)
    handed_on = {path.name: path.read_bytes() for path in sorted((workspace.representations / "cross_fit").glob("*"))}
    assert handed_on == files
    residuals_analysis(workspace, residuals=config.residuals)
    issues = read_csv(workspace.residuals / "issues.csv")
    found = issues[(issues["kind"] == "label") & (issues["split"] == "train")]
    assert set(found["method"]) == {"confident learning"}
    planted = np.load(workspace.splits / "index_train.npy")[wrong]
    assert len(set(planted) & set(found["index"])) >= 6
    recorded = mlx.analyze(
        workspace.representations, residuals={"n_permutations": 19, "n_bootstrap": 100, "projections": []}
    )
    again = recorded.tables["issues"]
    again = again[(again["kind"] == "label") & (again["split"] == "train")]
    assert again["index"].tolist() == found["index"].tolist()


def test_a_killed_training_goes_on_with_the_fold_and_writes_the_same_bytes(tmp_path: Path, monkeypatch: Any) -> None:
    config = config_of("mlp")
    straight = trained(prepared(tmp_path / "straight", config), config)
    workspace, fit, fitted = prepared(tmp_path / "killed", config), cross_fit.CrossFit._fit, []

    def killed(self: Any, samples: Any, val: Any, fold: int) -> Any:
        if fold == 2 and len(fitted) < 3:
            fitted.append(-1)
            raise KeyboardInterrupt
        fitted.append(fold)
        return fit(self, samples, val, fold)

    monkeypatch.setattr(cross_fit.CrossFit, "_fit", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(workspace, config)
    assert trained(workspace, config) == straight
    assert fitted == [0, 1, -1, 2]


def test_no_folds_and_a_regression_write_no_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, config in {
        "none": config_of("mlp", folds=0),
        "regression": config_of("mlp", "synthetic_regression"),
    }.items():
        workspace = prepared(tmp_path / name, config)
        assert not trained(workspace, config)
    assert "training.cross_fit has no effect" in capsys.readouterr().err
    with pytest.raises(ValueError, match="0 or at least 2 folds"):
        config_of("mlp", folds=1)
