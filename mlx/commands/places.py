"""The folders of a command: paths in a configuration are relative to the root of the repository."""

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
        It is empty, such as an unset variable of a shell; as a path it would be the workspace.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a run's folder, name/time or name, found an empty text")
    return text


@contextmanager
def at_root() -> Iterator[Callable[[Path], str]]:
    """Change to the root of the repository, where `dvc repro` runs, for the duration of the block.

    Returns a function that makes a path relative to the folder in which the command was started.
    """
    from mlx.core.paths import repository_root

    here = Path.cwd()
    os.chdir(repository_root())
    try:
        yield shown_from(here)
    finally:
        os.chdir(here)


def shown_from(here: Path) -> Callable[[Path], str]:
    """Return a function that makes a path relative to `here`."""
    return lambda path: os.path.relpath(path, here)


def run_directory(given: Path | None = None) -> Path:
    """Return the folder of the runs: the given one, or that of the repository's params.yaml.

    Raises
    ------
    SettingsError
        The given one is not a folder. The other need not exist before the first run.
    """
    from mlx.core.errors import SettingsError
    from mlx.core.output import output_directory

    if given is not None and not given.is_dir():
        raise SettingsError(f"--run-dir: expected a folder that holds runs, found none at {given.absolute()}")
    return output_directory() if given is None else given


def find_any_run(identity: str, directory: Path | None = None, *, recover: bool = False) -> "Run":
    """Return the run that `identity` names, with an absolute folder, which remains valid when the folder changes.

    With `recover`, a summary that is damaged or missing is restored.
    """
    from mlx.runs.history import find_run
    from mlx.runs.run import Run

    run = find_run(identity, run_directory(directory), recover=recover)
    return Run(run.folder.resolve(), run.summary)


OF_A_WORKSPACE = ("metrics", "data", "params.yaml")
"""A run, an analysis and the pipeline's folder contain at least one of these."""


def results_folder(named: str, directory: Path | None) -> Path:
    """Return the folder of a run by id, name or folder, or of a workspace.

    Raises
    ------
    SettingsError
        There is none.
    """
    folder = Path(named)
    if any((folder / name).exists() for name in OF_A_WORKSPACE):
        return folder
    return find_any_run(named, directory).folder
