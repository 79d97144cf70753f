"""Skips these tests where a framework is missing: `.ci/run` installs them, the README's test command does not."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

RECORDERS = Path(__file__).parents[2] / "mlx" / "recorders"
NEEDS = {
    "test_pytorch_recorder": ["torch"],
    "test_recorded_networks": ["torch", "onnx", "onnxscript", "onnxruntime"],
    "test_recipes": ["torch", "lightning", "transformers", "accelerate"],
}
"""The modules of other frameworks that the tests of each file need."""


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Ignore a file whose imports would fail; `test_skips` reports it."""
    return True if absent(collection_path.stem) else None


def absent(name: str) -> list[str]:
    return [module for module in NEEDS.get(name, []) if find_spec(module) is None]


# The recorder is used as a file of its own.
sys.path.insert(0, str(RECORDERS))


@pytest.fixture(scope="session")
def recorder_file() -> Path:
    return RECORDERS / "pytorch_recorder.py"
