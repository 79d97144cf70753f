"""What a study costs beside the steps of its runs: time, memory and open files, run after run in one process.

    python benchmarks/study_runs.py [--runs 200]

Also how long `mlx runs` takes to list 1,000 runs. Times are of the processor: other programs change them little.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil

import mlx.experiment
from mlx.core.workers import SERIAL
from mlx.studies.plan import read_study
from mlx.studies.running import Outcome
from mlx.studies.study import run_study

BASE: dict[str, Any] = {
    "dataset": {"name": "blobs", "params": {"n_samples": 300, "n_classes": 3}},
    "split": {"test_size": 0.4},
    "model": {"name": "mlp", "params": {"hidden_layers": [4]}},
    "training": {"epochs": 2, "learning_rate": 0.01},
    "residuals": {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]},
}
WIDER = {"model": {"name": "mlp", "params": {"hidden_layers": [8]}}}
LISTED = 1000


class Meter:
    """Takes the place of the display of a study, and measures after each run."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, int]] = []
        self.in_steps, self._last = 0.0, (time.process_time(), 0.0)
        self._process = psutil.Process()

    def show(self, _: Outcome) -> None:
        """Measure."""
        now, (before, steps) = time.process_time(), self._last
        beside = now - before - (self.in_steps - steps)
        self.rows.append((beside, self._process.memory_info().rss / 1e6, self._process.num_fds()))
        self._last = now, self.in_steps

    def close(self) -> None:
        """Do nothing."""

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure the runs of the block."""
        run_step = mlx.experiment._run_step

        def timed_step(*arguments: Any) -> str:
            begin = time.process_time()
            line = run_step(*arguments)
            self.in_steps += time.process_time() - begin
            return line

        display = patch("mlx.studies.study.StudyDisplay", lambda *_: self)
        with patch("mlx.experiment._run_step", timed_step), display:
            yield


def seconds_to_list(runs: Path, folder: Path) -> float:
    """Return the processor time of `mlx runs` with many runs, copies of those there are."""
    found = sorted(path.parent for path in runs.glob("*/summary.json"))
    for number in range(LISTED):
        copy = folder / "many" / f"20260101-{number:06}"
        copy.mkdir(parents=True)
        for name in ("summary.json", "config.json"):
            shutil.copy(found[number % len(found)] / name, copy / name)
    before = psutil.Process().cpu_times()
    subprocess.run([sys.executable, "-m", "mlx", "runs", "--run-dir", folder], check=True, stdout=subprocess.DEVNULL)
    after = psutil.Process().cpu_times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="an even number (default: %(default)s)")
    n_runs = parser.parse_args().runs
    with TemporaryDirectory() as folder, chdir(folder):
        study = {"name": "quick", "base": BASE, "seeds": n_runs // 2, "cells": {"narrow": {}, "wider": WIDER}}
        Path("quick.json").write_text(json.dumps(study))
        meter, planned = Meter(), read_study(Path("quick.json"))
        with meter.timed():
            run_study(planned, SERIAL)
        beside, memory, files = zip(*meter.rows, strict=True)
        print(f"{len(beside)} runs; beside their steps, median {statistics.median(beside[1:]):.3f} s,")
        print(f"most {max(beside[1:]):.3f} s of a processor each; memory {memory[1]:.0f} MB after two runs,")
        print(f"{memory[-1]:.0f} MB after all; open files {files[1]} and {files[-1]}")
        listing = seconds_to_list(planned.folder, Path("listed"))
        print(f"mlx runs with {LISTED:,} runs: {listing:.2f} s of a processor")


if __name__ == "__main__":
    main()
