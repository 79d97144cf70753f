"""Where a command looks and works: paths in a configuration count from the root of the repository."""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlx.runs.run import Run


def run_name(text: str) -> str:
    """Return the name of a run as it was given.

    Raises
    ------
    argparse.ArgumentTypeError
        It is empty, as an unset variable of a shell is; a path made of it would mean the workspace.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a run's folder, name/time or name, found an empty text")
    return text


@contextmanager
def at_root() -> Iterator[Callable[[Path], str]]:
    """Work at the root of the repository, as `dvc repro` does.

    Gives the function that writes a path as a person would type it where the command was given.
    """
    from mlx.core.paths import repository_root

    here = Path.cwd()
    os.chdir(repository_root())
    try:
        yield shown_from(here)
    finally:
        os.chdir(here)


def shown_from(here: Path) -> Callable[[Path], str]:
    """Return what writes a path as a person in the folder `here` would type it."""
    return lambda path: os.path.relpath(path, here)


def run_directory(given: Path | None = None) -> Path:
    """Return the folder in which runs are looked for: the given one, else that of the repository's params.yaml.

    Raises
    ------
    SettingsError
        The given one is no folder. The other need not be there before the first run.
    """
    from mlx.core.errors import SettingsError
    from mlx.core.output import output_directory

    if given is not None and not given.is_dir():
        raise SettingsError(f"--run-dir: expected a folder that holds runs, found none at {given.absolute()}")
    return output_directory() if given is None else given


def find_any_run(identity: str, directory: Path | None = None, *, recover: bool = False) -> "Run":
    """Return the run that `identity` means; its folder absolute, so that it holds wherever the command goes.

    With `recover`, one whose summary is damaged or missing gets another, made of what else is there.
    """
    from mlx.runs.history import find_run
    from mlx.runs.run import Run

    found = find_run(identity, run_directory(directory), recover=recover)
    return Run(found.folder.resolve(), found.summary)
