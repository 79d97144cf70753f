"""Steps work in blocks: what they hold in memory does not grow with the data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pyarrow import csv

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
MEBIBYTE = 1 << 20


def peak_of(stage: str, folder: Path) -> int:
    """Run a stage in a process of its own; return the most memory it had, in bytes.

    Linux counts it anew when a process starts its program; `getrusage` there begins with what the process
    had that started it, which is a whole test session with TensorFlow in it.
    """
    code = (
        "import re, resource, runpy, sys\n"
        f"runpy.run_path({str(ROOT / 'stages' / stage)!r}, run_name='__main__')\n"
        "if sys.platform == 'linux':\n"
        "    print(int(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1]) * 1024)\n"
        "else:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=os.environ, capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


def test_a_training_gives_back_what_it_read_of_its_samples(tmp_path: Path) -> None:
    splits = tmp_path / "data" / "splits"
    splits.mkdir(parents=True)
    for part, n in (("train", 120_000), ("val", 1_000)):
        np.lib.format.open_memmap(splits / f"X_{part}.npy", "w+", np.float32, (n, 1024)).flush()
        np.save(splits / f"y_{part}.npy", np.arange(n) % 2)
        np.save(splits / f"index_{part}.npy", np.arange(n))
    description = {
        "task": "classification", "class_names": ["a", "b"], "sample_shape": [1024], "augmentation": None,
        "scaling": "none", "dtype": "float32", "mean": None, "scale": None, "sizes": {},
    }  # fmt: skip
    (splits / "preprocessing.json").write_text(json.dumps(description))
    params = {
        "name": "large",
        "dataset": {"name": "blobs"},
        "model": {"name": "mlp", "params": {"hidden_layers": [2]}},
        "training": {"epochs": 1, "batch_size": 256},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    assert (splits / "X_train.npy").stat().st_size > 460 * MEBIBYTE
    assert peak_of("train.py", tmp_path) < 400 * MEBIBYTE


def test_100_000_images_are_made_and_split_in_a_fraction_of_their_size(tmp_path: Path) -> None:
    params = {
        "name": "large",
        "dataset": {"name": "shapes", "params": {"n_samples": 100_000}},
        "split": {},
        "preprocessing": {"scaling": "unit"},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    assert peak_of("generate_data.py", tmp_path) < 320 * MEBIBYTE
    assert peak_of("preprocess_split.py", tmp_path) < 160 * MEBIBYTE
    assert sum(file.stat().st_size for file in (tmp_path / "data/splits").glob("X_*.npy")) > 390 * MEBIBYTE


@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_a_table_is_read_in_the_memory_of_a_few_of_its_blocks(tmp_path: Path, end: str) -> None:
    rng, rows = np.random.default_rng(1), 50_000
    blocks = [
        pa.table({f"x{k}": rng.normal(size=rows).round(4) for k in range(20)} | {"y": rng.integers(0, 2, rows)})
        for _ in range(2)
    ]
    peaks = []
    for n_blocks in (8, 24):
        folder = tmp_path / str(n_blocks)
        folder.mkdir()
        write = pq.ParquetWriter if end == "parquet" else csv.CSVWriter
        with write(folder / f"t.{end}", blocks[0].schema) as writer:
            for block in range(n_blocks):
                writer.write_table(blocks[block % 2])
        params = {"name": "large", "dataset": {"name": "custom", "path": f"t.{end}", "params": {"target": "y"}}}
        (folder / "params.yaml").write_text(yaml.safe_dump(params))
        peaks.append(peak_of("generate_data.py", folder))
    added = 16 * rows * 20 * 8
    assert (folder / "data/raw/X.npy").stat().st_size > 180 * MEBIBYTE
    assert peaks[1] < 400 * MEBIBYTE
    assert peaks[1] - peaks[0] < added / 2, (peaks, added)
