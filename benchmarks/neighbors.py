"""How long scores of failure and the neighbor search take, and how much memory, against other exact searches.

    python benchmarks/neighbors.py [--test 50000] [--train 50000] [--features 512] [--others]

``--others`` runs the same search by scikit-learn's brute force and, if it is installed, by the flat index of faiss,
which ranks in single precision. Set OMP_NUM_THREADS=1 to compare processor seconds.

Wanted for 50,000 test and 50,000 training samples of 512 features: 2 minutes and 2 GiB. On a loaded machine take fewer
test samples: the last column has what 50,000 would take in the searches, whose time grows with their number.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from mlx.core.workers import open_workers
from mlx.residuals.scores.geometry import GEOMETRY, Training
from mlx.residuals.scores.layer_part import LayerPart
from mlx.stats.nearest import nearest_neighbors

FULL, CLASSES, K = 50_000, 10, 50


def drawn(n: int, d: int, seed: int) -> LayerPart:
    """Make n samples of ten classes in single precision."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(CLASSES, size=n)
    rows = generator.standard_normal((n, d), dtype=np.float32)
    rows[np.arange(n), labels] += 3
    return LayerPart(rows, 2 * rows[:, :CLASSES], labels, rows[:, :CLASSES].argmax(axis=1))


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return wall-clock and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", type=int, default=FULL)
    parser.add_argument("--train", type=int, default=FULL)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--others", action="store_true")
    chosen = parser.parse_args()
    train, test = (drawn(n, chosen.features, seed) for seed, n in enumerate((chosen.train, chosen.test)))
    grows = FULL / chosen.test
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {test.size} x {train.size} samples")
    print(f"{'':<36} {'wall s':>8} {'cpu s':>8}   cpu s of {FULL:,}")

    def show(name: str, call: Callable[[], object], factor: float) -> None:
        wall, processor = timed(call)
        print(f"{name:<36} {wall:8.1f} {processor:8.1f} {processor * factor:8.1f}", flush=True)

    with open_workers("threads") as workers:
        for name, fit in GEOMETRY.items():
            factor = grows if name == "knn" else 1.0
            show(name, lambda fit=fit: fit(Training(train, CLASSES, None, workers.map))(test), factor)
    show("neighbors alone", lambda: nearest_neighbors(train.values, K, queries=test.values), grows)
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB   wanted: below 2")
    if not chosen.others:
        return
    from sklearn.neighbors import NearestNeighbors

    brute = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(train.values)
    show("scikit-learn, brute force", lambda: brute.kneighbors(test.values), grows)
    try:
        from faiss import IndexFlatL2
    except ImportError:
        print("faiss: skipped; pip install faiss-cpu")
        return
    index = IndexFlatL2(chosen.features)
    index.add(train.values)
    show("faiss, IndexFlatL2", lambda: index.search(test.values, K), grows)


if __name__ == "__main__":
    main()
