"""Every reader gives the value or one message that names the file, whatever a file holds."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import random_array

from mlx.core.arrays import write_array
from mlx.core.artifacts import write_csv, write_json, write_parquet
from mlx.core.sparse import SparseWriter
from mlx.models.npz import write_npz

HERE = Path(__file__).parent


def written(folder: Path) -> None:
    """Write a whole file of every kind."""
    rng = np.random.default_rng(0)
    write_array(folder / "array.npy", rng.normal(size=(20, 3)).astype(np.float32))
    rows = random_array((30, 8), density=0.2, format="csr", rng=rng)
    with SparseWriter(folder / "sparse.npz", (30, 8), np.float64) as writer:
        writer.append(rows)
    write_npz(folder / "weights.npz", {"a": rng.normal(size=(3, 2)), "b": np.arange(4)})
    table = pd.DataFrame(
        {"index": range(30), "name": ["NA", 'a,"b"', "ä"] * 10, "x": rng.normal(size=30), "right": [True, False] * 15}
    )
    write_parquet(folder / "table.parquet", table)
    write_csv(folder / "table.csv", table)
    write_json(folder / "any.json", {"a": [1.5e-3, None, "ä\n"], "b": {"c": {"d": True}}, "e": 123456789012345678})
    dataset: dict[str, Any] = {
        "name": "blobs", "task": "classification", "class_names": ["a", "b"], "shape": [20, 3], "dtype": "float64",
        "source": "made", "seed": 1, "params": {"n_samples": 20}, "augmentation": {"flip": True, "shift": 0.1},
        "factors": [], "details": {},
    }  # fmt: skip
    write_json(folder / "dataset.json", dataset)
    write_json(folder / "metrics.json", {"n": 24, "accuracy": 0.958, "accuracy_interval": [0.8, 0.99], "ece": None})
    text = "name: a\ndataset: {name: blobs, params: {n_samples: 120}}\nlist: [1, .inf, &x y, *x]\nb: |\n  text\n"
    (folder / "params.yaml").write_text(text)
    write_json(folder / "config.json", {"name": "a", "dataset": {"name": "blobs", "params": {"n_samples": 1}}})


def test_a_file_damaged_at_random_gives_its_value_or_one_message(tmp_path: Path) -> None:
    written(tmp_path)
    command = (sys.executable, HERE / "read_damaged.py", tmp_path, "150", "1")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
