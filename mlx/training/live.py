"""Writes the metrics of a training with DVCLive while it goes on, for ``dvc plots show`` and for editors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlx.core.artifacts import write_bytes
from mlx.core.extras import require
from mlx.core.own_folders import check_own_folder, remove

PLOTS = b"""\
plots:
  - plots/metrics:
      template: linear
      x: step
"""


class LiveMetrics:
    """Keeps ``<folder>/plots/metrics/<name>.tsv`` and ``<folder>/metrics.json`` up to date while a model is trained.

    What an earlier training left there is replaced, and a training that is continued writes its first epochs
    again: the files always tell of one training from its first epoch on. The step is the epoch, from 1.

    In a DVC project the folder has a ``dvc.yaml`` of its own, which lets ``dvc plots show`` draw the files. The
    project's own can't name them: DVC calls it an error when they are not there, as before the first training.

    Parameters
    ----------
    folder : for these files alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._live: Any = None

    def begin(self, history: Sequence[Mapping[str, float]]) -> None:
        """Start, or go on after the epochs of `history`.

        Raises
        ------
        MissingPackageError
            DVCLive is not installed.
        """
        require("dvc", "live curves")
        check_own_folder(self.folder)
        self.clear()  # DVCLive would write through a link that is in there
        self._live = _quiet_live(self.folder)
        if (self.folder.parent / "dvc.yaml").is_file():
            write_bytes(self.folder / "dvc.yaml", PLOTS)
        for number, reached in enumerate(history, start=1):
            self.epoch(number, reached)

    def batch(self) -> None:
        """Nothing is told of single steps."""

    def epoch(self, number: int, reached: Mapping[str, float]) -> None:
        """Write what epoch `number` reached."""
        self._live.step = number
        for name, value in reached.items():
            self._live.log_metric(name, value)
        self._live.next_step()

    def clear(self) -> None:
        """Remove what an earlier training left, where this one has no epochs to tell of."""
        remove(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Tell editors that no step is to come."""
        if self._live is not None:
            self._live.end()


def _quiet_live(folder: Path) -> Any:
    from dvclive.live import Live

    class QuietLive(Live):
        """Writes files, and does nothing else.

        `Live` would make any git repository a DVC repository, name an experiment and send to a studio; here
        the pipeline is DVC's stage and a run its own folder.
        """

        def _init_dvc(self) -> None:
            self._dvc_file = "dvc.yaml"

        def _init_studio(self) -> None:
            self._studio_events_to_skip |= {"start", "data", "done"}

    return QuietLive(str(folder), save_dvc_exp=False, dvcyaml=None, report=None, monitor_system=False)
