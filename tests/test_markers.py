"""``pytest -m "not slow"`` is quick, and leaves out no room."""

import ast
from pathlib import Path

import pytest
from test_layers import LEVELS

ROOT = Path(__file__).parents[1]
TESTED_FROM_ABOVE = {"pipeline", "commands"}  # by the tests of whole runs, and of the command
ROOMS = sorted(name for name in LEVELS if (ROOT / "mlx" / name).is_dir() and name not in TESTED_FROM_ABOVE)


def quick_tests(file: Path) -> list[str]:
    """The tests of a file that are not marked as slow."""
    body = ast.parse(file.read_text()).body
    if any(ast.unparse(node) == "pytestmark = pytest.mark.slow" for node in body):
        return []
    tests = [node for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return [test.name for test in tests if "pytest.mark.slow" not in map(ast.unparse, test.decorator_list)]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_tests_that_are_not_slow(room: str) -> None:
    assert any(quick_tests(file) for file in (ROOT / "tests" / room).rglob("test_*.py"))
