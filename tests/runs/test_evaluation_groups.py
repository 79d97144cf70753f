"""The evaluation of a run goes by the groups that its configuration names, on every split."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlx.config import ExperimentConfig
from mlx.core.errors import SettingsError
from mlx.core.metrics import read_metrics
from mlx.core.paths import Workspace
from mlx.core.stage import sections_of
from mlx.evaluation import evaluate_classification
from mlx.pipeline.model_outputs import open_model_outputs
from mlx.pipeline.steps import STEPS
from mlx.runs.rescore import rescore
from mlx.stats.validation_outputs import validation_halves


@pytest.mark.parametrize("roles", [{"patient": "group"}, {}])
def test_groups_come_from_a_column_with_a_role_or_a_factor(tmp_path: Path, roles: dict[str, str]) -> None:
    generator = np.random.default_rng(0)
    patient = np.repeat(np.arange(120), 5)
    y = generator.integers(2, size=600)
    given = {"x": y + generator.normal(size=600) + generator.normal(size=120)[patient], "y": y}
    pd.DataFrame(given | ({"patient": patient} if roles else {})).to_csv(tmp_path / "t.csv", index=False)
    pd.DataFrame({"patient": [f"p{p}" for p in patient]}).to_csv(tmp_path / "m.csv", index=False)
    about = {"roles": roles} if roles else {"metadata": str(tmp_path / "m.csv")}
    config = ExperimentConfig.model_validate({
        "name": "patients",
        "dataset": {"name": "custom", "path": str(tmp_path / "t.csv"), "params": {"target": "y", **about}},
        "split": {"method": "random", "test_size": 0.5},
        "model": {"name": "logistic_regression"},
        "evaluation": {"groups": "patient"},
    })  # fmt: skip
    workspace = Workspace(tmp_path)
    for step in STEPS[:4]:
        step(workspace, **{section: getattr(config, section) for section in sections_of(step)})
    recorded = open_model_outputs(workspace.representations)
    groups = patient[np.asarray(recorded.index)]
    assert f"intervals by {np.unique(groups).size} groups (patient)" in STEPS[4](
        workspace, evaluation=config.evaluation
    )
    metrics = read_metrics(workspace.metrics / "evaluation.json")
    expected = evaluate_classification(
        recorded.y_true, recorded.y_pred, recorded.probabilities, logits=recorded.logits,
        class_names=recorded.class_names, settings=config.evaluation, validation=recorded.validation, groups=groups,
    ).metrics.as_dict()  # fmt: skip
    fitted = {name: metrics[name] for name in ("recalibration", "temperature")}  # to the validation samples
    assert metrics == expected | {"n_duplicates": 0, "split_method": "random"} | fitted
    assert metrics["accuracy_low"] is not None
    val = np.load(workspace.splits / "index_val.npy")  # whose samples of a patient all fit, or all calibrate
    effects = pd.read_csv(workspace.metrics / "recalibration.csv")
    assert {*effects["n_validation"]} == {len(validation_halves(val, patient[val])[0])}
    assert rescore(workspace, evaluation=config.evaluation, representations=config.representations) == metrics
    training = rescore(workspace, evaluation=config.evaluation, representations=config.representations, split="train")
    index = np.load(workspace.splits / "index_train.npy")
    assert training["n_groups"] == np.unique(patient[index]).size
    with pytest.raises(SettingsError, match=r"evaluation\.groups: expected one of .*patient.*, found 'person'"):
        STEPS[4](workspace, evaluation=config.evaluation.model_copy(update={"groups": "person"}))
