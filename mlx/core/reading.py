"""What every reader of a file promises: the value, one message that names the file, or the system's own error.

A library raises whatever it meets in a file that is not what it should be: errors of its own, of the
compression, of the parser, of Python. All of that means one thing to a user. What the system refuses (no
permission, no memory, a disk that fails) is no fault of the file and is passed on with the file's name.
"""

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlx.core.errors import ArtifactError, MlxError

AGAIN = "'dvc repro', or for a run 'mlx run-experiment --resume RUN', writes it again"
ABSENT, REMAKE = f"; {AGAIN}", f"; delete it, and {AGAIN}"
"""What to do about a file that is not there, or not what it should be."""

_OF_CONTENT = frozenset({None, 0, errno.EINVAL, errno.EOVERFLOW})
"""Numbers of an `OSError` that a library raises for content: none, or a place that no file can have."""


def existing(path: Path, *, verified: bool = True) -> Path:
    """Return `path`, which must be a regular file: a pipe would block whoever opens it.

    Parameters
    ----------
    verified : whether its content is compared with what is on record; a reader that names what is wrong with the
        values does so first, and calls `verify` afterwards.

    Raises
    ------
    ArtifactError
        There is none, or something else, or another content than is on record.
    OSError
        The system does not let this process look.
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
    """What a file's content was when it was written.

    Attributes
    ----------
    digest : its SHA-256.
    remedy : the end of a message: what to do where it is another one.
    """

    digest: str
    remedy: str


_on_record: dict[str, OnRecord] = {}
_verified: set[str] = set()


@contextmanager
def verifying(files: Mapping[Path, OnRecord]) -> Iterator[None]:
    """Let every reader compare the files that it opens with what is on record, each once, while the block lasts."""
    known = {os.path.realpath(path): record for path, record in files.items()}
    _on_record.update(known)
    try:
        yield
    finally:
        for name in known:
            _on_record.pop(name, None)
            _verified.discard(name)


def verify(path: Path) -> None:
    """Refuse a file whose content is not what is on record; one that nothing is known of passes.

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


NO_MEMORY = ("out of memory", "Calling read(nbytes) on source failed")
"""How pandas' parser of CSV words a lack of memory."""


@contextmanager
def reading(path: Path, expected: str, *, remedy: str = REMAKE, sizes_are_checked: bool = False) -> Iterator[None]:
    """Turn what is raised by content that is not `expected` into one message; pass on what the system refuses.

    Parameters
    ----------
    path : the file that the block reads.
    expected : such as "a CSV table".
    remedy : the end of the message: what to do.
    sizes_are_checked : whether the block compares every size that the file claims with the file before it
        takes memory. Otherwise a lack of memory may also mean that the file claims an absurd size.

    Raises
    ------
    ArtifactError
        The file is damaged or foreign.
    OSError, MemoryError
        The system refuses; with the file's name.
    """
    try:
        yield
    except MlxError:
        raise
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
    """Raise what the system refuses again, with the file's name; return where `error` is of the content."""
    if isinstance(error, OSError) and error.errno not in _OF_CONTENT:
        raise OSError(error.errno, error.strerror, error.filename or str(path)) from None


def _damaged(path: Path, expected: str, reason: str, remedy: str) -> ArtifactError:
    return ArtifactError(f"{path}: expected {expected}, found a damaged or foreign file ({reason}){remedy}")


def _too_large(path: Path, expected: str, error: Exception, remedy: str, *, believed: bool) -> Exception:
    """Word a lack of memory: of the system where it is `believed` or can be seen, else of what the file claims."""
    if believed or _memory_is_short(path):
        return MemoryError(f"{path}: {' '.join(str(error).split()) or 'can not be held in memory'}")
    return _damaged(path, expected, "it claims more than memory holds", remedy)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _memory_is_short(path: Path) -> bool:
    """Say whether the system would not give a multiple of the file's size either."""
    try:
        bytearray(16 * path.stat().st_size + (64 << 20))
    except MemoryError:
        return True
    return False
