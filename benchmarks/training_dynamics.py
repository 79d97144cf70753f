"""What recording the training dynamics costs: CPU time of the step `train` with them over the same step without.

Runs `train` on scikit-learn's digits in alternation, with the outcomes of the samples collected and with that patched
away, each pair in a process of its own and after a training that is not counted. The target is a median ratio of at
most 1.03.

Usage: python benchmarks/training_dynamics.py [--models mlp keras_mlp cnn] [--pairs 5]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from mlx.config import ExperimentConfig
from mlx.core.paths import Workspace
from mlx.models.outcomes import OutcomeCollector
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.train import train

EPOCHS = {"mlp": 60}
"""Epochs of a training; of the others `FEW`."""
FEW = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["mlp", "keras_mlp", "cnn"])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(*measured(asked.models[0], asked.pairs))
        return
    for name in asked.models:
        command = [sys.executable, __file__, "--here", "--models", name, "--pairs", str(asked.pairs)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds = list(map(float, done.stdout.split()))
        ratios = [with_them / without for with_them, without in zip(seconds[::2], seconds[1::2], strict=True)]
        spread = f"from {min(ratios):.3f} to {max(ratios):.3f}"
        least = min(seconds[::2]) / min(seconds[1::2])
        print(f"{name}: median {statistics.median(ratios):.3f}, {spread}; of the least times {least:.3f}", flush=True)


def measured(model: str, pairs: int) -> list[float]:
    """Return the CPU seconds with and without the dynamics, in turn."""
    config = ExperimentConfig.model_validate(
        {
            "name": model,
            "dataset": {"name": "digits"},
            "preprocessing": {"scaling": "unit"},
            "model": {"name": model},
            "training": {"epochs": EPOCHS.get(model, FEW)},
        }
    )
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        generate_data(workspace, dataset=config.dataset)
        preprocess_split(workspace, split=config.split, preprocessing=config.preprocessing)
        for number in range(2 * pairs + 2):
            without = patch.object(OutcomeCollector, "add", lambda *_: None) if number % 2 else nullcontext()
            with without:
                begin = time.process_time()
                train(workspace, model=config.model, training=config.training)
                seconds.append(time.process_time() - begin)
    return seconds[2:]


if __name__ == "__main__":
    main()
