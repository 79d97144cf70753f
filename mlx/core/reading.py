"""The contract of every reader of a file: it returns the value, or raises one message or the system's own error.

Libraries raise many kinds of error on a damaged or foreign file: their own, of the compression, of the parser, of
Python. They become one message. Errors of the system (no permission, no memory, a failing disk) are not about the
content and are passed on with the name of the file.
"""

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx.core.errors import ArtifactError, MissingPackageError, MlxError

AGAIN = "'dvc repro', or for a run 'mlx run-experiment --resume RUN', writes it again"
ABSENT, REMAKE = f"; {AGAIN}", f"; delete it, and {AGAIN}"
"""What to do about a file that is not there, or not what it should be."""

_OF_CONTENT = frozenset({None, 0, errno.EINVAL, errno.EOVERFLOW})
"""Error numbers of an `OSError` that a library raises about content: none, or an impossible position."""


def existing(path: Path, *, verified: bool = True) -> Path:
    """Return `path`, which must be a regular file: opening a pipe would block.

    With `verified`, its content is compared with what is on record. A reader that checks the values does so first, for
    a more specific message, and calls `verify` afterwards.

    Raises
    ------
    ArtifactError
        It is missing or not a regular file, or its content differs from what is on record.
    OSError
        The system denies access.
    """
    if path.is_file():
        if verified:
            verify(path)
        return path
    if path.is_dir():
        raise ArtifactError(f"{path}: expected a file, found a folder{REMAKE}")
    if path.exists():
        raise ArtifactError(f"{path}: expected a file, found a pipe, socket or device{REMAKE}")
    raise ArtifactError(f"{path}: expected a file, found none{ABSENT}")


@dataclass(frozen=True)
class OnRecord:
    """The content of a file as it was written.

    Messages end with `remedy`: what to do where the content has changed.
    """

    digest: str
    remedy: str


_on_record: dict[str, OnRecord] = {}
_verified: set[str] = set()


@contextmanager
def verifying(files: Mapping[Path, OnRecord]) -> Iterator[None]:
    """Let every reader compare the files that it opens within the block with what is on record, each once."""
    known = {os.path.realpath(path): record for path, record in files.items()}
    _on_record.update(known)
    try:
        yield
    finally:
        for name in known:
            _on_record.pop(name, None)
            _verified.discard(name)


def verify(path: Path) -> None:
    """Reject a file whose content differs from what is on record; a file that is not on record passes.

    Raises
    ------
    ArtifactError
        It has another content.
    """
    if not _on_record:
        return
    name = os.path.realpath(path)
    record = _on_record.get(name)
    if record is None or name in _verified:
        return
    if digest_of_file(path) != record.digest:
        raise ArtifactError(f"{path}: its content is not what the run wrote, by its SHA-256{record.remedy}")
    _verified.add(name)


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def digest_of_values(content: Any) -> str:
    """Return the SHA-256 of JSON values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


NO_MEMORY = ("out of memory", "Calling read(nbytes) on source failed")
"""Messages of pandas' CSV parser for a lack of memory."""


@contextmanager
def reading(path: Path, expected: str, *, remedy: str = REMAKE, sizes_are_checked: bool = False) -> Iterator[None]:
    """Turn what is raised by content that is not `expected` into one message; pass on the system's own errors.

    Parameters
    ----------
    path
        The file that the block reads.
    expected
        Such as "a CSV table".
    remedy
        The end of the message: what to do.
    sizes_are_checked
        Whether the block compares every size that the file claims with the file before it takes memory. Otherwise a
        lack of memory may also mean that the file claims an absurd size.

    Raises
    ------
    ArtifactError
        The file is damaged or foreign.
    MissingPackageError
        What reads it is not installed.
    OSError, MemoryError
        The system denies access or memory; with the file's name.
    """
    try:
        yield
    except MlxError:
        raise
    except ImportError as error:
        raise MissingPackageError(
            f"{path}: {_reason(error)}; {expected} is read by a package that mlx-harness requires: install it again"
        ) from None
    except MemoryError as error:
        raise _too_large(path, expected, error, remedy, believed=sizes_are_checked) from None
    except OSError as error:
        pass_on(error, path)
        raise _damaged(path, expected, _reason(error), remedy) from None
    except Exception as error:  # the parsers raise what they meet, most of it undocumented
        if any(words in str(error) for words in NO_MEMORY):
            raise _too_large(path, expected, error, remedy, believed=False) from None
        raise _damaged(path, expected, _reason(error), remedy) from None


def pass_on(error: BaseException, path: Path) -> None:
    """Raise an error of the system again, with the file's name; return where `error` is about the content."""
    if isinstance(error, OSError) and error.errno not in _OF_CONTENT:
        raise OSError(error.errno, error.strerror, error.filename or str(path)) from None


def _damaged(path: Path, expected: str, reason: str, remedy: str) -> ArtifactError:
    return ArtifactError(f"{path}: expected {expected}, found a damaged or foreign file ({reason}){remedy}")


def _too_large(path: Path, expected: str, error: Exception, remedy: str, *, believed: bool) -> Exception:
    """Return the error of a lack of memory: of the system where it is `believed` or measured, else of the file."""
    if believed or _memory_is_short(path):
        return MemoryError(f"{path}: {' '.join(str(error).split()) or 'can not be held in memory'}")
    return _damaged(path, expected, "it claims more than memory holds", remedy)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _memory_is_short(path: Path) -> bool:
    """Whether the system lacks memory for a multiple of the file's size, too."""
    try:
        bytearray(16 * path.stat().st_size + (64 << 20))
    except MemoryError:
        return True
    return False
