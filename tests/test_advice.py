"""What a message advises can be done: the key is there, and doing so ends the trouble."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlx.cli import main
from mlx.core.errors import DataError
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings
from mlx.datasets.catalogue import DATASETS, OUTPUTS
from mlx.models.in_sklearn.params import SvmParams
from mlx.models.in_sklearn.svm import check_fold_sizes
from mlx.pipeline.generate_data import generate_data
from mlx.training.divergence import learning_rate_key

NUMPY_RATE = """\
name: advised
dataset: {name: synthetic_regression, params: {n_samples: 60, n_features: 2, seed: 1}}
model: {name: mlp, params: {OWN}}
training: {epochs: 3, optimizer: sgd, learning_rate: 1.0e+9}
"""

TABLE = """\
name: advised
dataset: {name: custom, path: t.csv, params: {target: y}}
model: {name: random_forest, params: {n_estimators: 3}}
"""


@pytest.mark.parametrize("name", sorted(DATASETS.keys() - OUTPUTS.keys()))
def test_the_key_to_have_fewer_samples_is_one_that_every_dataset_has(name: str) -> None:
    assert "n_samples" in DATASETS[name].params.model_fields


def test_a_disk_that_is_too_small_asks_for_less_by_that_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(DataError, match=r"free some, or lower dataset\.params\.n_samples"):
        generate_data(Workspace(tmp_path), dataset=DatasetSettings(name="blobs"))


@pytest.mark.slow
def test_gaps_that_are_rejected_can_be_dropped_or_imputed_or_left_out_as_advised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{k % 7},{'' if k % 5 == 0 else k},{'ab'[k % 2]}" for k in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,z,y", *rows]) + "\n")
    (tmp_path / "a.yaml").write_text(TABLE)
    command = ["run-experiment", "--dry-run", "--config", "a.yaml"]
    with pytest.raises(SystemExit, match=r"preprocessing\.missing: expected a value .* found gaps: 12 in column 'z'"):
        main([*command, "--set", "preprocessing.missing=reject"])
    for way_out in ("missing=impute", "missing=drop", "columns={z: drop}"):
        main([*command, "--set", f"preprocessing.{way_out}"])
    with pytest.raises(SystemExit, match=r"dataset\.params\.missing: .* set preprocessing\.missing: drop, in"):
        main([*command, "--set", "dataset.params.missing=drop"])
    capsys.readouterr()


def test_a_rate_that_diverges_is_named_by_the_key_that_sets_it() -> None:
    assert learning_rate_key({"learning_rate", "optimizer"}) == "training.learning_rate"
    assert learning_rate_key({"optimizer"}) == "model.params.optimizer_config.learning_rate"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:a learning rate above 1 rarely converges")
@pytest.mark.parametrize("own", ["", "optimizer_config: {learning_rate: 1.0e+9}"])
def test_lowering_the_rate_that_is_named_ends_a_divergence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(NUMPY_RATE.replace("OWN", own))
    with pytest.raises(SystemExit, match="lower ") as caught:
        main(["run-experiment", "--config", "a.yaml"])
    found = re.search(r"lower ([a-z_.]+)", str(caught.value))
    assert found is not None
    main(["run-experiment", "--config", "a.yaml", "--set", f"{found[1]}=0.001"])


def test_a_class_of_one_sample_is_not_calibrated_in_fewer_parts() -> None:
    with pytest.raises(DataError, match=r"found 1; add samples$"):
        check_fold_sizes(SvmParams(), 1)
    with pytest.raises(DataError, match=r"found 2; lower model\.params\.cv, or add samples$"):
        check_fold_sizes(SvmParams(), 2)
    check_fold_sizes(SvmParams(cv=2), 2)


@pytest.mark.slow
def test_a_split_without_strata_or_a_missing_run_can_be_had_as_advised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "name: advised\ndataset: {name: blobs, params: {n_samples: 30, n_classes: 10}}\nmodel: {name: mlp}\n"
    (tmp_path / "a.yaml").write_text(f"{text}training: {{epochs: 1}}\n")
    with pytest.raises(SystemExit, match="stratify: false"):
        main(["run-experiment", "--config", "a.yaml"])
    assert "a run keeps its configuration" in capsys.readouterr().err
    main(["run-experiment", "--config", "a.yaml", "--set", "split.stratify=false", "--dry-run"])
