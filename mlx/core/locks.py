"""Reserves a workspace for one process at a time, with a lock that the system releases when the process ends.

The lock decides whether a process is running: a process number, a start time and a host name are not reliable in
another container, after a change of the clock, or on another computer.
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
"""Error numbers of a file system without locks."""

PATIENCE = 3.0
"""Seconds to wait for a process that tests the lock, or for a stage that ends because its `dvc` was killed."""


@contextmanager
def run_lock(workspace: Workspace, *, step: str | None = None, warn: bool = True) -> Iterator[None]:
    """Lock a workspace for the duration of the block; child processes don't inherit the lock.

    The lock file is ``data/.lock`` of the workspace, or one of the `step` alone; it remains, and its presence has no
    meaning. On a file system without locks the block runs unlocked, with a warning if `warn`.

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
        found = f"found one that is locked ({file}); wait for that process, or stop it"
        expected = "expected a folder that no other process is at work on"
        raise SettingsError(f"{workspace.root}: {expected}, {found}") from None
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        if warn:
            reason = f"locks don't work on this file system ({error.strerror})"
            note(
                f"warning: {workspace.root}: {reason}, so nothing keeps a second process from working on it: start none"
            )
        yield
        return
    try:
        yield
    finally:
        lock.release()


def lock_state(workspace: Workspace) -> State:
    """Return whether a process holds the lock of a workspace, without writing to the folder.

    "unknown" if locks don't work, or if the lock of a process on another computer may be invisible.
    """
    import fcntl

    try:
        descriptor = os.open(workspace.lock, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return "free"
    except OSError:  # owned by another user
        return "unknown"
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return "unknown" if error.errno in UNSUPPORTED else "held"
    finally:
        os.close(descriptor)
    return "free"


def seen_by_all(path: Path) -> bool:
    """Return whether a lock on `path` held by a process on another computer is visible here.

    True for local disks, and if the system doesn't list its mounts.
    """
    kind, options = "", ""
    with suppress(OSError):
        kind, options = _mounted(path.resolve(), Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    by_option = {"nolock", "local_lock=all", "local_lock=flock", "localflock", "nobrl"} & set(options.split(","))
    return not (by_option or kind in OWN_LOCKS or kind.startswith("fuse."))


OWN_LOCKS = frozenset({"9p", "virtiofs", "beegfs", "vboxsf", "prl_fs", "fuse"})
"""File systems that several computers may share although locks are local to each computer."""


def _mounted(path: Path, mountinfo: str) -> tuple[str, str]:
    """Return the kind of the file system that holds `path`, and its options; see proc(5)."""
    found, depth = ("", ""), -1
    for line in mountinfo.splitlines():
        own, _, shared = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), own.split()[4]))
        if path.is_relative_to(point) and len(point.parts) >= depth:  # the later of two mounts at one place is on top
            kind, _, options = shared.split(" ", 2)
            found, depth = (kind, f"{own.split()[5]},{options}"), len(point.parts)
    return found
