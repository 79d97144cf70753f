"""What every reader of a file promises: the value, one message that names the file, or the system's own error.

A library raises whatever it meets in a file that is not what it should be: errors of its own, of the
compression, of the parser, of Python. All of that means one thing to a user. What the system refuses (no
permission, no memory, a disk that fails) is no fault of the file and is passed on with the file's name.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlx.core.errors import ArtifactError, MlxError

AGAIN = "'dvc repro', or for a run 'mlx run-experiment --resume RUN', writes it again"
ABSENT, REMAKE = f"; {AGAIN}", f"; delete it, and {AGAIN}"
"""What to do about a file that is not there, or not what it should be."""

_OF_CONTENT = frozenset({None, 0, errno.EINVAL, errno.EOVERFLOW})
"""Numbers of an `OSError` that a library raises for content: none, or a place that no file can have."""


def existing(path: Path) -> Path:
    """Return `path`, which must be a regular file: a pipe would block whoever opens it.

    Raises
    ------
    ArtifactError
        There is none, or something else.
    OSError
        The system does not let this process look.
    """
    if path.is_file():
        return path
    if path.is_dir():
        raise ArtifactError(f"{path}: expected a file, found a folder{REMAKE}")
    if path.exists():
        raise ArtifactError(f"{path}: expected a file, found a pipe, socket or device{REMAKE}")
    raise ArtifactError(f"{path}: expected a file, found none{ABSENT}")


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
        if sizes_are_checked or _memory_is_short(path):
            raise MemoryError(f"{path}: {' '.join(str(error).split()) or 'can not be held in memory'}") from None
        raise _damaged(path, expected, "it claims more than memory holds", remedy) from None
    except OSError as error:
        if error.errno not in _OF_CONTENT:
            raise OSError(error.errno, error.strerror, error.filename or str(path)) from None
        raise _damaged(path, expected, _reason(error), remedy) from None
    except Exception as error:  # the parsers raise what they meet, most of it undocumented
        raise _damaged(path, expected, _reason(error), remedy) from None


def _damaged(path: Path, expected: str, reason: str, remedy: str) -> ArtifactError:
    return ArtifactError(f"{path}: expected {expected}, found a damaged or foreign file ({reason}){remedy}")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _memory_is_short(path: Path) -> bool:
    """Say whether the system would not give a multiple of the file's size either."""
    try:
        bytearray(16 * path.stat().st_size + (64 << 20))
    except MemoryError:
        return True
    return False
