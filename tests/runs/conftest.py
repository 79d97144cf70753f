"""A folder with the configuration of a small experiment, and one in which it has run."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from blank_figures import leave_few_figures
from small_runs import CONFIG, TINY, run_once


@pytest.fixture(scope="module", autouse=True)
def _few_figures() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        leave_few_figures(patch)
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mlx.core.locks.PATIENCE", 0.2)
    (tmp_path / "params.yaml").write_text(json.dumps(CONFIG))  # JSON is YAML
    return tmp_path


@pytest.fixture(scope="session")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of the experiment, of which each test gets a copy."""
    return run_once(tmp_path_factory, "params.yaml", json.dumps(CONFIG)) / "outputs"


@pytest.fixture
def finished_run(folder: Path, outputs: Path) -> Path:
    """The folder of a finished run in ``folder``."""
    shutil.copytree(outputs, folder / "outputs")
    (run,) = (folder / "outputs/small").iterdir()
    return run


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a finished run in it."""
    return run_once(tmp_path_factory, "tiny.yaml", TINY)


@pytest.fixture
def run(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a copy of the run, in a folder in which commands are given."""
    shutil.copytree(whole, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    (folder,) = (tmp_path / "copy/outputs/tiny").iterdir()
    return folder
