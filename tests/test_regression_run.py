"""A run with a linear regression hands its training design on, so that leverage is that of the fit."""

import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from blank_figures import leave_few_figures

from mlx.config import ExperimentConfig
from mlx.core.errors import ArtifactError
from mlx.core.linear_fit import read_linear_fit
from mlx.core.paths import Workspace
from mlx.experiment import run_experiment
from mlx.models import ModelSettings, load_model, save_model
from mlx.pipeline.extract_representations import extract_representations
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.representations import RepresentationsSettings
from mlx.residuals import ResidualsSettings

pytestmark = pytest.mark.slow

QUICK = {"n_bootstrap": 100, "n_permutations": 19}
REPRESENTATIONS = RepresentationsSettings(layers=["penultimate"])


def run(model: dict[str, Any], **sections: Any) -> Workspace:
    dataset = {
        "name": "synthetic_regression",
        "params": {"n_samples": 200, "n_features": 4, "noise_std": 0.5, "seed": 1},
    }
    config = {"name": "small", "dataset": dataset, "model": model, "residuals": QUICK, "report": {"dpi": 50}}
    return Workspace(run_experiment(ExperimentConfig.model_validate(config | sections)))


def found(workspace: Workspace) -> tuple[pd.DataFrame, dict[str, Any]]:
    samples = pd.read_parquet(workspace.residuals / "samples.parquet")
    return samples, json.loads((workspace.metrics / "residuals.json").read_text())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a linear regression."""
    folder = tmp_path_factory.mktemp("solved")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        leave_few_figures(patch)
        return folder / run({"name": "linear_regression"}).root


@pytest.fixture
def workspace(solved: Path, tmp_path: Path) -> Workspace:
    """A copy of that run."""
    return Workspace(Path(shutil.copytree(solved, tmp_path / "run")))


DESCENT = {
    "model": {"name": "linear_regression", "params": {"use_gradient_descent": True}},
    "training": {"epochs": 40, "learning_rate": 0.05},
}


@pytest.mark.parametrize("sections", [{"model": {"name": "linear_regression"}}, DESCENT], ids=["solved", "by steps"])
def test_leverage_of_a_test_sample_is_that_in_the_training_design(sections: dict[str, Any]) -> None:
    workspace = run(**sections, preprocessing={"scaling": "standard"})
    X, new = (np.load(workspace.splits / f"X_{part}.npy") for part in ("train", "test"))
    fit = sm.OLS(np.load(workspace.splits / "y_train.npy"), sm.add_constant(X)).fit()
    at_new = fit.get_prediction(sm.add_constant(new))
    samples, summary = found(workspace)
    np.testing.assert_allclose(samples["leverage"], at_new.var_pred_mean / fit.mse_resid, rtol=1e-10)
    assert summary["leverage_mean"] == pytest.approx((at_new.var_pred_mean / fit.mse_resid).mean())
    assert summary["leverage_status"] == "ok"
    coefficients = pd.read_csv(workspace.residuals / "coefficients.csv")
    if sections is not DESCENT:
        interval = samples[["prediction_low", "prediction_high"]]
        np.testing.assert_allclose(interval, at_new.conf_int(obs=True), rtol=1e-9)
        np.testing.assert_allclose(coefficients["coefficient"], fit.params, rtol=1e-9)
        np.testing.assert_allclose(coefficients["standard_error"], fit.bse, rtol=1e-10)
    assert (workspace.report / "plots/leverage.png").exists()


def test_a_model_that_is_no_linear_regression_says_that_it_has_no_leverage() -> None:
    workspace = run({"name": "mlp", "params": {"hidden_layers": [4]}}, training={"epochs": 2})
    samples, summary = found(workspace)
    assert samples["leverage"].isna().all()
    assert summary["leverage_status"] == "no leverage (mlp is no linear regression)"
    assert summary["leverage_max"] is None
    assert not (workspace.report / "plots/leverage.png").exists()


def test_a_loaded_model_is_saved_with_the_same_bytes(workspace: Workspace, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    settings = ModelSettings(name="linear_regression")
    save_model(load_model(workspace.model), settings, again, [])
    names = sorted({path.name for path in workspace.model.iterdir()} - {"dynamics.parquet"})  # of the training alone
    assert names == sorted(path.name for path in again.iterdir())
    for name in names:
        ours, before = ((folder / name).read_bytes() for folder in (again, workspace.model))
        if name == "model.json":  # the training alone knows what the model was made from
            ours, before = (
                json.dumps(json.loads(one) | {"identity": None, "made_from": None}) for one in (ours, before)
            )
        assert ours == before, name


def test_a_model_of_an_earlier_version_predicts_and_one_line_says_what_it_lacks(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    before = found(workspace)[0]
    for path in workspace.model.glob("linear_fit*"):
        path.unlink()
    capsys.readouterr()
    extract_representations(workspace, representations=REPRESENTATIONS)
    lines = [line for line in capsys.readouterr().err.splitlines() if "training design" in line]
    assert len(lines) == 1
    assert "dvc repro --force train" in lines[0]
    residuals_analysis(workspace, residuals=ResidualsSettings(**QUICK))
    samples, summary = found(workspace)
    np.testing.assert_array_equal(samples["y_pred"], before["y_pred"])
    assert samples["leverage"].isna().all()
    assert "keeps no training design" in summary["leverage_status"]


@pytest.mark.parametrize("name", ["linear_fit.json", "linear_fit_triangle.npy", "linear_fit_coefficients.npy"])
def test_a_damaged_training_design_is_named(workspace: Workspace, name: str) -> None:
    path = workspace.model / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtifactError, match=name):
        load_model(workspace.model)
    if name != "linear_fit.json":
        np.save(path, np.full_like(np.load(BytesIO(whole)), np.nan))
        with pytest.raises(ArtifactError, match=f"{name}: expected finite float64"):
            load_model(workspace.model)
        path.unlink()
        with pytest.raises(ArtifactError, match=f"{name}: expected a file, found none"):
            load_model(workspace.model)
    assert read_linear_fit(workspace.splits, 4) is None
