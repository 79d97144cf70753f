"""How fast a folder of images is decoded, against plain Pillow on both cores.

Run it on an idle machine:  python benchmarks/images.py

Both sides bring the same photographs to 224 × 224 and read them from the page cache. Plain Pillow is what one
writes by hand: open, convert, fit, in the better of a pool of threads and a pool of processes.
"""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

sys.path.insert(0, str(Path(__file__).parents[1]))

from mlx.datasets import DatasetSettings, open_dataset

CORES = os.cpu_count() or 1
SIZE = 224
RUNS = 7


def write_photographs(root: Path, n: int, height: int, width: int) -> None:
    """Write `n` JPEG files, smooth as photographs are, into two classes."""
    rng = np.random.default_rng(0)
    for k in range(n):
        folder = root / f"class {k % 2}"
        folder.mkdir(exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (height // 12, width // 12, 3), dtype=np.uint8))
        photograph = coarse.resize((width, height), Image.Resampling.BICUBIC)
        photograph.save(folder / f"{k:05}.jpg", quality=90)


def plain(path: Path) -> np.ndarray:
    """Decode an image as one would by hand."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (SIZE, SIZE), Image.Resampling.BILINEAR))


def medians(*contestants: Callable[[], object]) -> list[float]:
    """Return the median seconds of each, all taking turns after one run that does not count."""
    times: list[list[float]] = [[] for _ in contestants]
    for run in range(RUNS + 1):
        for contestant, mine in zip(contestants, times, strict=True):
            start = time.perf_counter()
            contestant()
            if run:
                mine.append(time.perf_counter() - start)
    return [statistics.median(mine) for mine in times]


def decode_folder(n: int, height: int, width: int) -> None:
    """Time `n` photographs of one size and print a line of the table."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_photographs(root, n, height, width)
        paths = sorted(root.rglob("*.jpg"))
        dataset = open_dataset(DatasetSettings(name="imagenet", path=name, params={"image_size": SIZE}))
        with (
            ThreadPoolExecutor(CORES) as threads,
            multiprocessing.get_context("spawn").Pool(CORES) as processes,
        ):
            ours, by_threads, by_processes = medians(
                lambda: sum(len(block.X) for block in dataset.blocks(32)),
                lambda: sum(len(image) for image in threads.map(plain, paths)),
                lambda: sum(len(image) for image in processes.imap(plain, paths, chunksize=16)),
            )
    theirs = min(by_threads, by_processes)
    what = f"{n} JPEGs of {height} x {width} to {SIZE} x {SIZE}"
    print(
        f"{what:<42} {ours * 1e3:9.0f} ms {by_threads * 1e3:9.0f} ms {by_processes * 1e3:9.0f} ms  "
        f"{ours / theirs:5.2f}   at most 1.2"
    )


def main() -> None:
    """Print the table."""
    print(f"{CORES} cores; median of {RUNS} runs")
    print(f"{'':<42} {'mlx':>12} {'threads':>12} {'processes':>12}  ratio to the better")
    decode_folder(600, 375, 500)
    decode_folder(100, 1500, 2000)


if __name__ == "__main__":
    main()
