"""Which code runs: the commit that a run records, and whether it is that of the repository."""

import subprocess
from pathlib import Path

from mlx.core.console import note
from mlx.core.paths import repository_root


def warn_of_other_code() -> None:
    """Warn if the `mlx` that runs is not that of the repository, whose commit is recorded."""
    import mlx

    beside, runs = repository_root() / "mlx" / "core" / "stage.py", Path(mlx.__file__).parent
    if beside.is_file() and not (runs / "core" / "stage.py").samefile(beside):
        note(
            f"warning: {runs} runs, not the mlx of this repository, whose commit is recorded; "
            f"'python -m mlx' in {repository_root()} runs that one"
        )


def commit() -> str | None:
    """Return the commit of the repository, with a ``+`` if tracked files differ from it."""

    def git(*arguments: str) -> str:
        command = ("git", "-C", str(repository_root()), *arguments)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603  # fixed

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
