"""A folder with the configuration of a small experiment."""

import json
from pathlib import Path

import pytest
from small_runs import CONFIG


@pytest.fixture(scope="module", autouse=True)
def _quick_figures(undrawn: None) -> None: ...


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mlx.core.locks.PATIENCE", 0.2)
    (tmp_path / "params.yaml").write_text(json.dumps(CONFIG))  # JSON is YAML
    return tmp_path
