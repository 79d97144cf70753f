"""What each step of a run wrote, by its SHA-256, so that a file that has changed since is noticed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mlx.core.artifacts import write_json
from mlx.core.descriptions import read_description
from mlx.core.reading import OnRecord, digest_of_file, verifying
from mlx.core.settings import Settings

CHECKSUMS = "checksums.json"
CONFIG = "config.json"
BEFORE = "configuration"
"""What stands for a step where a file is on record that was there before the first one."""
WATCHED = ("data", "metrics", "checkpoints")
"""Folders of a run in which steps write."""

Name = Annotated[str, StringConstraints(pattern=r"^[^/.\\][^/\\]*(/[^/.\\][^/\\]*)*$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Checksums(Settings):
    """``checksums.json``: the files that each finished step wrote, by their names below the run's folder."""

    format: Literal[1] = 1
    steps: dict[str, dict[Name, Digest]] = Field(default_factory=dict)

    def of_all(self) -> dict[str, str]:
        """Return the digest of every file."""
        return {name: digest for files in self.steps.values() for name, digest in files.items()}

    def with_step(self, step: str, files: Mapping[str, str]) -> "Checksums":
        """Return what is on record once `step` wrote `files`; what another step was known to have written moves."""
        steps = {
            other: {name: digest for name, digest in known.items() if name not in files}
            for other, known in self.steps.items()
        }
        return Checksums(steps={**steps, step: dict(sorted(files.items()))})

    def without(self, steps: set[str]) -> "Checksums":
        """Return what is on record of the other steps."""
        return Checksums(steps={step: files for step, files in self.steps.items() if step not in steps})


def read_checksums(folder: Path) -> Checksums | None:
    """Read what is on record of the run in `folder`; None of a run of a version that kept no record.

    Raises
    ------
    ArtifactError
        The record is damaged.
    """
    path = folder / CHECKSUMS
    return read_description(path, Checksums) if os.path.lexists(path) else None


def write_checksums(folder: Path, checksums: Checksums) -> None:
    """Put the record in place, on the disk before this returns."""
    write_json(folder / CHECKSUMS, checksums.as_dict(), durable=True)


@dataclass(frozen=True)
class Fault:
    """A file of a run that is not what its step wrote.

    Attributes
    ----------
    name : below the run's folder.
    found : "missing", or "not what the step wrote".
    """

    name: str
    found: str


def faults(folder: Path, files: Mapping[str, str]) -> Iterator[Fault]:
    """Yield those of `files` below `folder` that are missing or have another content."""
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            yield Fault(name, "missing" if not path.exists() else "no file")
        elif digest_of_file(path) != digest:
            yield Fault(name, "not what the step wrote")


def verified(folder: Path) -> AbstractContextManager[None]:
    """Let readers compare the files of the run in `folder` that they open with what its steps wrote.

    A folder without a record, such as DVC's workspace, whose files one may edit and which DVC watches over, is read
    as it is.

    Raises
    ------
    ArtifactError
        The record is damaged.
    """
    checksums = read_checksums(folder)
    repeat = f"; 'mlx run-experiment --resume {folder}' repeats the step that writes it"
    anew = f"; if it is what you want, start a run of its own with 'mlx run-experiment --config {folder / CONFIG}'"
    known = {} if checksums is None else checksums.of_all()
    return verifying(
        {folder / name: OnRecord(digest, anew if name == CONFIG else repeat) for name, digest in known.items()}
    )


State = Mapping[str, tuple[int, int, int]]


def state_of(folder: Path) -> State:
    """Return what tells whether a file below `folder` was written anew, for each that a step may have written."""
    found = {}
    for watched in WATCHED:
        for place, folders, files in os.walk(folder / watched):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                if not name.startswith("."):
                    path = Path(place) / name
                    status = path.lstat()
                    key = path.relative_to(folder).as_posix()
                    found[key] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


def written_since(folder: Path, before: State) -> dict[str, str]:
    """Return the digests of the files that were written since `before`, as `state_of` gave it."""
    now = state_of(folder)
    return {name: digest_of_file(folder / name) for name in sorted(now) if now[name] != before.get(name)}
