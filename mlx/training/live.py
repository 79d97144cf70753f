"""Writes the metrics of a running training with DVCLive, for ``dvc plots show`` and for editors."""

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

    Files of an earlier training are replaced, and a resumed training writes its first epochs again, so that the
    files always cover one training from its first epoch on. The step is the epoch, from 1.

    In a DVC project the folder has its own ``dvc.yaml``, from which ``dvc plots show`` draws the files. The
    project's ``dvc.yaml`` can't list them, because DVC fails while they are missing, as before the first training.

    The `folder` holds nothing but these files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._live: Any = None

    def begin(self, history: Sequence[Mapping[str, float]]) -> None:
        """Start, or resume after the epochs of `history`.

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
        for number, metrics in enumerate(history, start=1):
            self.epoch(number, metrics)

    def batch(self) -> None:
        """Single steps are not recorded."""

    def epoch(self, number: int, metrics: Mapping[str, float]) -> None:
        """Write the metrics of epoch `number`."""
        self._live.step = number
        for name, value in metrics.items():
            self._live.log_metric(name, value)
        self._live.next_step()

    def clear(self) -> None:
        """Remove the files of an earlier training."""
        remove(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Mark the training as ended."""
        if self._live is not None:
            self._live.end()


def _quiet_live(folder: Path) -> Any:
    from dvclive.live import Live

    class QuietLive(Live):
        """Writes files only.

        `Live` would turn any git repository into a DVC repository, name an experiment and send to a studio.
        """

        def _init_dvc(self) -> None:
            self._dvc_file = "dvc.yaml"

        def _init_studio(self) -> None:
            self._studio_events_to_skip |= {"start", "data", "done"}

        def post_data_to_studio(self) -> None:
            """Start no thread, which would keep this object for as long as the process runs."""

    return QuietLive(str(folder), save_dvc_exp=False, dvcyaml=None, report=None, monitor_system=False)
