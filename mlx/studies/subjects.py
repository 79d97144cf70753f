"""What is checked: a run, a folder that `mlx analyze` wrote, or recorded arrays of any framework."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlx.core.checksums import verified
from mlx.core.metrics import read_metrics
from mlx.core.paths import Workspace
from mlx.evaluation.settings import EvaluationSettings
from mlx.pipeline.evaluate import evaluate
from mlx.received.files import files_in
from mlx.runs.recorded_arrays import lay_out
from mlx.runs.run import Run


@dataclass(frozen=True)
class Subject:
    """A model with what it recorded of its test samples.

    Attributes
    ----------
    id
        Its name in messages and tables.
    folder
        Where it is, which tells it from others.
    workspace
        Where its outputs and metrics are.
    settings
        Its configuration; empty for arrays.
    """

    id: str
    folder: Path
    workspace: Workspace
    settings: dict[str, Any] = field(default_factory=dict)

    def config(self) -> dict[str, Any]:
        """Return the configuration."""
        return self.settings

    @property
    def evaluation(self) -> EvaluationSettings:
        """How it was evaluated."""
        return EvaluationSettings(**self.settings.get("evaluation", {}))

    def metrics(self) -> dict[str, float | int | str | None]:
        """Return the numbers of ``evaluation.json`` and ``residuals.json``, those of the first where both have one."""
        paths = [self.workspace.metrics / name for name in ("residuals.json", "evaluation.json")]
        return {key: value for path in paths if path.exists() for key, value in read_metrics(path).items()}


def is_recorded(folder: Path) -> bool:
    """Return whether a folder holds recorded arrays, or what `mlx analyze` made of them, and is no run."""
    laid_out = Workspace(folder).representations / "representations.json"
    return folder.is_dir() and (laid_out.exists() or (folder / "test").is_dir() or (folder / "y_true.npy").exists())


@contextmanager
def opened_run(run: Run) -> Iterator[Subject]:
    """Open a run, whose files are verified by their checksums as they are read."""
    with verified(run.folder):
        yield Subject(run.id, run.folder, run.workspace, run.config())


@contextmanager
def opened_folder(folder: Path) -> Iterator[Subject]:
    """Open a folder of recorded arrays, which are evaluated in a temporary folder unless they are already.

    Raises
    ------
    MlxError
        A file is missing, damaged, or of another shape than the others.
    """
    folder = folder.resolve()
    with ExitStack() as stack:
        workspace = Workspace(folder)
        if not (workspace.representations / "representations.json").exists():
            workspace = Workspace(Path(stack.enter_context(TemporaryDirectory(prefix="mlx-check-"))))
            lay_out(files_in(folder), workspace, folder.name)
        if not (workspace.metrics / "evaluation.json").exists():
            evaluate(workspace, evaluation=EvaluationSettings())
        yield Subject(folder.name, folder, workspace)
