"""Folders that are replaced and removed as a whole by their step, so that none of them may be a link."""

import os
import shutil
import stat
from pathlib import Path

from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace, what_is


def check_workspace(workspace: Workspace) -> None:
    """Reject a workspace in which the folder of a step, the lock or the log is a link or of another kind.

    ``data`` and the workspace itself may be links, as only their content is replaced.

    Raises
    ------
    ArtifactError
        A step's folder is a link or no folder, or ``data`` leads to no folder.
    """
    data = workspace.root / "data"
    if os.path.lexists(data) and not data.is_dir():
        found = f"a link to {data.readlink()}, where none is" if data.is_symlink() else "something else"
        raise ArtifactError(f"{data}: expected a folder, or a link to one, found {found}; make the folder or remove it")
    for folder in (workspace.metrics, workspace.checkpoints, workspace.live, *workspace.folders):
        check_own_folder(folder, root=workspace.root)
    for file in (workspace.lock, workspace.root / "run.log"):
        check_own_file(file)


def check_own_folder(folder: Path, *, root: Path | None = None) -> None:
    """Reject an existing `folder` that is a link or not a folder.

    The advice in the message depends on the `root` of its workspace.

    Raises
    ------
    ArtifactError
        It is a link or a file.
    """
    if folder.is_symlink():
        if root is not None and (root / "dvc.yaml").exists():
            instead = "let DVC's cache be there ('dvc cache dir DIR' and 'dvc config cache.type symlink')"
        else:
            instead = "link 'data' or the output directory"
        raise ArtifactError(
            f"{folder}: expected a folder of the step's own, which it replaces, found a link to {folder.readlink()}; "
            f"remove the link, and to keep results in another place, {instead} instead"
        )
    if os.path.lexists(folder) and not folder.is_dir():
        raise ArtifactError(f"{folder}: expected a folder, found something else; move it away")


def check_own_file(file: Path) -> None:
    """Reject an existing `file` that is a link or not a file: nothing is locked or written through a link.

    Raises
    ------
    ArtifactError
        It is a link, a folder, a pipe or a device.
    """
    if file.is_symlink():
        raise ArtifactError(f"{file}: expected a file, found a link to {file.readlink()}; remove the link")
    if os.path.lexists(file) and not file.is_file():
        raise ArtifactError(f"{file}: expected a file, found {what_is(file)}; move it away")


def check_replaceable(file: Path) -> None:
    """Reject what a file can't take the place of: a device, a pipe, a socket, or a link of the system to one.

    Raises
    ------
    ArtifactError
        It is one.
    """
    of_system = file.is_symlink() and file.absolute().is_relative_to("/dev")  # such as /dev/stdout
    if of_system or (file.exists() and not file.is_file() and not file.is_dir()):
        found = "a link of the system" if of_system else what_is(file)
        raise ArtifactError(f"{file}: expected a file, or a name for a new one, found {found}")


def remove(path: Path, *, ignore_errors: bool = False) -> None:
    """Remove a folder with its content, a file, or a link (not its target), if it exists."""
    try:
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=ignore_errors)
        else:
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return
    except OSError:
        if not ignore_errors:
            raise
