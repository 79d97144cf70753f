"""A run: a folder with a ``summary.json`` that states its status and its results."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from mlx.core.artifacts import read_json, write_json
from mlx.core.checksums import CONFIG
from mlx.core.descriptions import Hash, InputDescription, read_description
from mlx.core.errors import ArtifactError
from mlx.core.locks import lock_state, seen_by_all
from mlx.core.paths import Workspace
from mlx.core.reading import ABSENT, REMAKE
from mlx.core.settings import Settings
from mlx.runs.owners import Owner, boot

SUMMARY = "summary.json"
Status = Literal["running", "finished", "failed", "interrupted"]


class Summary(Settings):
    """``summary.json``: the status and the results of a run.

    Attributes
    ----------
    name
        Of the experiment.
    status
        As recorded by the run itself; see `Run.status`.
    started, finished
        In UTC; finished is None while the run works.
    inputs
        The files and folders that ``generate-data`` read, by key: size and hash.
    seconds
        Duration of each finished step, by name, in order.
    metrics
        Numbers by the file in ``metrics/`` that they were read from; intervals as lists.
    error
        The message with which a failed run ended.
    owner
        The last process that worked on the run.
    versions
        Of Python and the libraries that the numbers depend on.
    commit
        Of the repository, with a ``+`` if tracked files differed from it; None without a repository.
    sha256
        Of all of these, so that a changed digit is noticed; None in runs of earlier versions.
    """

    name: str
    status: Status
    started: str
    finished: str | None = None
    inputs: dict[str, InputDescription] = Field(default_factory=dict)
    seconds: dict[str, float] = Field(default_factory=dict)
    metrics: dict[str, dict[str, Any]] = Field(default_factory=dict)
    error: str | None = None
    owner: Owner
    versions: dict[str, str]
    commit: str | None
    sha256: Hash | None = None

    @field_validator("sha256")
    @classmethod
    def _of_the_rest(cls, sha256: str | None, found: ValidationInfo) -> str | None:
        whole = found.data.keys() == cls.model_fields.keys() - {"sha256"}
        if sha256 is not None and whole and sha256 != cls(**found.data).digest():
            raise ValueError("expected the SHA-256 of the rest of the file, found another: something was changed")
        return sha256

    def digest(self) -> str:
        """Return the SHA-256 of all but `sha256`."""
        content = json.dumps({**self.as_dict(), "sha256": None}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Run:
    """A run directory with its summary."""

    folder: Path
    summary: Summary

    @property
    def id(self) -> str:
        """``name/time``, which identifies the run within the output directory."""
        return run_id(self.folder)

    @property
    def status(self) -> Status:
        """The recorded status, or "interrupted" if the run is recorded as running and its process has ended.

        A run whose process can't be observed from here counts as running.
        """
        if self.summary.status == "running" and self.has_process() is False:
            return "interrupted"
        return self.summary.status

    def has_process(self) -> bool | None:
        """Return whether a process works on the run, by its lock; None if that can't be observed from here."""
        state, owner = lock_state(self.workspace), self.summary.owner
        if state == "held":
            return True
        if state == "free" and (owner.boot == boot() or seen_by_all(self.folder)):
            return False
        return owner.is_alive()

    @property
    def workspace(self) -> Workspace:
        """The folder as the steps see it."""
        return Workspace(self.folder)

    def config(self) -> dict[str, Any]:
        """Return the run's configuration, with all defaults.

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


def run_id(folder: Path) -> str:
    """Return ``name/time`` of the run in `folder`."""
    return f"{folder.parent.name}/{folder.name}"


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


def write_summary(folder: Path, summary: Summary) -> None:
    """Replace the summary at once: readers see the old or the new one, even if the machine stops in between."""
    content = {**summary.as_dict(), "sha256": None}
    content["sha256"] = Summary.model_validate(content).digest()  # of what a reader finds
    write_json(folder / SUMMARY, content, durable=True)
