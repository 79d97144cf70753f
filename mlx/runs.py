"""The history of runs: each is a folder with a ``summary.json`` that says how far it came."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from mlx.core.artifacts import read_json, write_json
from mlx.core.descriptions import read_description
from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.locks import lock_state, seen_by_all
from mlx.core.metrics import read_metrics
from mlx.core.paths import Workspace, repository_root
from mlx.core.settings import Settings, nearest
from mlx.core.user_code import names_function
from mlx.owners import Owner, boot

if TYPE_CHECKING:
    from mlx.config import ExperimentConfig

SUMMARY = "summary.json"
CONFIG = "config.json"
Status = Literal["running", "finished", "failed", "interrupted"]


class Summary(Settings):
    """``summary.json``: what a run is and how far it came.

    Attributes
    ----------
    name : of the experiment.
    status : as far as the run itself could tell; see `Run.status`.
    started, finished : in UTC; None while it works.
    seconds : what each finished step took, by its name, in order.
    metrics : what the steps measured, by file: numbers, intervals as lists.
    error : the message that a failed run ended with.
    owner : the process that worked on it last.
    versions : of Python and the libraries that the numbers depend on.
    commit : of the repository, with a ``+`` where files differed from it; None where there is none.
    """

    name: str
    status: Status
    started: str
    finished: str | None = None
    seconds: dict[str, float] = Field(default_factory=dict)
    metrics: dict[str, dict[str, Any]] = Field(default_factory=dict)
    error: str | None = None
    owner: Owner
    versions: dict[str, str]
    commit: str | None


@dataclass(frozen=True)
class Run:
    """A run directory with its summary."""

    folder: Path
    summary: Summary

    @property
    def id(self) -> str:
        """``name/time``, which names the run within the output directory."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def status(self) -> Status:
        """What the run is doing; one whose process is gone without a word was interrupted.

        One that can't be told from here is taken to be running.
        """
        if self.summary.status == "running" and self.is_worked_on() is False:
            return "interrupted"
        return self.summary.status

    def is_worked_on(self) -> bool | None:
        """Say whether a process is at work on it, as its lock tells; None where that can't be told from here."""
        state, owner = lock_state(self.workspace), self.summary.owner
        if state == "held":
            return True
        if state == "free" and (owner.boot == boot() or seen_by_all(self.folder)):
            return False
        return owner.is_alive()

    @property
    def workspace(self) -> Workspace:
        """Its folder as the steps see it."""
        return Workspace(self.folder)

    def config(self) -> dict[str, Any]:
        """Return the configuration that it runs, with all defaults."""
        return read_json(self.folder / CONFIG)


def read_run(folder: Path) -> Run:
    """Read the run in `folder`.

    Raises
    ------
    ArtifactError
        There is none, or its summary is damaged.
    """
    return Run(folder, read_description(folder / SUMMARY, Summary))


def write_summary(folder: Path, summary: Summary) -> None:
    """Put the summary in place; a reader sees the old one or the new one, never a part."""
    write_json(folder / SUMMARY, summary.as_dict())


def runs_of(config: "ExperimentConfig") -> Path:
    """Return the folder of an experiment's runs, which need not be there yet.

    Raises
    ------
    SettingsError
        It can't be made, or is a link to the outside of the repository; or a function that the experiment
        names lies in it.
    """
    check_functions(config)
    folder, root = config.output.folder() / config.name, repository_root()
    there = next(place for place in (folder, *folder.parents) if place.exists() or place.is_symlink())
    if not folder.resolve().is_relative_to(root):
        fault = f"expected a folder inside of {root}, found a link to {folder.resolve()}"
    elif not there.is_dir():
        fault = f"expected a folder, found a file: {there}"
    elif not os.access(there, os.W_OK | os.X_OK):
        fault = f"expected a folder that can be written to, found {there}"
    else:
        return folder
    raise SettingsError(f"output.directory: {fault}")


def check_functions(config: "ExperimentConfig") -> None:
    """Refuse an experiment that takes a function from where its own runs are kept, as that may come with a run.

    Raises
    ------
    SettingsError
        Names the key.
    """
    directory = config.output.folder().resolve()
    for key, value in (("dataset.path", config.dataset.path), ("model.architecture", config.model.architecture)):
        if value is None or not names_function(value):
            continue
        if (repository_root() / value.rpartition(":")[0]).resolve().is_relative_to(directory):
            raise SettingsError(
                f"{key}: {value}: expected a file of the repository's own, found one in the output directory, in which "
                "nothing is run as code; if the function is yours, move it to another folder, such as examples"
            )


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def measured(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Return what the steps of a finished run measured, by file."""
    names = ("training", "evaluation", "residuals")
    paths = {name: workspace.metrics / f"{name}.json" for name in names}
    return {name: read_metrics(path) for name, path in paths.items() if path.is_file()}


def find_runs(directory: Path) -> Iterator[Run]:
    """Yield the runs below `directory`, whole and half ones, oldest first; what is no run is passed over."""
    found = []
    for place, folders, files in os.walk(directory):
        if SUMMARY in files:
            folders.clear()  # a run holds no other runs
            try:
                found.append(read_run(Path(place)))
            except ArtifactError:
                continue  # somebody else's summary.json
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
    yield from sorted(found, key=_age)


def _age(run: Run) -> tuple[str, str, int]:
    """Order runs by their time, and those of one second by the number behind it."""
    stamp, _, number = run.folder.name.partition("_")
    return run.summary.started, stamp, int(number) if re.fullmatch(r"\d+", number) else 1


def find_run(identity: str, directory: Path) -> Run:
    """Return the run that `identity` means: a run's folder, ``name/time``, or a name, of its latest run.

    Parameters
    ----------
    identity : as a person writes it.
    directory : where runs are looked for.

    Raises
    ------
    SettingsError
        There is no such run: lists the nearest ones.
    """
    for folder in (Path(identity), directory / identity):
        if (folder / SUMMARY).is_file():
            return read_run(folder)
    runs = list(find_runs(directory))
    named = [run for run in runs if identity in {run.id, run.folder.parent.name, run.summary.name}]
    if named:
        return named[-1]
    known = sorted({run.summary.name for run in runs} | {run.id for run in runs})
    hint = nearest(identity, known) or (f"; the latest is {runs[-1].id}" if runs else "")
    raise SettingsError(f"{identity}: expected a run below {directory}, its id or its name, found none{hint}")
