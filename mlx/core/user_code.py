"""Functions of the user's own that a configuration names as ``file.py:name``.

Calling one runs the user's code. No other form of a key runs code, and the file must be in the repository, so that a
configuration from elsewhere can only name code that is there already. A folder of results may come from elsewhere as
a whole: no file in one is run.
"""

import json
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from mlx.core.errors import DataError
from mlx.core.extras import remedy_for
from mlx.core.output import output_directory
from mlx.core.paths import expanded, repository_root, what_is
from mlx.core.settings import nearest

_FORM = re.compile(r"(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)")


def names_function(path: str) -> bool:
    """Return whether `path` has the form ``file.py:name``."""
    return _FORM.fullmatch(path) is not None


def function_file(path: str) -> str:
    """Return the file in `path`, which has the form ``file.py:name``."""
    return path.rpartition(":")[0]


class UserFunction:
    """A function of the user's, loaded.

    Parameters
    ----------
    path
        ``file.py:name``, relative to the root of the repository (outside of any: to the current folder).
    key
        Of the configuration that names it, for messages.
    purpose
        What it is to make, for messages.

    Raises
    ------
    DataError
        The file lies outside of the repository or is not there, fails, or has no such function.
    """

    def __init__(self, path: str, *, key: str, purpose: str) -> None:
        form = _FORM.fullmatch(path)
        assert form is not None
        self.path, self.purpose = path, purpose
        self.file = _inside(form["file"], key)
        self.function = self._load(form["name"])

    def __call__(self, **arguments: Any) -> Any:
        """Call it.

        Raises
        ------
        DataError
            It fails: names the line.
        """
        return self._run(lambda: self.function(**arguments))

    def _load(self, name: str) -> Callable[..., Any]:
        module = ModuleType(f"mlx_function_{self.file.stem}")
        module.__file__ = str(self.file)
        sys.modules[module.__name__] = module  # where dataclasses look for the module of their class

        def load() -> None:
            # Not imported: an import would take old bytecode for a file that was changed within the second.
            exec(compile(self.file.read_bytes(), str(self.file), "exec"), module.__dict__)  # noqa: S102 - see above

        self._run(load)
        functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        if not callable(getattr(module, name, None)):
            hint = nearest(name, functions)
            raise DataError(f"{self.path}: expected a function {name} in {self.file.name}, found none{hint}")
        function: Callable[..., Any] = getattr(module, name)
        return function

    def _run(self, work: Callable[[], Any]) -> Any:
        """Do `work`; an error of the user's code names the line that raised it."""
        try:
            return work()
        except SystemExit as error:  # which would end this program without a message
            where = _line_of(error, self.file)
            raise DataError(
                f"{self.path}: expected {self.purpose}, found that it ended the program{where}: {error!r}"
            ) from error
        except Exception as error:
            where = _line_of(error, self.file)
            raise DataError(
                f"{self.path}: failed{where}: {type(error).__name__}: {' '.join(str(error).split())}{remedy_for(error)}"
            ) from error


def _inside(name: str, key: str) -> Path:
    """Return the file, after links were followed, if it lies in the repository."""
    here = repository_root()
    given = expanded(name)
    file = (here / given).resolve()
    if given.is_absolute() or ".." in given.parts or not file.is_relative_to(here):
        raise DataError(f"{key}: {name}: expected a file in the repository, {here}, found one outside of it")
    if not file.is_file():
        raise DataError(f"{key}: {file}: expected a Python file, found {what_is(file)}")
    if (folder := results_around(file, here)) is not None:
        where = "the root of the repository" if folder == here else folder.relative_to(here)
        raise DataError(
            f"{key}: {name}: expected a file of the repository's own, found one in {where}, which holds results: "
            "nothing in there is run as code; if the function is yours, move it to another folder, such as examples"
        )
    return file


def results_around(file: Path, root: Path) -> Path | None:
    """Return the folder of results that `file` lies in: of a run, of runs, or one that the steps write into.

    Both are resolved, and `file` is below `root`.
    """
    written = [*(root / name for name in WRITTEN), output_directory()]
    for folder in file.parents:
        if any(place.exists() and place.samefile(folder) for place in written):
            return folder
        if _is_summary(folder / SUMMARY):
            return folder
        if folder == root:
            return None
        if (folder / "data" / "model" / "model.json").exists():  # of a pipeline
            return folder
        if any(_is_summary(found) for depth in ("*", "*/*") for found in folder.glob(f"{depth}/{SUMMARY}")):
            return folder
    raise AssertionError("the file is not below the root")


WRITTEN = ("data", "metrics", "checkpoints", "dvclive", "outputs")
"""Folders of the repository that hold results, beside the one that its params.yaml names."""

SUMMARY = "summary.json"
"""Marks the folder of a run."""


def _is_summary(path: Path) -> bool:
    """Whether `path` describes a run, and is not another file of that name."""
    try:
        found = json.loads(path.read_bytes()) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"status", "owner"} <= found.keys()


def _line_of(error: BaseException, file: Path) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    return f" in line {lines[-1]}" if lines else ""
