"""Samples from a Python function of the user's own, ``file.py:name``.

This runs the user's code, which is what they ask for by writing it so. No other form of ``dataset.path`` runs
anything, and the file has to lie in the current folder, the repository, so that a configuration from
elsewhere can only name code that is there already.
"""

import re
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from mlx.core.errors import DataError
from mlx.core.settings import nearest

_FORM = re.compile(r"(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)")


def names_function(path: str) -> bool:
    """Say whether a ``dataset.path`` has the form ``file.py:name``."""
    return _FORM.fullmatch(path) is not None


def call_function(path: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Call the function and return what it made: ``X``, ``y`` and, if given, ``class_names`` and ``factors``.

    Parameters
    ----------
    path
        ``file.py:name``, relative to the current folder.
    arguments
        Passed by name.

    Raises
    ------
    DataError
        If the file lies outside of the current folder or is not there, has no such function, fails, or
        returns something else than ``(X, y)`` or a dict.
    """
    form = _FORM.fullmatch(path)
    assert form is not None
    file = _inside(form["file"])
    function = _function(file, form["name"], path)
    made = _run(path, file, lambda: function(**arguments))
    if isinstance(made, tuple | list) and len(made) == 2:
        return {"X": made[0], "y": made[1]}
    if isinstance(made, dict) and {"X", "y"} <= made.keys() <= {"X", "y", "class_names", "factors"}:
        return made
    found = f"a dict of {sorted(map(str, made))}" if isinstance(made, dict) else f"a {type(made).__name__}"
    raise DataError(f"{path}: expected (X, y), or a dict of X, y and perhaps class_names, factors; found {found}")


def _inside(name: str) -> Path:
    """Return the file, after links were followed, if it lies in the current folder."""
    here = Path.cwd().resolve()
    given = Path(name)
    file = (here / given).resolve()
    if given.is_absolute() or ".." in given.parts or not file.is_relative_to(here):
        raise DataError(f"dataset.path: {name}: expected a file in the current folder, found one outside of it")
    if not file.is_file():
        raise DataError(f"dataset.path: {name}: expected a Python file, found nothing there")
    return file


def _function(file: Path, name: str, path: str) -> Callable[..., Any]:
    module = ModuleType(f"mlx_function_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # where dataclasses look for the module of their class

    def load() -> None:
        # Not imported: an import would take old bytecode for a file that was changed within the second.
        exec(compile(file.read_bytes(), str(file), "exec"), module.__dict__)  # noqa: S102 - see the module's text

    _run(path, file, load)
    functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    if not callable(getattr(module, name, None)):
        raise DataError(f"{path}: expected a function {name} in {file.name}, found none{nearest(name, functions)}")
    function: Callable[..., Any] = getattr(module, name)
    return function


def _run(path: str, file: Path, work: Callable[[], Any]) -> Any:
    """Do `work`; when the user's code fails, say in which of its lines."""
    try:
        return work()
    except SystemExit as error:  # which would end this program without a word
        where = _line_of(error, file)
        raise DataError(f"{path}: expected samples, found that it ended the program{where}: {error!r}") from error
    except Exception as error:
        raise DataError(f"{path}: failed{_line_of(error, file)}: {type(error).__name__}: {error}") from error


def _line_of(error: BaseException, file: Path) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    return f" in line {lines[-1]}" if lines else ""
