"""How fast datasets are made and read, against what a user would use instead.

Run it on an idle machine:  python benchmarks/datasets.py
The row of OpenCV needs it installed:  pip install opencv-python-headless

Every ratio is of medians over runs that take turns, so that both sides meet the same machine.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.opencv_shapes import loop, with_numpy, with_opencv
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings, SyntheticDataset
from mlx.datasets.images.blocks import make_block
from mlx.datasets.images.shape_params import ShapesParams
from mlx.datasets.images.shapes import SHAPES
from mlx.datasets.labels import draw_labels
from mlx.pipeline.generate_data import generate_data
from mlx.preprocessing.known_rows import KnownRows
from mlx.preprocessing.settings import SplitSettings
from mlx.preprocessing.split import Split, split_rows

CORES = os.cpu_count() or 1
TABLE = {"n_samples": 100_000, "n_features": 20, "n_classes": 2}


def medians(*contestants: Callable[[], object], runs: int) -> list[float]:
    """Return the median seconds of each, all taking turns after one run that does not count."""
    times: list[list[float]] = [[] for _ in contestants]
    for run in range(runs + 1):
        for contestant, mine in zip(contestants, times, strict=True):
            start = time.perf_counter()
            contestant()
            if run:
                mine.append(time.perf_counter() - start)
    return [statistics.median(mine) for mine in times]


def show(what: str, ours: float, theirs: float, wanted: str) -> None:
    """Print one row."""
    print(f"{what:<58} {ours * 1e3:9.1f} ms {theirs * 1e3:9.1f} ms  {theirs / ours:6.2f} x   {wanted}")


class OpenCVLoop:
    """The loop on every core: processes that write into memory they share, started before the clock."""

    def __init__(self, params: ShapesParams) -> None:
        self.params, self.shape = params, (params.n_samples, *params.sample_shape)
        self.memory = shared_memory.SharedMemory(create=True, size=int(np.prod(self.shape)))
        self.pool = multiprocessing.get_context("spawn").Pool(CORES)

    def __call__(self) -> None:
        """Draw all pictures once."""
        n, parts = self.params.n_samples, CORES * 4
        bounds = [(n * k // parts, n * (k + 1) // parts) for k in range(parts)]
        tasks = [(self.params, self.memory.name, self.shape, start, stop) for start, stop in bounds]
        self.pool.starmap(draw_part, tasks, chunksize=1)

    def close(self) -> None:
        """End the processes and give the memory back."""
        self.pool.close()
        self.pool.join()
        self.memory.close()
        self.memory.unlink()


def draw_part(params: ShapesParams, name: str, shape: tuple[int, ...], start: int, stop: int) -> None:
    """Draw the pictures start … stop − 1 in a process of the pool."""
    import cv2

    cv2.setNumThreads(1)  # a picture is too small to share
    memory = shared_memory.SharedMemory(name)
    out = np.ndarray(shape, np.uint8, memory.buf)[start:stop]
    loop(with_opencv, params, draw_labels(params.seed, params.n_classes, start, stop), out, start)
    del out
    memory.close()


def compare_images(runs: int) -> None:
    """Compare ``shapes``, all its factors on, with both loops."""
    few = ShapesParams(n_samples=8_000, n_classes=16)
    many = ShapesParams(n_samples=40_000, n_classes=16)
    out = np.empty((few.n_samples, *few.sample_shape), np.uint8)

    def numpy_loop() -> None:
        loop(with_numpy, few, draw_labels(few.seed, few.n_classes, 0, few.n_samples), out)

    ours, theirs = medians(lambda: make_block(SHAPES, few, 0, few.n_samples), numpy_loop, runs=runs)
    show("shapes, 8,000 of 32x32 | a NumPy loop", ours, theirs, "wanted: at least 10")
    try:
        import cv2  # noqa: F401
    except ImportError:
        print("shapes | an OpenCV loop: skipped; pip install opencv-python-headless")
        return
    rival = OpenCVLoop(many)
    try:
        ours, theirs = medians(lambda: make_block(SHAPES, many, 0, many.n_samples), rival, runs=runs)
    finally:
        rival.close()
    show(f"shapes, 40,000 of 32x32 | an OpenCV loop, {CORES} cores each", ours, theirs, "wanted: at least 1")


def compare_tables(runs: int) -> None:
    """Compare the tables with scikit-learn's own."""
    from sklearn import datasets

    n, features = TABLE["n_samples"], TABLE["n_features"]
    informative = {"n_informative": 10, "n_redundant": 2, "n_clusters_per_class": 2}
    plane = TABLE | {"n_features": 2}
    pairs = {
        "blobs": (TABLE, lambda: datasets.make_blobs(n, features, centers=2, random_state=1)),
        "classification": (
            TABLE | informative,
            lambda: datasets.make_classification(n, features, random_state=1, flip_y=0, **informative),
        ),
        "moons": (plane, lambda: datasets.make_moons(n, noise=0.1, random_state=1)),
        "circles": (plane, lambda: datasets.make_circles(n, noise=0.1, factor=0.5, random_state=1)),
        "synthetic_classification": (
            TABLE,
            lambda: datasets.make_blobs(n, features, centers=2, random_state=1),
        ),
        "synthetic_regression": (
            {"n_samples": n, "n_features": features},
            lambda: datasets.make_regression(n, features, n_informative=features, noise=0.1, random_state=1),
        ),
    }
    for name, (params, rival) in pairs.items():
        ours, theirs = medians(lambda: SyntheticDataset(name, **params).generate(seed=1), rival, runs=runs)  # noqa: B023
        show(f"{name}, {n:,} x {params['n_features']} | scikit-learn", ours, theirs, "wanted: at least 0.83")


def compare_reading(runs: int, megabytes: int) -> None:
    """Compare ``data/raw`` out of a CSV, checked for leaks, with pyarrow and NumPy, which check nothing."""
    from pyarrow import csv

    settings = {"target": "y"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        write_table(path, megabytes)

        def theirs() -> None:
            table = csv.read_csv(path)
            np.save(
                Path(folder, "X.npy"), np.column_stack([table[name].to_numpy() for name in table.column_names[:-1]])
            )
            np.save(Path(folder, "y.npy"), table["y"].to_numpy())

        def ours() -> None:
            generate_data(
                Workspace(Path(folder)), dataset=DatasetSettings(name="custom", path=str(path), params=settings)
            )

        mine, other = medians(ours, theirs, runs=runs)
    show(f"CSV of {megabytes} MB to data/raw | pyarrow and np.save", mine, other, "wanted: at least 0.33")


def write_table(path: Path, megabytes: int) -> None:
    """Write a CSV of 20 columns of numbers with four decimals and two classes."""
    import pyarrow as pa
    from pyarrow import csv

    rng, rows = np.random.default_rng(1), 50_000
    with path.open("wb") as file:
        while file.tell() < megabytes * 10**6:
            columns = {f"x{k}": rng.normal(size=rows).round(4) for k in range(20)} | {"y": rng.integers(0, 2, rows)}
            csv.write_csv(pa.table(columns), file, csv.WriteOptions(include_header=file.tell() == 0))


def compare_group_split(runs: int) -> None:
    """Compare a stratified split of ten million rows by group with scikit-learn's two, which are not stratified."""
    from sklearn.model_selection import GroupShuffleSplit

    n, classes = 10**7, 10
    rng = np.random.default_rng(1)
    y, names = rng.integers(0, classes, n), [str(k) for k in range(classes)]
    for n_groups in (1_000, 1_000_000):
        groups = rng.integers(0, n_groups, n)
        known = KnownRows({"patient": groups}, {"patient": "group"})

        def ours(known: KnownRows = known) -> Split:
            return split_rows(y, names, SplitSettings(method="group"), known)

        def theirs(groups: np.ndarray = groups) -> None:
            rest, _ = next(GroupShuffleSplit(1, test_size=0.2, random_state=1).split(y, groups=groups))
            next(GroupShuffleSplit(1, test_size=0.125, random_state=1).split(rest, groups=groups[rest]))

        mine, other = medians(ours, theirs, runs=runs)
        show(f"split, {n:,} rows, {n_groups:,} groups | scikit-learn", mine, other, "wanted: under 10 s")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="runs that count (default 7)")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the CSV (default 1000)")
    parser.add_argument("--only", choices=["images", "tables", "reading", "split"], help="one comparison alone")
    chosen = parser.parse_args()
    runs, few = chosen.runs, min(chosen.runs, 3)
    comparisons = {
        "images": lambda: compare_images(runs),
        "tables": lambda: compare_tables(runs),
        "reading": lambda: compare_reading(few, chosen.megabytes),
        "split": lambda: compare_group_split(few),
    }
    print(f"{'':<58} {'mlx':>12} {'other':>12}    other / mlx")
    for name, compare in comparisons.items():
        if chosen.only in {name, None}:
            compare()


if __name__ == "__main__":
    main()
