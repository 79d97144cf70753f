"""A workspace has one process at a time, and the lock ends with that process, however it ends."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlx.core.errors import SettingsError
from mlx.core.locks import _mounted, lock_state, run_lock, seen_by_all
from mlx.core.paths import Workspace

HOLDER = """
import os, sys, time
from pathlib import Path
from mlx.core.locks import run_lock
from mlx.core.paths import Workspace
with run_lock(Workspace(Path(sys.argv[1]))):
    child = os.fork() if sys.argv[2:] else None
    if child != 0:
        print(child, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlx.core.locks.PATIENCE", 0.2)


def holder(folder: Path, *options: str) -> "tuple[subprocess.Popen[str], str]":
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder), *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_lock_ends_with_a_killed_process_and_its_child_does_not_keep_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert lock_state(workspace) == "free"
    process, child = holder(tmp_path, "with a child")
    try:
        assert lock_state(workspace) == "held"
        with (
            pytest.raises(SettingsError, match="expected a folder that no other process is at work on"),
            run_lock(workspace),
        ):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert Path(f"/proc/{child}").exists()
        assert lock_state(workspace) == "free"
        with run_lock(workspace):
            assert lock_state(workspace) == "held"
        assert lock_state(workspace) == "free"
    finally:
        os.kill(int(child), signal.SIGKILL)
        assert process.stdout is not None
        process.stdout.close()


def test_stages_that_do_not_write_the_same_work_at_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with run_lock(workspace, step="evaluate"), run_lock(workspace, step="report"):
        assert lock_state(workspace) == "free"
        with pytest.raises(SettingsError, match="no other process is at work on"), run_lock(workspace, step="report"):
            pass


def test_a_copy_of_a_folder_at_work_is_free(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with run_lock(Workspace(tmp_path / "run")):
        subprocess.run(["cp", "-a", tmp_path / "run", tmp_path / "copy"], check=True)
        assert lock_state(Workspace(tmp_path / "copy")) == "free"
        assert lock_state(Workspace(tmp_path / "run")) == "held"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_locks_do_not_work_a_line_says_so(
    tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refused)
    with run_lock(Workspace(tmp_path)):
        assert lock_state(Workspace(tmp_path)) == "unknown"
    assert f"{tmp_path}: locks don't work on this file system ({os.strerror(code)})" in capsys.readouterr().err


def test_a_full_disk_is_not_taken_for_a_file_system_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, operation: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", full)
    with pytest.raises(OSError, match="Input/output error"), run_lock(Workspace(tmp_path)):
        pass


MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /mnt rw - nfs4 server:/a rw,vers=4.2,local_lock=none
41 40 0:41 / /mnt/alone rw - nfs server:/b rw,vers=3,nolock,local_lock=all
42 22 0:42 / /mnt/with\040space rw,nosuid - fuse.sshfs me@host: rw
43 22 0:43 / /host rw - virtiofs home rw
44 43 8:2 / /host rw - xfs /dev/sdb rw
45 22 0:45 / /lustre rw - lustre mgs:/x rw,localflock
"""


@pytest.mark.parametrize(
    ("path", "kind", "seen"),
    [
        ("/home/me", "ext4", True),
        ("/mnt/run", "nfs4", True),
        ("/mnt/alone/run", "nfs", False),
        ("/mnt/with space/run", "fuse.sshfs", False),
        ("/host/run", "xfs", True),  # mounted over the other
        ("/lustre/run", "lustre", False),
        ("/hosting", "ext4", True),
    ],
)
def test_where_computers_keep_their_locks_to_themselves_is_known(
    path: str, kind: str, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _mounted(Path(path), MOUNTS)[0] == kind
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: MOUNTS)
    assert seen_by_all(Path(path)) is seen
