"""How many planted near duplicates are found between test and training part, and how many others are named.

Replaces 60 test images of scikit-learn's digits by training images with normal noise, trains an `mlp` and looks for
leaks, with the inputs to confirm them and without.

Usage: python benchmarks/near_duplicates.py [--noise 0.01 0.03]
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.arrays import write_array
from mlx.core.paths import Workspace
from mlx.pipeline.extract_representations import extract_representations
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.issues import issues_of
from mlx.pipeline.model_outputs import open_model_outputs
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.train import train
from mlx.results.issues import IssueKind, IssueMethod

PLANTED = 60
CONFIG = ExperimentConfig.model_validate(
    {
        "name": "digits",
        "dataset": {"name": "digits"},
        "preprocessing": {"scaling": "unit"},
        "model": {"name": "mlp"},
        "training": {"epochs": 30},
    }
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--noise", nargs="+", type=float, default=[0.005, 0.01, 0.015, 0.02, 0.03])
    print("| noise (SD, of the range of a pixel) | planted | found and confirmed | others named |")
    print("|---:|---:|---:|---:|")
    for noise in parser.parse_args().noise:
        found, others = counts(noise)
        print(f"| {noise} | {PLANTED} | {found} | {others} |", flush=True)


def counts(noise: float) -> tuple[int, int]:
    """Return how many of the planted pairs are found, and how many near duplicates are named beside them."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        generate_data(workspace, dataset=CONFIG.dataset)
        preprocess_split(workspace, split=CONFIG.split, preprocessing=CONFIG.preprocessing)
        test, source = (np.load(workspace.splits / f"index_{part}.npy")[:PLANTED] for part in ("test", "train"))
        X, y = (np.load(workspace.raw / f"{name}.npy") for name in ("X", "y"))
        drawn = X[source] + 255 * noise * np.random.default_rng(0).normal(size=X[source].shape)
        X[test], y[test] = np.rint(drawn).clip(0, 255).astype(X.dtype), y[source]
        rewrite(workspace, X, y)
        train(workspace, model=CONFIG.model, training=CONFIG.training)
        extract_representations(workspace, representations=CONFIG.representations)
        found = issues_of(workspace, open_model_outputs(workspace.representations), CONFIG.residuals)
    near = [row for row in found.found.issues if row.method is IssueMethod.NEAR]
    pairs = {(row.index, row.related_index) for row in near if row.kind is IssueKind.LEAK}
    planted = set(zip(test.tolist(), source.tolist(), strict=True))
    return len(pairs & planted), len(near) - len(pairs & planted)


def rewrite(workspace: Workspace, X: np.ndarray, y: np.ndarray) -> None:
    """Write the parts of changed samples, divided as before: a stratified split would divide other labels anew."""
    for part in ("train", "val", "test"):
        rows = np.load(workspace.splits / f"index_{part}.npy")
        scaled = np.load(workspace.splits / f"X_{part}.npy")
        write_array(workspace.splits / f"X_{part}.npy", (X[rows] / 255).astype(scaled.dtype))
        write_array(workspace.splits / f"y_{part}.npy", y[rows])


if __name__ == "__main__":
    main()
