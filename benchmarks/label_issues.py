"""How many of the labels that are named likely wrong are, and how many of the wrong ones are named, beside cleanlab's.

Trains on `shapes` (a small `cnn`) and `digits` (`mlp`) with 5 and 10 % of the labels wrong, and prints precision and
recall with Wilson intervals, in the test and validation parts together and in the training part by cross-fitting. With
the interpreter of an environment that has cleanlab, the same outputs are given to its filters ``confident_learning``
and ``prune_by_noise_rate``, its default.

Usage: python benchmarks/label_issues.py [--cleanlab PYTHON]
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.arrays import write_array
from mlx.core.paths import Workspace
from mlx.datasets.labels import mislabel
from mlx.pipeline.extract_representations import extract_representations
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.train import train
from mlx.stats.label_issues import flawless_count, label_issues
from mlx.stats.proportions import wilson_interval

FOLDS = 3
STUDIES: dict[str, dict[str, Any]] = {
    "shapes": {
        "dataset": {"name": "shapes", "params": {"n_samples": 1500, "n_classes": 4, "image_size": 16, "seed": 1}},
        "model": {"name": "cnn", "params": {"filters": [16, 32], "hidden_layers": [32]}},
        "training": {"epochs": 15, "cross_fit": FOLDS, "learning_rate": 0.003},
    },
    "digits": {
        "dataset": {"name": "digits"},
        "model": {"name": "mlp"},
        "training": {"epochs": 30, "cross_fit": FOLDS, "params": {"weight_decay": 0.01}, "optimizer": "adamw"},
    },
}
CLEANLAB = """
import json, sys
import numpy as np
from cleanlab.filter import find_label_issues
p, y = np.load(sys.argv[1]), np.load(sys.argv[2])
names = ("confident_learning", "prune_by_noise_rate")
print(json.dumps([find_label_issues(y, p, filter_by=name).tolist() for name in names]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cleanlab", metavar="PYTHON")
    python = parser.parse_args().cleanlab
    names = ["MLX", *(["cleanlab, `confident_learning`", "cleanlab, default"] if python else [])]
    head = [f"{name}: {what}" for name in names for what in ("named", "precision", "recall")]
    print("| " + " | ".join(["data", "noise", "part", "labels", "wrong", "flawless", *head]) + " |")
    print("|---|---|---|" + "---:|" * (3 + len(head)))
    for dataset, study in STUDIES.items():
        for noise in (0.05, 0.1):
            for part, (p, y, wrong) in outputs(dataset, study, noise).items():
                found = [label_issues(p, y).flagged, *(by_cleanlab(python, p, y) if python else [])]
                cells = [dataset, noise, part, len(y), int(wrong.sum()), f"{flawless_count(p, seed=0):.0f}"]
                cells += [cell for flagged in found for cell in scored(flagged, wrong)]
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def outputs(dataset: str, study: dict[str, Any], noise: float) -> dict[str, tuple[Any, Any, Any]]:
    """Return probabilities (n, n_classes), labels (n,), and which are wrong (n,), by part of the data."""
    config = ExperimentConfig.model_validate({"name": dataset, "preprocessing": {"scaling": "unit"}} | study)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        generate_data(workspace, dataset=config.dataset)
        y = np.load(workspace.raw / "y.npy")
        labels, known = mislabel(y, int(y.max()) + 1, noise, 7)
        write_array(workspace.raw / "y.npy", labels)
        preprocess_split(workspace, split=config.split, preprocessing=config.preprocessing)
        train(workspace, model=config.model, training=config.training)
        extract_representations(workspace, representations=config.representations)
        read = {name: arrays(workspace.representations / name) for name in ("test", "val", "cross_fit")}
    both = [np.concatenate(pair) for pair in zip(read["test"], read["val"], strict=True)]
    parts = {"test and validation": both, f"training, {FOLDS} folds": read["cross_fit"]}
    return {name: (p, y, known["label_flipped"][index]) for name, (p, y, index) in parts.items()}


def arrays(folder: Path) -> list[Any]:
    return [np.load(folder / f"{name}.npy") for name in ("probabilities", "y_true", "index")]


def by_cleanlab(python: str, p: Any, y: Any) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("p.npy", "y.npy")]
        for path, values in zip(paths, (p, y), strict=True):
            np.save(path, values)
        done = subprocess.run([python, "-c", CLEANLAB, *paths], capture_output=True, text=True, check=True)
    return [np.array(flagged) for flagged in json.loads(done.stdout)]


def scored(flagged: Any, wrong: Any) -> list[Any]:
    """Return how many are named, and precision and recall with their intervals."""
    both, named = int((flagged & wrong).sum()), int(flagged.sum())
    return [named, share(both, named), share(both, int(wrong.sum()))]


def share(part: int, whole: int) -> str:
    if not whole:
        return "none"
    found = wilson_interval(part, whole)
    return f"{part / whole:.2f} [{found.low:.2f}, {found.high:.2f}]"


if __name__ == "__main__":
    main()
