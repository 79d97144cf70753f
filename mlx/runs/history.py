"""The history of runs: each is a folder with a ``summary.json`` that says how far it came."""

import os
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from mlx.core.artifacts import read_json, write_json
from mlx.core.checksums import BEFORE, CONFIG, read_checksums
from mlx.core.descriptions import read_description
from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.locks import lock_state, seen_by_all
from mlx.core.metrics import read_metrics
from mlx.core.paths import Workspace, repository_root, what_is
from mlx.core.reading import ABSENT, REMAKE, existing
from mlx.core.settings import Settings, nearest
from mlx.core.user_code import names_function
from mlx.core.versions import versions
from mlx.runs.owners import Owner, boot

if TYPE_CHECKING:
    from mlx.config import ExperimentConfig

SUMMARY = "summary.json"
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
        """Return the configuration that it runs, with all defaults.

        Raises
        ------
        ArtifactError
            It is missing or damaged.
        """
        path = self.folder / CONFIG
        remedy = "; a run is of no use without its configuration: run the experiment again"
        config = read_json(path, remedy=remedy)
        if not all(isinstance(config.get(section), dict) for section in ("dataset", "model")):
            raise ArtifactError(f"{path}: expected the sections of a configuration, found others{remedy}")
        return config


@dataclass(frozen=True)
class DamagedRun:
    """A run directory whose summary can't be read.

    Attributes
    ----------
    folder : of the run.
    reason : a message that names the file, what is wrong with it, and what to do.
    """

    folder: Path
    reason: str

    @property
    def id(self) -> str:
        """As `Run.id`."""
        return f"{self.folder.parent.name}/{self.folder.name}"


def read_run(folder: Path) -> Run:
    """Read the run in `folder`.

    Raises
    ------
    ArtifactError
        There is none, or its summary is damaged.
    """
    try:
        return Run(folder, read_description(folder / SUMMARY, Summary))
    except ArtifactError as error:
        found = str(error).removesuffix(REMAKE).removesuffix(ABSENT)
        raise ArtifactError(f"{found}; 'mlx run-experiment --resume {folder}' writes it again") from None


def recovered(folder: Path) -> Run:
    """Make a summary for the run in `folder`, whose own is damaged or missing, from what else is there.

    Raises
    ------
    ArtifactError
        The folder is of no run, or something else stands in the summary's place.
    MlxError
        The configuration or the record of its files is damaged, too.
    """
    from mlx.config import read_config

    if os.path.lexists(folder / SUMMARY):
        existing(folder / SUMMARY)
    if not (folder / CONFIG).is_file():
        raise ArtifactError(f"{folder}: expected a run, found neither a whole {SUMMARY} nor {CONFIG}")
    config, checksums = read_config(folder / CONFIG), read_checksums(folder)
    done = {} if checksums is None else dict.fromkeys((step for step in checksums.steps if step != BEFORE), 0.0)
    changed = datetime.fromtimestamp((folder / CONFIG).stat().st_mtime, UTC).isoformat(timespec="seconds")
    summary = Summary(
        name=config.name,
        status="interrupted",
        started=changed,
        seconds=done,
        owner=Owner.of_this_process(),
        versions=versions(),
        commit=None,
    )
    return Run(folder, summary)


def write_summary(folder: Path, summary: Summary) -> None:
    """Put the summary in place; a reader sees the old one or the new one, never a part, whatever stops the machine."""
    write_json(folder / SUMMARY, summary.as_dict(), durable=True)


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
        fault = f"expected a folder, found {what_is(there)}: {there}"
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


def measured(workspace: Workspace, done: Container[str]) -> dict[str, dict[str, Any]]:
    """Return what the steps that are `done` measured, by file."""
    steps = {"training": "train", "evaluation": "evaluate", "residuals": "residuals-analysis"}
    paths = {name: workspace.metrics / f"{name}.json" for name, step in steps.items() if step in done}
    return {name: read_metrics(path) for name, path in paths.items() if path.is_file()}


def find_runs(directory: Path) -> Iterator[Run]:
    """Yield the runs below `directory` that can be read, oldest first; what is no run is passed over."""
    yield from sorted((run for run in _found(directory) if isinstance(run, Run)), key=_age)


def find_damaged(directory: Path) -> list[DamagedRun]:
    """Return the runs below `directory` whose summary can't be read, by their folders."""
    return sorted((run for run in _found(directory) if isinstance(run, DamagedRun)), key=lambda run: run.folder)


def _found(directory: Path) -> Iterator[Run | DamagedRun]:
    for place, folders, files in os.walk(directory):
        folder = Path(place)
        if SUMMARY in files or SUMMARY in folders or (CONFIG in files and STAMP.fullmatch(folder.name)):
            try:
                yield read_run(folder)
            except (ArtifactError, OSError) as error:
                if CONFIG in files or STAMP.fullmatch(folder.name):  # else somebody else's summary.json
                    refused = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
                    yield DamagedRun(folder, refused)
            folders.clear()  # a run holds no other runs
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))


STAMP = re.compile(r"\d{8}-\d{6}(_\d+)?")
"""What the folder of a run is called."""


def _age(run: Run) -> tuple[str, str, int]:
    """Order runs by their time, and those of one second by the number behind it."""
    stamp, _, number = run.folder.name.partition("_")
    return run.summary.started, stamp, int(number) if re.fullmatch(r"\d+", number) else 1


def find_run(identity: str, directory: Path, *, recover: bool = False) -> Run:
    """Return the run that `identity` means: a run's folder, ``name/time``, or a name, of its latest run.

    Parameters
    ----------
    identity : as a person writes it.
    directory : where runs are looked for.
    recover : whether a run whose summary is damaged or missing gets one that is made anew.

    Raises
    ------
    SettingsError
        There is no such run: lists the nearest ones.
    ArtifactError
        The summary of the run is damaged, and can't be recovered or need not be.
    """
    for folder in (Path(identity), directory / identity):
        if os.path.lexists(folder / SUMMARY) or (recover and (folder / CONFIG).is_file()):
            try:
                return read_run(folder)
            except ArtifactError:
                if not recover:
                    raise
                return recovered(folder)
    runs = list(find_runs(directory))
    named = [run for run in runs if identity in {run.id, run.folder.parent.name, run.summary.name}]
    if named:
        return named[-1]
    for damaged in find_damaged(directory):
        if identity in {damaged.id, damaged.folder.parent.name}:
            if recover:
                return recovered(damaged.folder)
            raise ArtifactError(damaged.reason)
    known = sorted({run.summary.name for run in runs} | {run.id for run in runs})
    hint = nearest(identity, known) or (f"; the latest is {runs[-1].id}" if runs else "")
    raise SettingsError(f"{identity}: expected a run below {directory}, its id or its name, found none{hint}")
