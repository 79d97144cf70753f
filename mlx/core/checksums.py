"""The SHA-256 of every file that a step of a run wrote, by which later changes are detected."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mlx.core.artifacts import write_json
from mlx.core.descriptions import Hash, read_description
from mlx.core.reading import OnRecord, digest_of_file, verifying
from mlx.core.settings import Settings

CHECKSUMS = "checksums.json"
CONFIG = "config.json"
BEFORE = "configuration"
"""In place of a step, for files that existed before the first one."""
WATCHED = ("data", "metrics", "checkpoints")
"""Folders of a run that steps write to."""

Name = Annotated[str, StringConstraints(pattern=r"^[^/.\\][^/\\]*(/[^/.\\][^/\\]*)*$")]


class Checksums(Settings):
    """``checksums.json``: the digests of the files that each finished step wrote, by name below the run's folder."""

    format: Literal[1] = 1
    steps: dict[str, dict[Name, Hash]] = Field(default_factory=dict)

    def of_all(self) -> dict[str, str]:
        """Return the digest of every file."""
        return {name: digest for files in self.steps.values() for name, digest in files.items()}

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
    write_json(folder / CHECKSUMS, checksums.as_dict(), durable=True)


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


def verified(folder: Path) -> AbstractContextManager[None]:
    """Verify the files of the run in `folder` by their checksums when they are read within the block.

    Files of a folder without checksums, such as the DVC workspace, are not verified.

    Raises
    ------
    ArtifactError
        The checksums are damaged.
    """
    checksums = read_checksums(folder)
    repeat = f"; 'mlx run-experiment --resume {folder}' repeats the step that writes it"
    anew = f"; if it is what you want, start a run of its own with 'mlx run-experiment --config {folder / CONFIG}'"
    digests = {} if checksums is None else checksums.of_all()
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
