"""A folder with the configuration of a small experiment, and one in which it has run."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from blank_figures import FEW
from small_runs import CONFIG, TINY

from mlx.cli import main


@pytest.fixture(scope="module", autouse=True)
def _few_figures() -> Iterator[None]:
    """Draw two figures of a report: all of them, though blank, take more than half of the time of a run."""
    from mlx.plots.report.figures import FIGURES

    with pytest.MonkeyPatch.context() as patch:
        for task, figures in FIGURES.items():
            patch.setitem(FIGURES, task, figures)  # and put back
        exec(FEW, {})  # noqa: S102  # as other processes do
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mlx.core.locks.PATIENCE", 0.2)
    (tmp_path / "params.yaml").write_text(json.dumps(CONFIG))  # JSON is YAML
    return tmp_path


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of the experiment, of which each test gets a copy."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "params.yaml").write_text(json.dumps(CONFIG))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(["run-experiment"])
    return folder / "outputs"


@pytest.fixture
def finished_run(folder: Path, outputs: Path) -> Path:
    """The folder of a finished run in ``folder``."""
    shutil.copytree(outputs, folder / "outputs")
    (run,) = (folder / "outputs/small").iterdir()
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a finished run in it."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "tiny.yaml").write_text(TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(["run-experiment", "--config", "tiny.yaml"])
    return folder


@pytest.fixture
def run(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a copy of the run, in a folder in which commands are given."""
    shutil.copytree(whole, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    (folder,) = (tmp_path / "copy/outputs/tiny").iterdir()
    return folder
