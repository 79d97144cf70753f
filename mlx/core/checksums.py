"""The SHA-256 of every file that a step of a run wrote, by which later changes are detected."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from mlx.core.artifacts import write_json
from mlx.core.console import note
from mlx.core.descriptions import Hash, read_description
from mlx.core.reading import OnRecord, digest_of_file, verifying
from mlx.core.settings import Settings

CHECKSUMS = "checksums.json"
CONFIG = "config.json"
BEFORE = "configuration"
"""In place of a step, for files that existed before the first one."""
WATCHED = ("data", "metrics", "checkpoints")
"""Folders of a run that steps write to."""


def is_result(name: str) -> bool:
    """Return whether a file of a run is no checkpoint: no step reads those, so they may be deleted to save space."""
    return not name.startswith("checkpoints/")


Name = Annotated[str, StringConstraints(pattern=r"^[^/.\\][^/\\]*(/[^/.\\][^/\\]*)*$")]


class Checksums(Settings):
    """``checksums.json``: the digests of the files that each finished step wrote, by name below the run's folder.

    Attributes
    ----------
    names
        Of the names in `steps`, so that a changed or missing one is noticed; None in runs of earlier versions.
    """

    format: Literal[1] = 1
    steps: dict[str, dict[Name, Hash]] = Field(default_factory=dict)
    names: Hash | None = None

    @field_validator("names")
    @classmethod
    def _of_these_steps(cls, names: str | None, found: ValidationInfo) -> str | None:
        if names is not None and "steps" in found.data and names != _digest_of_names(found.data["steps"]):
            raise ValueError("expected the SHA-256 of the names in 'steps', found another: a name was changed")
        return names

    def of_all(self) -> dict[str, str]:
        """Return the digest of every file."""
        return {name: digest for files in self.steps.values() for name, digest in files.items()}

    def missing_from(self, folder: Path) -> list[str]:
        """Return the files that are not there, of those that a later step or command may look for."""
        files = (name for step, files in self.steps.items() if step != "report" for name in files)
        return [name for name in files if is_result(name) and not (folder / name).exists()]

    def with_step(self, step: str, files: Mapping[str, str]) -> "Checksums":
        """Return the checksums after `step` wrote `files`; those of the same name are removed from other steps."""
        steps = {
            other: {name: digest for name, digest in digests.items() if name not in files}
            for other, digests in self.steps.items()
        }
        return Checksums(steps={**steps, step: dict(sorted(files.items()))})

    def of_steps(self, steps: Iterable[str]) -> "Checksums":
        """Return the checksums of `steps` alone, in their order."""
        return Checksums(steps={step: self.steps[step] for step in steps if step in self.steps})


def read_checksums(folder: Path) -> Checksums | None:
    """Read the checksums of the run in `folder`; None for a folder without, such as a run of an earlier version.

    Raises
    ------
    ArtifactError
        They are damaged.
    """
    path = folder / CHECKSUMS
    return read_description(path, Checksums) if os.path.lexists(path) else None


def of_configuration(folder: Path) -> Checksums:
    """Return the checksums of the run in `folder` before its first step."""
    return Checksums(steps={BEFORE: {CONFIG: digest_of_file(folder / CONFIG)}})


def write_checksums(folder: Path, checksums: Checksums) -> None:
    """Write the checksums, durably: they are on the disk when this returns."""
    content = {**checksums.as_dict(), "names": _digest_of_names(checksums.steps)}
    write_json(folder / CHECKSUMS, content, durable=True)


def _digest_of_names(steps: Mapping[str, Mapping[str, str]]) -> str:
    names = {step: list(files) for step, files in steps.items()}
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


@dataclass(frozen=True)
class Fault:
    """A file of a run that differs from what its step wrote."""

    name: str
    found: str


def faults(folder: Path, files: Mapping[str, str]) -> Iterator[Fault]:
    """Yield the `files` below `folder` that are missing or have other content."""
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            yield Fault(name, "missing" if not path.exists() else "no file")
        elif digest_of_file(path) != digest:
            yield Fault(name, "not what the step wrote")


def verified(folder: Path, *, config_only: bool = False) -> AbstractContextManager[None]:
    """Verify the files of the run in `folder` by their checksums when they are read within the block.

    Files of a folder without checksums, such as the DVC workspace, are not verified. A line names files that are
    missing, as some are read only where they exist. `config_only` is for blocks that read the configuration alone.

    Raises
    ------
    ArtifactError
        The checksums are damaged.
    """
    checksums = read_checksums(folder) or Checksums()
    resume = f"'mlx run-experiment --resume {folder}'"
    repeat = f"; {resume} repeats the step that writes it"
    anew = f"; if it is what you want, start a run of its own with 'mlx run-experiment --config {folder / CONFIG}'"
    if missing := [] if config_only else checksums.missing_from(folder):
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        note(f"{folder}: warning: files of the run are missing: {missing[0]}{more}; {resume} writes them again")
    digests = checksums.of_all()
    return verifying(
        {folder / name: OnRecord(digest, anew if name == CONFIG else repeat) for name, digest in digests.items()}
    )


State = Mapping[str, tuple[int, int, int]]


def state_of(folder: Path) -> State:
    """Return inode, time and size of each file below `folder` that a step may write: they change when it does."""
    files = {}
    for watched in WATCHED:
        for place, folders, names in os.walk(folder / watched):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if not name.startswith("."):
                    path = Path(place) / name
                    status = path.lstat()
                    key = path.relative_to(folder).as_posix()
                    files[key] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return files


def written_since(folder: Path, before: State) -> dict[str, str]:
    """Return the digests of the files written since `before`, a result of `state_of`."""
    now = state_of(folder)
    return {name: digest_of_file(folder / name) for name in sorted(now) if now[name] != before.get(name)}
