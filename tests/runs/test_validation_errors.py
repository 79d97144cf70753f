"""What a model gets wrong on validation samples is counted for every kind of model, and reaches the analysis."""

from pathlib import Path

import numpy as np
import pytest

from mlx.config import ExperimentConfig
from mlx.core.paths import Workspace
from mlx.core.stage import sections_of
from mlx.pipeline import model_outputs
from mlx.pipeline.steps import STEPS
from mlx.runs.rescore import rescore
from mlx.stats.gates import ValidationErrors


def recorded(folder: Path, name: str, dataset: str = "blobs", **training: object) -> Workspace:
    workspace = Workspace(folder)
    config = ExperimentConfig.model_validate(
        {
            "name": name,
            "dataset": {"name": dataset, "params": {"n_samples": 200, "seed": 1}},
            "model": {"name": name, "params": {}},
            "training": {"epochs": 2} | training,
            "representations": {},
        }
    )
    for step in STEPS[:4]:
        step(workspace, **{section: getattr(config, section) for section in sections_of(step)})
    return workspace


@pytest.mark.parametrize(
    "name", ["mlp", "random_forest", "logistic_regression", pytest.param("keras_mlp", marks=pytest.mark.slow)]
)
def test_the_kept_model_is_counted_on_the_validation_samples(tmp_path: Path, name: str) -> None:
    from mlx.models import load_model

    workspace = recorded(tmp_path, name)
    found = model_outputs.open_model_outputs(workspace.representations).validation
    X, y = (np.load(workspace.splits / f"{kind}_val.npy") for kind in ("X", "y"))
    wrong = load_model(workspace.model).outputs(X).predictions != y
    assert found == ValidationErrors(y.size, int(wrong.sum()))
    for array in ("X", "y", "index"):
        (workspace.splits / f"{array}_val.npy").unlink()
    STEPS[3](workspace, representations=ExperimentConfig.model_validate(
        {"name": "x", "dataset": {"name": "blobs"}, "model": {"name": name}}
    ).representations)  # fmt: skip
    assert model_outputs.open_model_outputs(workspace.representations).validation is None


def test_a_regression_has_no_validation_errors(tmp_path: Path) -> None:
    workspace = recorded(tmp_path, "linear_regression", "synthetic_regression")
    assert model_outputs.open_model_outputs(workspace.representations).validation is None


def test_the_final_checkpoint_has_the_numbers_of_the_run(tmp_path: Path) -> None:
    workspace = recorded(tmp_path, "mlp")
    config = ExperimentConfig.model_validate({"name": "x", "dataset": {"name": "blobs"}, "model": {"name": "mlp"}})
    STEPS[4](workspace, evaluation=config.evaluation)
    from mlx.core.metrics import read_metrics

    again = rescore(workspace, evaluation=config.evaluation, representations=config.representations)
    assert again == read_metrics(workspace.metrics / "evaluation.json")
