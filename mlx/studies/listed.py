"""The experiments of a list, each a whole run in a process of its own: ``python -m mlx.studies.listed``."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx.config import ExperimentConfig
from mlx.core.errors import MlxError
from mlx.core.paths import repository_root
from mlx.core.workers import SERIAL, Serial, Threads, Workers
from mlx.experiment import message_of, run_experiment
from mlx.studies.isolated import end_with_parent, run_process

Ended = tuple[Path | None, str | None]
"""Folder of a finished run, or why it failed."""


def run_each(
    configs: Sequence[ExperimentConfig], workers: Workers, *, keep_going: bool, begin: Callable[[str], None]
) -> Iterator[Ended]:
    """Run experiments; yield in order how each ended, up to those that are not begun as one before failed.

    Workers of a pool or a cluster get whole runs; with threads or none, runs come one after the other, and their steps
    use the threads.

    Parameters
    ----------
    keep_going
        Whether all are run, even if some fail.
    begin
        Called with the name of every experiment that is begun, or given to the workers.
    """
    failed = False
    workers.require([config.resources for config in configs])

    def begun() -> Iterator[ExperimentConfig]:
        for config in configs:
            if failed and not keep_going:
                return
            begin(config.name)
            yield config

    ended: Iterator[Ended]
    if isinstance(workers, Serial | Threads):
        ended = (_ended(config, workers) for config in begun())
    else:
        ended = workers.map(_RunAlone(str(repository_root())), (config.as_dict() for config in begun()))
    for folder, reason in ended:
        failed = failed or folder is None
        yield folder, reason


def _ended(config: ExperimentConfig, workers: Workers) -> Ended:
    try:
        return run_experiment(config, workers), None
    except (MlxError, OSError, MemoryError) as error:
        return None, message_of(error)


@dataclass(frozen=True)
class _RunAlone:
    """Runs an experiment in another process, whose memory is free again when it ends."""

    root: str

    def __call__(self, config: dict[str, Any]) -> Ended:
        found = run_process("mlx.studies.listed", config, self.root)
        if isinstance(found, str):
            return None, found
        return found["folder"] and Path(found["folder"]), found["reason"]

    @staticmethod
    def needs(config: dict[str, Any]) -> dict[str, float]:
        """Return the resources that the configuration states."""
        resources: dict[str, float] = config["resources"]
        return resources


def main() -> None:
    """Run the experiment on standard input, and print as JSON where, or why it failed."""
    end_with_parent()
    config = ExperimentConfig.model_validate(json.load(sys.stdin))
    try:
        folder, reason = _ended(config, SERIAL)
    except KeyboardInterrupt:
        sys.exit(130)
    print(json.dumps({"folder": folder and os.fspath(folder.absolute()), "reason": reason}))  # noqa: T201  # the answer


if __name__ == "__main__":
    main()
