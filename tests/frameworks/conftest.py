"""Ignores tests of frameworks that are missing: `.ci/run` installs them, the README's test command does not."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from frameworks import absent

if TYPE_CHECKING:
    from small_networks import Small

TESTS = Path(__file__).parents[1]
RECORDERS = TESTS.parent / "mlx" / "recorders"
sys.path.insert(0, str(RECORDERS))  # the recorder is used as a file of its own


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Ignore a file whose imports would fail; `test_installed` reports it."""
    return True if absent(collection_path.stem) else None


@pytest.fixture(autouse=True)
def hidden_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the folders of `tests`: libraries that look for the package `datasets` would find `tests/datasets`."""
    monkeypatch.setattr(sys, "path", [path for path in sys.path if Path(path) != TESTS])


@pytest.fixture(scope="session")
def recorder_file() -> Path:
    return RECORDERS / "pytorch_recorder.py"


@pytest.fixture
def model() -> "Small":
    import torch
    from small_networks import Small

    torch.manual_seed(0)
    return Small()
