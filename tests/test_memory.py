"""Steps work in blocks: what they hold in memory does not grow with the data."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
MEBIBYTE = 1 << 20


def peak_of(stage: str, folder: Path) -> int:
    """Run a stage in a process of its own; return the most memory it had, in bytes (Linux counts KiB, macOS bytes)."""
    code = (
        f"import resource, runpy, sys; runpy.run_path({str(ROOT / 'stages' / stage)!r}, run_name='__main__'); "
        "unit = 1 if sys.platform == 'darwin' else 1024; "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=os.environ, capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


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
