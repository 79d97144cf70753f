"""A dry run finds what a run would fail with, says where each value comes from, and writes nothing."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mlx.cli import main
from mlx.config import ExperimentConfig
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.evaluation import EvaluationSettings
from mlx.pipeline.steps import STEPS
from mlx.preprocessing.settings import SplitSettings
from mlx.preprocessing.split import split_rows

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {
    "name": "small",
    "dataset": {"name": "digits"},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "logistic_regression"},
    "training": {"epochs": 3},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    return tmp_path


BLOBS = ("dataset={name: blobs}", "preprocessing.scaling=none", "model={name: mlp}")


def dry_run(capsys: pytest.CaptureFixture[str], *assignments: str) -> tuple[str, str]:
    options = [option for assignment in assignments for option in ("--set", assignment)]
    main(["run-experiment", "--dry-run", *options])
    shown = capsys.readouterr()
    return shown.out, shown.err


def test_it_lists_the_whole_configuration_with_the_origin_of_each_value(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    shown, warned = dry_run(capsys, "split.seed=7", "training.cross_fit=3")
    config = ExperimentConfig.model_validate(yaml.safe_load(shown))
    assert config.split.seed == 7
    assert config.dataset.name == "digits"
    lines = {line.split(":")[0].strip(): line.rpartition("# ")[2] for line in shown.splitlines()}
    assert lines["scaling"] == "params.yaml:5"
    assert lines["test_size"] == "default"
    assert any(line.split() == ["seed:", "7", "#", "--set", "split.seed"] for line in shown.splitlines())
    assert "no effect on logistic_regression, which is fitted all at once: training.epochs" in warned
    assert "# data: 1797 samples of 8x8x1, 10 classes" in shown
    assert "# disk: about" in shown
    assert "# cross-fit: 3 further models, so that training takes 3 times as long" in shown
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["dataset.params={n_samples: 20}"], "split.stratify: expected at least 3 samples of each class"),
        (["dataset={name: mnist, path: nowhere}"], "nowhere"),
        (["dataset={name: mnist}"], "train-images-idx3-ubyte"),
        (["representations.layers=[hidden_9]"], "representations.layers: expected one of penultimate, input, "),
        (["model={name: linear_regression}"], "--set model: model.name: expected a model for classification"),
        (["model={name: cnn, params: {kernel_size: 9}}"], "expected at most 8, as the image is 8x8, found 9"),
        (["model={name: cnn}", "training.learning_rate=1e30"], "--set training.learning_rate:"),
        ([*BLOBS, "training={learning_rate: 10.0, epochs: 9}"], "in epoch 1; lower training.learning_rate, or scale"),
        ([*BLOBS, "training.params.class_weights=[1e308,1,1]"], "expected a finite training loss, found inf in epoch"),
        (["dataset={name: blobs, params: {n_features: 1" + "0" * 301 + "}}"], "blobs: 1,000 samples of 10,000,"),
        (["name=link"], "output.directory: expected a folder inside of "),
        (["name=file"], "output.directory: expected a folder, found a file: "),
        (["model={name: custom, architecture: ~/net.py:f}"], "~/net.py: expected a file in the repository, "),
        (["output.directory=dangling"], "output.directory: expected a folder, found a link that leads nowhere: "),
        (["dataset={name: blobs}"], "unit expects 8-bit values, or values already within 0..1"),
    ],
)  # fmt: skip
def test_what_a_run_would_fail_with_is_said_before(folder: Path, assignments: list[str], message: str) -> None:
    (folder / "outputs").mkdir()
    (folder / "outputs/link").symlink_to(folder.parent)
    (folder / "outputs/file").touch()
    (folder / "dangling").symlink_to("nothing")
    with pytest.raises(SystemExit) as caught:
        main(["run-experiment", "--dry-run", *(part for text in assignments for part in ("--set", text))])
    assert message in str(caught.value)
    assert sorted(path.name for path in (folder / "outputs").iterdir()) == ["file", "link"]


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting", "svm", "mlp"])
def test_models_of_every_kind_are_tried(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown, _ = dry_run(capsys, f"model={{name: {name}}}", "dataset={name: blobs}", "preprocessing.scaling=none")
    assert f"model: {name}, " in shown


def test_a_set_that_would_be_downloaded_passes_and_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown, _ = dry_run(capsys, "dataset={name: cifar10, params: {download: true}}")
    assert "60000 samples of 32x32x3, 10 classes; would be downloaded: " in shown
    assert "cifar-10-python.tar.gz" in shown
    assert not (folder / "keras").exists()


@pytest.mark.parametrize(
    ("name", "model", "described"),
    [
        ("california_housing", "linear_regression", "20640 samples of 8"),
        ("covtype", "logistic_regression", "581012 samples of 54, 7 classes"),
        ("olivetti_faces", "logistic_regression", "400 samples of 64x64x1, 40 classes"),
    ],
)
def test_a_set_without_a_test_part_that_would_be_downloaded_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, model: str, described: str
) -> None:
    others = (f"model={{name: {model}}}", "preprocessing.scaling=none")
    shown, _ = dry_run(capsys, f"dataset={{name: {name}, params: {{download: true}}}}", *others)
    assert f"{described}; would be downloaded: https://" in shown
    assert not (folder / "keras").exists()


def test_a_class_that_stands_at_the_end_of_the_data_does_not_disturb(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    y = np.repeat([0, 1], 700)
    np.savez(folder / "own.npz", X=np.random.default_rng(0).normal(size=(1400, 3)) + y[:, None], y=y)
    assignments = ["dataset={name: custom, path: own.npz}", "preprocessing.scaling=standard"]
    shown, _ = dry_run(capsys, *assignments)
    assert "1400 samples of 3, 2 classes" in shown


def test_without_a_network_it_imports_no_tensorflow(folder: Path) -> None:
    (folder / "list.json").write_text(json.dumps([CONFIG | {"dataset": {"name": "blobs"}, "preprocessing": {}}]))
    code = (
        "import sys\nfrom mlx.cli import main\nmain(['run-experiment', '--dry-run', '--config', 'list.json'])\n"
        "sys.exit(', '.join({'tensorflow', 'keras'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


IMAGES = ("dataset={name: shapes, params: {n_samples: 600, n_classes: 3, image_size: 32}}", "split.test_size=0.2")


@pytest.mark.parametrize(
    ("model", "tried"),
    [
        ("{name: gradient_boosting}", "1 of 100 rounds fitted, to 420 of 420 training samples"),
        ("{name: random_forest, params: {max_features: 900}}", "1 of 100 trees fitted, to 420 of 420"),
        ("{name: svm, params: {cv: 100}}", "100 iterations fitted, to 312 of 420"),
        ("{name: logistic_regression, params: {solver: newton-cholesky}}",
         "2 iterations of lbfgs, as newton-cholesky solves for 3,072 unknowns at a time, fitted, to 420 of 420"),
        # More than the dry run has samples of, and fewer than the run will have.
        ("{name: gradient_boosting, params: {early_stopping: true, validation_fraction: 400}}", "1 of 100 rounds"),
        ("{name: random_forest, params: {max_samples: 415}}", "1 of 100 trees"),
    ],
)  # fmt: skip
def test_a_part_of_a_fit_in_one_go_is_tried_and_named(
    folder: Path, model: str, tried: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, _ = dry_run(capsys, *IMAGES, f"model={model}")
    line = next(line for line in shown.splitlines() if line.startswith("# tried: "))
    assert tried in line
    assert line.endswith("not the whole fit")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{name: svm, params: {cv: 150}}", "at least 150 training samples of each class, .* found 140; lower"),
        ("{name: gradient_boosting, params: {early_stopping: true, validation_fraction: 420}}",
         "expected 3 to 417 of 420 training samples to be set aside to stop early, found 420; change"),
        ("{name: gradient_boosting, params: {early_stopping: true, validation_fraction: 0.001}}", "found 1; change"),
    ],
)  # fmt: skip
def test_too_few_samples_of_the_run_are_refused_by_their_number_in_the_run(
    folder: Path, model: str, message: str
) -> None:
    with pytest.raises(SystemExit, match=message):
        main(["run-experiment", "--dry-run", *(p for s in (*IMAGES, f"model={model}") for p in ("--set", s))])


def test_a_solver_whose_matrix_does_not_fit_is_refused(folder: Path) -> None:
    wide = ("dataset={name: blobs, params: {n_features: 90000}}", "preprocessing.scaling=none")
    model = "model={name: logistic_regression, params: {solver: newton-cholesky}}"
    with pytest.raises(SystemExit, match=r"of memory, .* found 5\d\d\.\d GB .* another model or solver"):
        main(["run-experiment", "--dry-run", *(p for s in (*wide, model) for p in ("--set", s))])


def test_a_long_analysis_is_estimated_and_warned_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown, warned = dry_run(capsys, *BLOBS)
    assert "# analysis: about " in shown
    assert "analysis" not in warned
    for key in ("residuals.n_permutations", "residuals.n_bootstrap"):
        many = "dataset={name: blobs, params: {n_samples: 45000, n_classes: 10}}"
        _, warned = dry_run(capsys, f"{key}=1000000", many, *BLOBS[1:])
        assert f"depend on {key}; lower it" in warned
        assert "minutes" in warned


def test_unscaled_pixels_are_warned_of_before_a_network_is_trained_on_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = "model={name: cnn, params: {filters: [4], hidden_layers: [8]}}"
    for scaling, said in (("none", True), ("unit", False)):
        _, warned = dry_run(capsys, IMAGES[0], network, f"preprocessing.scaling={scaling}")
        assert ("set preprocessing.scaling to unit (8-bit values by 255)" in warned) is said


def test_classes_that_the_sample_lacks_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    y = np.repeat([0, 1], 3000)
    np.savez(folder / "own.npz", X=np.random.default_rng(0).normal(size=(6000, 3)) + y[:, None], y=y)
    monkeypatch.setattr("mlx.runs.dry_run.WHOLE_BYTES", 1000)
    shown, _ = dry_run(capsys, "dataset={name: custom, path: own.npz}", "preprocessing.scaling=standard")
    assert "# sample: 854 samples, none of them of 1 classes: 1" in shown


def test_the_temporary_folder_is_removed_and_no_message_names_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder / "tmp"))

    def evaluate(workspace: Workspace, *, evaluation: EvaluationSettings) -> str:
        raise ArtifactError(f"{workspace.representations}: expected better, found {evaluation.n_bootstrap}{REMAKE}")

    dry_run(capsys, *BLOBS)
    monkeypatch.setattr("mlx.runs.dry_run_steps.STEPS", (*STEPS[:4], evaluate, *STEPS[5:]))
    with pytest.raises(SystemExit, match="^outputs/small/<time>/data/representations: expected better, found 100$"):
        dry_run(capsys, *BLOBS)
    assert list((folder / "tmp").iterdir()) == []


def test_what_only_the_analysis_would_notice_is_found(folder: Path) -> None:
    if importlib.util.find_spec("umap") is None:
        with pytest.raises(SystemExit, match="umap-learn"):
            main(["run-experiment", "--dry-run", "--set", "residuals.projections=[umap]"])


def test_training_labels_that_lack_a_class_are_found_in_all_data(folder: Path) -> None:
    y = np.repeat([0, 1, 2], [3000, 3000, 1])
    np.savez(folder / "own.npz", X=np.random.default_rng(0).normal(size=(6001, 3)), y=y)
    settings = ("dataset={name: custom, path: own.npz}", "preprocessing.scaling=none", "split.stratify=false")
    for seed in range(20):
        test = split_rows(y, "abc", SplitSettings(stratify=False, seed=seed)).test
        if 6000 in test:
            break
    with pytest.raises(SystemExit, match=r"expected training samples of every class, found none of \['2'\]"):
        main(["run-experiment", "--dry-run", *(p for s in (*settings, f"split.seed={seed}") for p in ("--set", s))])
