"""Steps that several runs of a study have in common: made once, and shared by the runs' folders.

A file is shared as a copy on write where the file system has these, else as a hard link, else it is copied. Steps
replace their files by new ones and never write into an old one, so that repeating a step in one run leaves the files of
the others as they are.
"""

import errno
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlx.core.artifacts import replacing, replacing_folder
from mlx.core.checksums import Checksums, is_result, read_checksums
from mlx.core.errors import ArtifactError
from mlx.core.own_folders import remove

SHARED = ".shared"
"""Folder in that of the study; hidden, so that it is not searched for runs."""


@dataclass(frozen=True)
class SharedStep:
    """A step that was made for several runs; calling it puts its files into the folder of one.

    Attributes
    ----------
    folder
        Where it was made, with ``data/`` and ``metrics/``.
    files
        Digests of its files, by name below the folder.
    """

    folder: str
    files: Mapping[str, str]

    def __call__(self, run: Path) -> tuple[dict[str, str], str]:
        """Share the files with a run; return their digests, and a line that says so."""
        source = Path(self.folder)
        groups: dict[str, list[str]] = {}
        for name in self.files:
            top, _, rest = name.partition("/")
            owner = f"{top}/{rest.partition('/')[0]}" if top == "data" else name
            groups.setdefault(owner, []).append(name)
        for owner, names in groups.items():
            if names == [owner]:
                with replacing(run / owner) as temporary:
                    share(source / owner, temporary)
                continue
            with replacing_folder(run / owner) as temporary:
                for name in names:
                    target = temporary / Path(name).relative_to(owner)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    share(source / name, target)
        return dict(self.files), f"shared {len(self.files)} files with other runs of the study, made in {source.name}"


def share(source: Path, target: Path) -> None:
    """Make `target` a copy on write of a file, or else another name of it, or else a copy."""
    if _cloned(source, target):
        return
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        shutil.copyfile(source, target)


NO_LINK = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}
)
"""Errors of a file system without hard links, or with as many as a file may have."""

FICLONE = 0x40049409
"""Request of ioctl_ficlone(2)."""


def _cloned(source: Path, target: Path) -> bool:
    try:
        from fcntl import ioctl
    except ImportError:  # not on Windows
        return False
    try:
        with source.open("rb") as original, target.open("xb") as copy:
            ioctl(copy.fileno(), FICLONE, original.fileno())
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in {errno.ENOSPC, errno.ENOENT}:
            raise
        return False
    return True


def shared_keys(plans: Iterable[Mapping[str, str]]) -> set[str]:
    """Return the keys of steps that more than one run has."""
    counts = Counter(key for keys in plans for key in keys.values())
    return {key for key, count in counts.items() if count > 1}


def made_step(folder: Path, step: str) -> SharedStep | None:
    """Return a step that was made in `folder`; None if it was not, or a file is missing."""
    with suppress(ArtifactError):
        checksums = read_checksums(folder) or Checksums()
        files = {name: digest for name, digest in checksums.steps.get(step, {}).items() if is_result(name)}
        if files and all((folder / name).is_file() for name in files):
            return SharedStep(str(folder), files)
    return None


def shared_folder(study: Path, steps: Sequence[str], key: str) -> Path:
    """Return the folder for the last of `steps`, whose result has that key."""
    return study / SHARED / f"{steps[-1]}-{key[:16]}"


def clear_shared(study: Path) -> None:
    """Remove the folders in which steps were made for several runs: the runs have their files, and share them."""
    for folder in (study / SHARED).glob("*-*"):
        remove(folder)
