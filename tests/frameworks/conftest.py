"""Ignores tests of frameworks that are missing: `.ci/run` installs them, the README's test command does not."""

import sys
from pathlib import Path

import pytest
from frameworks import absent

RECORDERS = Path(__file__).parents[2] / "mlx" / "recorders"
sys.path.insert(0, str(RECORDERS))  # the recorder is used as a file of its own


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Ignore a file whose imports would fail; `test_installed` reports it."""
    return True if absent(collection_path.stem) else None


@pytest.fixture(scope="session")
def recorder_file() -> Path:
    return RECORDERS / "pytorch_recorder.py"
