"""The most memory that the stage `train` takes for a memory-mapped set of over 2 GB, beyond what a tiny set takes.

What a tiny set takes is TensorFlow's own, and NumPy's, pandas' and DVCLive's. The files are sparse: they need no
disk. Linux only.

Usage: python benchmarks/training_memory.py [--model cnn keras_mlp mlp]
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
SHAPE = (32, 32, 1)
TINY, LARGE = 1_000, 560_000
MEASURED = """
import runpy
runpy.run_path({!r}, run_name="__main__")
print(open("/proc/self/status").read())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", nargs="+", default=["keras_mlp", "mlp"])
    for model in parser.parse_args().model:
        tiny, large = (peak(model, n) for n in (TINY, LARGE))
        size = LARGE * np.prod(SHAPE) * 4 / 2**20
        print(f"{model:12} {size:.0f} MiB of samples: {large:.0f} MiB, of which {large - tiny:.0f} beyond a tiny set's")


def peak(model: str, n: int) -> float:
    """Return the most memory, in MiB, of a process that trains `model` on `n` samples for one epoch."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_splits(folder / "data" / "splits", n)
        params = {
            "name": "large",
            "model": {"name": model, "params": {"hidden_layers": [32]}},
            "training": {"epochs": 1, "batch_size": 256},
        }
        (folder / "params.yaml").write_text(yaml.safe_dump(params))
        code = MEASURED.format(str(ROOT / "stages" / "train.py"))
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    found = re.search(r"VmHWM:\s+(\d+) kB", done.stdout)
    assert found is not None
    return int(found[1]) / 1024


def write_splits(folder: Path, n: int) -> None:
    """Write what `preprocess-split` would, of samples that are all 0."""
    folder.mkdir(parents=True)
    for part, rows in (("train", n), ("val", 2_000)):
        np.lib.format.open_memmap(folder / f"X_{part}.npy", "w+", np.float32, (rows, *SHAPE)).flush()
        np.save(folder / f"y_{part}.npy", np.arange(rows) % 2)
    description = {
        "task": "classification", "class_names": ["a", "b"], "sample_shape": list(SHAPE), "augmentation": None,
        "scaling": "none", "dtype": "float32", "mean": None, "scale": None, "sizes": {},
    }  # fmt: skip
    (folder / "preprocessing.json").write_text(json.dumps(description))


if __name__ == "__main__":
    main()
