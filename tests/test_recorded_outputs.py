"""The pipeline on recorded outputs: what it takes from the folder, and what it says."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from recorded_folders import QUICK, SIZES, changed, configured, record, run
from repository import SMALL, STAGES, Repository
from scipy.special import softmax

from mlx.cli import main
from mlx.config import resolve_all
from mlx.core.errors import DataError
from mlx.pipeline.model_outputs import open_model_outputs
from mlx.pipeline.steps import STEPS
from mlx.runs.dry_run import dry_run


def flat(content: Any) -> list[Any]:
    """Return all values of a JSON document."""
    inner = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return [one for value in inner for one in flat(value)] or [content]


def test_labels_parts_and_arrays_are_those_of_the_folder(tmp_path: Path) -> None:
    source = record(tmp_path / "recorded")
    workspace = run(tmp_path / "run", configured(source))
    for split in SIZES:
        given = {name: np.load(source / split / f"{name}.npy") for name in ("y_true", "index", "logits", "conv")}
        found = open_model_outputs(workspace.representations, split)
        assert found.probabilities is not None
        np.testing.assert_array_equal(found.y_true, given["y_true"])
        np.testing.assert_array_equal(found.index, given["index"])
        np.testing.assert_array_equal(found.layers["conv"], given["conv"])
        np.testing.assert_allclose(found.probabilities, softmax(given["logits"].astype(float), axis=1))
        np.testing.assert_array_equal(np.load(workspace.splits / f"index_{split}.npy"), given["index"])
        np.testing.assert_array_equal(np.load(workspace.splits / f"y_{split}.npy"), given["y_true"])
    assert found.class_names == ("x", "y", "z")
    assert not list(workspace.splits.glob("X_*"))  # numbers of samples are no features
    assert pd.read_csv(workspace.metrics / "history.csv").empty
    assert pd.read_parquet(workspace.model / "dynamics.parquet").empty
    model = json.loads((workspace.model / "model.json").read_text())
    assert (model["name"], model["layers"], model["parameters"]) == ("recorded", ["penultimate", "conv"], 0)
    texts = pd.read_parquet(workspace.raw / "texts.parquet")
    assert texts["text"][3] == "sample 3 \u2028 of test"
    numbers = {split: np.load(source / split / "index.npy") for split in SIZES}
    np.testing.assert_array_equal(texts["index"], np.concatenate(list(numbers.values())))
    size = pd.read_parquet(workspace.raw / "factors.parquet")["size"]
    for split, n in SIZES.items():  # what the page shows of all parts
        np.testing.assert_array_equal(size[numbers[split]], np.arange(n) % 7)


def test_layers_parts_and_groups_are_chosen_and_what_has_no_effect_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = record(tmp_path / "recorded")
    chosen = {"layers": ["conv"], "splits": ["test", "train"], "max_train_samples": 10}
    idle = {"split": {"test_size": 0.5}, "preprocessing": {"scaling": "unit"}, "training": {"epochs": 3}}
    grouped = {"params": {"groups": "patient"}, "residuals": QUICK | {"groups": "patient"}}
    config = configured(source, representations=chosen, **idle, **grouped)
    workspace = run(tmp_path / "run", config, steps=6)
    said = capsys.readouterr().err
    for line in ("split.test_size, preprocessing.scaling", "training.epochs", "representations.max_train_samples"):
        assert line in said
    found = open_model_outputs(workspace.representations, "train")
    assert (list(found.layers), len(found.index)) == (["conv"], SIZES["train"])
    assert not (workspace.representations / "val").exists()
    assert found.validation is not None  # is counted all the same
    assert json.loads((workspace.metrics / "residuals.json").read_text())["n_groups"] == SIZES["test"] / 2


@pytest.mark.slow
@pytest.mark.usefixtures("few_figures")
@pytest.mark.parametrize("regression", [False, True])
def test_a_test_part_alone_is_analyzed_by_a_run_that_can_be_resumed_and_evaluated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], regression: bool
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "recorded", {"test": 60}, regression=regression)
    Path("c.json").write_text(json.dumps(configured("recorded").as_dict()))
    main(["run-experiment", "--config", "c.json", "--strict"])
    (folder,) = Path("outputs/r").iterdir()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["inputs"]["dataset.path"]["path"] == "recorded"
    assert len(summary["inputs"]["dataset.path"]["sha256"]) == 64
    metrics = (folder / "metrics/evaluation.json").read_bytes()
    (folder / "metrics/evaluation.json").unlink()
    main(["run-experiment", "--resume", "r"])
    assert (folder / "metrics/evaluation.json").read_bytes() == metrics
    capsys.readouterr()
    main(["eval", "r", "--json"])
    key = "rmse" if regression else "accuracy"
    assert json.loads(metrics)[key] in flat(json.loads(capsys.readouterr().out))
    with pytest.raises(SystemExit, match="expected outputs on the val samples, found those on test"):
        main(["eval", "r", "--split", "val"])
    page = (folder / "data/report/report.html").read_text()
    assert "<title>recorded" in page
    assert page.count('<q class="sample-text">sample ') > 1
    shutil.copytree("recorded", "again")  # another model on the same samples
    main(["run-experiment", "two", "--config", "c.json", "--set", "dataset.path=again"])
    capsys.readouterr()
    main(["compare", "r", "two", "--json"])
    shared = json.loads(capsys.readouterr().out)
    assert 60 in flat(shared)


@pytest.mark.slow
def test_a_dry_run_tries_some_samples_of_each_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mlx.runs.dry_run_recorded.MOST_ROWS", 50)
    record(tmp_path / "recorded")
    Path("c.json").write_text(json.dumps(configured("recorded").as_dict()))
    (resolved,) = resolve_all(Path("c.json"))
    found = dry_run(resolved)
    assert "tried: the analysis of 50 of 120 test, 50 of 60 val, 50 of 90 train samples; not all rows were read" in (
        found.facts
    )
    assert any(line.startswith("no effect on recorded outputs") for line in found.warnings)
    np.save("recorded/test/penultimate.npy", np.full((120, 8), np.nan))
    with pytest.raises(DataError, match=r"recorded/test/penultimate.npy: .*finite") as error:
        dry_run(resolved)
    assert "mlx-dry-run" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.json", "recorded"]


@pytest.mark.parametrize("array", ["float16", "big-endian", "Fortran", "float64"])
def test_arrays_of_any_layout_give_the_numbers_that_they_hold(tmp_path: Path, array: str) -> None:
    source = record(tmp_path / "recorded", {"test": 40})
    kinds = {"float16": np.float16, "big-endian": ">f4", "Fortran": np.float32, "float64": np.float64}
    for name in ("penultimate", "logits"):
        path = source / f"test/{name}.npy"
        values = np.load(path).astype(kinds[array])
        np.save(path, np.asfortranarray(values) if array == "Fortran" else values)
    workspace = run(tmp_path / "run", configured(source), steps=6)
    found = open_model_outputs(workspace.representations)
    assert found.logits is not None
    np.testing.assert_array_equal(found.layers["penultimate"], np.load(source / "test/penultimate.npy"))
    np.testing.assert_array_equal(found.logits, np.load(source / "test/logits.npy"))


def test_the_arrays_have_to_be_those_that_the_labels_were_read_with(tmp_path: Path) -> None:
    source = record(tmp_path / "recorded")
    workspace = run(tmp_path / "run", configured(source), steps=3)
    (extract,), section = STEPS[3:4], configured(source).representations
    for change in (changed("val/conv.npy", np.negative), shutil.rmtree):
        change(source)
        with pytest.raises(
            DataError, match=r"recorded: expected the recorded arrays that generate-data read, .* found"
        ):
            extract(workspace, representations=section)


@pytest.mark.slow
def test_dvc_runs_all_stages_and_notices_a_new_recording_and_a_new_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "repository"
    sections = {"split": {}, "preprocessing": {}, "training": {}, "representations": {}, "evaluation": {}}
    params = {"name": "r", "dataset": {"name": "recorded", "path": "recorded"}, "model": {"name": "recorded"}}
    repository = Repository(root, params | sections | {"residuals": QUICK, "report": {"dpi": 50}})
    repository.start_warm()
    record(root / "recorded", {"test": 60, "val": 40})
    monkeypatch.chdir(root)
    main(["watch"])
    assert repository.repro() == STAGES
    logits = root / "recorded/val/logits.npy"
    np.save(logits, -np.load(logits))
    assert repository.repro("preprocess-split") == STAGES[:2]
    own = root / "own.py"
    own.write_text(
        "def make():\n    from sklearn.linear_model import LogisticRegression\n    return LogisticRegression()"
    )
    repository.configure(SMALL | {"model": {"name": "sklearn", "architecture": "own.py:make"}})
    main(["watch"])
    assert "train depends on own.py; extract-representations depends on own.py" in capsys.readouterr().out
    assert repository.repro("train") == STAGES[:3]
    own.write_text(own.read_text().replace("()", "(C=0.1)", 2))
    assert repository.repro("train") == ["train"]
