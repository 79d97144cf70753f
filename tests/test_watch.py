"""`mlx watch`: `dvc repro` runs again when the data change, and only then; dvc.yaml keeps all else."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from repository import SMALL, Repository

from mlx.cli import main
from mlx.config import ExperimentConfig
from mlx.core.errors import DataError
from mlx.runs.watch import STAGES, files_of, with_watched

ROOT = Path(__file__).parents[1]
BEFORE = (ROOT / "dvc.yaml").read_text()


def table(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    X = np.random.default_rng(seed).normal(size=(120, 2))
    pd.DataFrame(X, columns=["p", "q"]).assign(y=np.where(X[:, 0] > 0, "a", "b")).to_csv(path, index=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in a folder of its own, with no more than the two files that the command reads."""
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "dvc.yaml").write_text(BEFORE)
    monkeypatch.chdir(root)
    return root


def configure(root: Path, **dataset: Any) -> None:
    (root / "params.yaml").write_text(yaml.safe_dump(SMALL | {"dataset": {"name": "custom", **dataset}}))


def deps(root: Path) -> list[str]:
    found: list[str] = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]["generate-data"]["deps"]
    return found


@pytest.mark.slow
def test_paths_are_added_once_and_taken_out_again_to_the_byte(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("my data.csv", "sub/test: #1.csv", "m.csv"):
        table(folder / name)
    params = {"target": "y", "test_path": str(folder / "sub/test: #1.csv"), "metadata": "m.csv"}
    configure(folder, path="my data.csv", params=params)
    code = deps(folder)
    main(["watch"])
    written = (folder / "dvc.yaml").read_text()
    assert deps(folder) == [*code, "my data.csv", "sub/test: #1.csv", "m.csv"]
    assert set(BEFORE.splitlines()) <= set(written.splitlines())
    main(["watch"])
    assert (folder / "dvc.yaml").read_text() == written
    configure(folder, path="m.csv", params={"target": "y"})
    main(["watch"])
    assert deps(folder) == [*code, "m.csv"]
    capsys.readouterr()
    for expected in ("no longer depends on m.csv", "nothing was watched"):
        main(["watch", "--remove"])
        assert expected in capsys.readouterr().out
        assert (folder / "dvc.yaml").read_text() == BEFORE


@pytest.mark.parametrize(
    ("model", "file", "stages"),
    [
        ({"name": "onnx", "architecture": "my.onnx"}, "my.onnx", ["train"]),
        ({"name": "cnn", "params": {"pretrained": "my.weights.h5"}}, "my.weights.h5", ["train"]),
        ({"name": "sklearn", "architecture": "my.py:make"}, "my.py", ["train", "extract-representations"]),
        ({"name": "sklearn", "architecture": "my.skops"}, "my.skops", ["train"]),
    ],
)
def test_the_stages_that_read_the_file_of_a_model_depend_on_it(
    folder: Path, model: dict[str, Any], file: str, stages: list[str]
) -> None:
    (folder / file).write_text("")
    config = ExperimentConfig.model_validate(SMALL | {"dataset": {"name": "digits"}, "model": model})
    read = {stage: [path.name for path in files.values()] for stage, files in files_of(config).items()}
    assert read == {stage: [file] if stage in stages else [] for stage in STAGES}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_other_line_stays_as_it_is(ending: str) -> None:
    lines = [
        "# a comment",
        "stages:",
        "    generate-data:",
        "        deps: # why",
        "        -   a  # b",
        "        - 'c d'",
    ]
    text = ending.join(lines)
    added = with_watched(text, {"generate-data": ["e f", "c d"]})
    assert added == ending.join([*lines, "        - e f # mlx watch", ""])
    assert with_watched(added, {}) == text + ending


@pytest.mark.parametrize(
    "text", ["", "a: [", "stages: {generate-data: {deps: [a, b]}}", "stages: {other: {deps: [a]}}"]
)
def test_another_pipeline_is_rejected(text: str) -> None:
    with pytest.raises(DataError, match=r"^dvc.yaml: (not valid YAML|expected the dependencies of generate-data)"):
        with_watched(text, {"generate-data": ["a"]})


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"name": "shapes"}, r"params.yaml:\d+: dataset.*: expected a path to files or a folder, found none: shapes"),
        ({"path": "absent.csv", "params": {"target": "y"}}, "dataset.path: expected a file or folder, found nothing"),
        (
            {"path": "data/raw/X.csv", "params": {"target": "y"}},
            "apart from the pipeline's own results, found data/raw",
        ),
        ({"path": ".", "params": {}}, "apart from the pipeline's own results, found data/raw"),
    ],
)
def test_what_can_not_be_watched_is_named(folder: Path, dataset: dict[str, Any], message: str) -> None:
    table(folder / "data/raw/X.csv")
    configure(folder, **dataset)
    with pytest.raises(SystemExit, match=message) as error:
        main(["watch"])
    assert "\n" not in str(error.value)
    assert (folder / "dvc.yaml").read_text() == BEFORE


def test_a_folder_without_the_pipeline_is_rejected(folder: Path) -> None:
    (folder / "dvc.yaml").unlink()
    table(folder / "t.csv")
    configure(folder, path="t.csv", params={"target": "y"})
    with pytest.raises(SystemExit, match="dvc.yaml: expected the pipeline of this project, found nothing there"):
        main(["watch"])
    for content, message in (
        (b"stages: [", "not valid YAML"),
        (b"stages: {generate-data: 1}", "expected the dependencies of generate-data"),
        ("# ä".encode("latin-1"), "expected text in UTF-8"),
    ):
        (folder / "dvc.yaml").write_bytes(content)
        with pytest.raises(SystemExit, match=f"dvc.yaml: {message}"):
            main(["watch"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", "folder", "outside", "above"])
def test_dvc_repro_runs_again_when_the_data_change_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    root = tmp_path / "repository"
    place = root / "my data" if kind in {"file", "folder"} else tmp_path / "my data"
    file = place / ("X.npy" if kind == "folder" else "t.csv")
    file.parent.mkdir(parents=True)

    def write(seed: int) -> None:
        if kind != "folder":
            return table(file, seed)
        X = np.random.default_rng(seed).normal(size=(120, 2))
        np.save(file, X)
        return np.save(place / "y.npy", (X[:, 0] > 0).astype(int))

    path = {"folder": "my data", "file": "my data/t.csv", "above": "../my data/t.csv"}.get(kind, str(file))
    params = {} if kind == "folder" else {"target": "y"}
    dataset = {"name": "custom", "path": path, "params": params}
    write(0)
    repository = Repository(root, SMALL | {"dataset": dataset, "preprocessing": {"scaling": "standard"}})
    repository.start_warm()
    monkeypatch.chdir(root)
    main(["watch"])
    assert repository.repro("generate-data") == ["generate-data"]
    assert repository.repro("generate-data") == []
    write(1)
    assert repository.repro("preprocess-split") == ["generate-data", "preprocess-split"]
    if kind == "folder":
        (place / "notes.txt").write_text("a file more")
        assert repository.repro("generate-data") == ["generate-data"]
    main(["watch", "--remove"])
    assert (root / "dvc.yaml").read_text() == BEFORE
    shutil.rmtree(place)
    assert repository.repro("generate-data") == []
