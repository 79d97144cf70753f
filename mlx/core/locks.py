"""Keeps a workspace to one process at a time, by a lock that the system releases when the process ends.

The lock decides whether a process is at work: a process number, a start time and a host name say little in
another container, after the clock was set, or on another computer.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from mlx.core.console import note
from mlx.core.errors import SettingsError
from mlx.core.own_folders import check_own_file, check_workspace
from mlx.core.paths import Workspace

State = Literal["held", "free", "unknown"]

UNSUPPORTED = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})
"""What a file system without locks answers."""

PATIENCE = 3.0
"""Seconds to wait for who looks at the lock, or for a stage that ends because its `dvc` was killed."""


@contextmanager
def held(workspace: Workspace, *, step: str | None = None, say: bool = True) -> Iterator[None]:
    """Keep a workspace to this process while the block lasts; its children don't inherit the lock.

    Parameters
    ----------
    workspace : whose lock, ``data/.lock``, is taken. The file stays, and means nothing by being there.
    step : keep what this step writes to this process, and no more.
    say : on a file system without locks, say so in a line. The block runs there without a lock.

    Raises
    ------
    SettingsError
        Another process holds the lock.
    ArtifactError
        A folder that would be replaced, or the lock, is a link.
    """
    from filelock import FileLock, Timeout

    check_workspace(workspace)
    file = workspace.lock if step is None else workspace.lock_of(step)
    check_own_file(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, timeout=PATIENCE, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise SettingsError(
            f"{workspace.root}: expected a folder that no other process is at work on, found one that is locked "
            f"({file}); wait for that process, or stop it"
        ) from None
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        if say:
            note(
                f"warning: {workspace.root}: locks don't work on this file system ({error.strerror}), so nothing "
                "keeps a second process from working on it: start none"
            )
        yield
        return
    try:
        yield
    finally:
        lock.release()


def lock_state(workspace: Workspace) -> State:
    """Say whether a process holds the lock of a workspace; reads only, so that a read-only folder will do.

    "unknown" where locks don't work, or where the lock of a process on another computer may not be seen.
    """
    import fcntl

    try:
        descriptor = os.open(workspace.lock, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return "free"
    except OSError:  # of another user
        return "unknown"
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return "unknown" if error.errno in UNSUPPORTED else "held"
    finally:
        os.close(descriptor)
    return "free"


def seen_by_all(path: Path) -> bool:
    """Say whether a lock on `path` that a process on another computer holds would be seen here.

    True of disks that one computer has for itself, and where the system doesn't tell what is mounted.
    """
    kind, options = "", ""
    with suppress(OSError):
        kind, options = _mounted(path.resolve(), Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    by_option = {"nolock", "local_lock=all", "local_lock=flock", "localflock", "nobrl"} & set(options.split(","))
    return not (by_option or kind in OWN_LOCKS or kind.startswith("fuse."))


OWN_LOCKS = frozenset({"9p", "virtiofs", "beegfs", "vboxsf", "prl_fs", "fuse"})
"""File systems that several computers may share while each keeps its locks to itself."""


def _mounted(path: Path, mountinfo: str) -> tuple[str, str]:
    """Return the kind of the file system that holds `path`, and its options; see proc(5)."""
    found, depth = ("", ""), -1
    for line in mountinfo.splitlines():
        own, _, shared = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), own.split()[4]))
        if path.is_relative_to(point) and len(point.parts) >= depth:  # of two on one place the later one is on top
            kind, _, options = shared.split(" ", 2)
            found, depth = (kind, f"{own.split()[5]},{options}"), len(point.parts)
    return found
