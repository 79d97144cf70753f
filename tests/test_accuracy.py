"""Every model reads handwriting as well as it should, through the whole pipeline."""

import json
from pathlib import Path

import pytest

from mlx.config import read_config
from mlx.experiment import run_experiment
from mlx.plots.report.figures import FIGURES
from mlx.runs.run import read_run

pytestmark = pytest.mark.slow

FITTED_IN_ONE_GO = {"random_forest": 0.95, "svm": 0.95, "gradient_boosting": 0.90, "logistic_regression": 0.90}
BY_EPOCHS = {"mlp": 0.95, "keras_mlp": 0.95, "cnn": 0.95, "rnn": 0.95}
NETWORK = {"epochs": 30, "learning_rate": 0.003}
FEWER = {"cnn": {"epochs": 10, "learning_rate": 0.003}, "rnn": {"epochs": 8, "learning_rate": 0.01}}


@pytest.mark.parametrize(("name", "least"), [*FITTED_IN_ONE_GO.items(), *BY_EPOCHS.items()])
def test_digits_are_recognized(name: str, least: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    few = {name: FIGURES["classification"][name] for name in ("confusion", "learning_curves")}
    monkeypatch.setitem(FIGURES, "classification", few)  # which are the same for all
    params = {
        "name": name,
        "dataset": {"name": "digits"},
        "preprocessing": {"scaling": "unit"},
        "model": {"name": name},
        "training": FEWER.get(name, NETWORK) if name in BY_EPOCHS else {},
        "representations": {"max_train_samples": 200},
        "residuals": {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]},
        "report": {"dpi": 50},
    }
    (tmp_path / "digits.json").write_text(json.dumps(params))
    run = read_run(run_experiment(read_config(Path("digits.json"))))
    assert run.status == "finished"
    assert run.summary.metrics["evaluation"]["accuracy"] > least
