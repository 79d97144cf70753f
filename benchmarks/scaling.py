"""How the exact statistics of one layer grow with the samples, and how much faster more processes are.

Of n x 64 float32 numbers in a file: similarities, pair statistics and the jackknife ("exact"), and with workers also
permutations and the generation of images; each measurement in a process of its own, after a small one that doesn't
count. Prints seconds, the peak of memory of any process beyond the file, and of several workers the speed-up over one
process with one thread, and the engine's share: the time of waiting beyond what the tasks would take if no worker were
ever idle. Where tasks take longer than the processor is at them, other programs run; where they take more processor
time, the cores share caches, memory or a clock that slows down. Linux only.

Usage: python benchmarks/scaling.py [--rows 10000 100000 1000000] [--workers processes:1 processes:2] [--at 1000000]
                                    [--images 0] [--limit 300] [--folder DIR]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

D, CLASSES, BLOCK, MOST_PERMUTED, FEW = 64, 10, 100_000, 20_000, 200
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Timed:
    """A function that returns its result with the seconds that it took, and those that a core was at it."""

    def __init__(self, function: Callable) -> None:
        self.function = function

    def __call__(self, item: object) -> tuple[float, float, object]:
        """Return all three."""
        start, cpu = time.perf_counter(), time.thread_time()
        result = self.function(item)
        return time.perf_counter() - start, time.thread_time() - cpu, result


class Stopwatch:
    """A map like that of the workers that adds up the seconds of tasks, and those of waiting for them."""

    def __init__(self, workers: object) -> None:
        self.workers, self.count, self.tasks, self.cpu, self.waited = workers, workers.count, 0.0, 0.0, 0.0

    def map(self, function: Callable, items: Iterable) -> Iterator:
        """Yield the results in order."""
        found = self.workers.map(Timed(function), items)
        while True:
            start = time.perf_counter()
            try:
                seconds, cpu, result = next(found)
            except StopIteration:
                return
            finally:
                self.waited += time.perf_counter() - start
            self.tasks += seconds
            self.cpu += cpu
            yield result


def make(folder: Path, n: int) -> None:
    """Write float32 representations of some structure, entropies and labels, block by block."""
    generator = np.random.default_rng(0)
    means = generator.standard_normal((CLASSES, D), dtype=np.float32)
    shape = {"rows": ((n, D), np.float32), "entropy": ((n,), np.float64), "labels": ((n,), np.int64)}
    files = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype=dtype, shape=size)
        for name, (size, dtype) in shape.items()
    }
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        labels, entropy = generator.integers(CLASSES, size=size), generator.exponential(size=size)
        noise = generator.standard_normal((size, D), dtype=np.float32) * (1 + entropy[:, None].astype(np.float32))
        for name, values in (("rows", means[labels] * 2 + noise), ("entropy", entropy), ("labels", labels)):
            files[name][start : start + size] = values


def exact(folder: Path, n: int, workers: object) -> None:
    """Every similarity, every pair statistic and the jackknife, exact and without resampling."""
    from mlx.residuals.association.delete_one import pooled_pearson
    from mlx.residuals.pairs.pair_correlations import pair_correlations
    from mlx.residuals.similarity.class_similarity import similarity_family
    from mlx.residuals.similarity.directions import directions_of
    from mlx.residuals.similarity.lift import lift

    rows = np.load(folder / "rows.npy", mmap_mode="r")[:n]
    entropy, labels = (np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")[:n]) for name in ("entropy", "labels"))
    units = directions_of("layer", rows, n)
    similarity = similarity_family(
        lift(units, map=workers.map), labels, labels, CLASSES, map=workers.map
    ).predicted.copy()
    pair_correlations(units, entropy, labels, CLASSES, map=workers.map)
    classes = [np.flatnonzero(labels == label) for label in range(CLASSES)]
    pooled_pearson(units, classes, entropy, similarity, map=workers.map)


def permutations(folder: Path, n: int, workers: object) -> None:
    """Permute the entropies of all samples 9,999 times."""
    from mlx.residuals.association.layer import Layer
    from mlx.residuals.association.permutation import group_of, pooled_p_values
    from mlx.residuals.similarity.directions import directions_of

    n = min(n, MOST_PERMUTED)
    rows, labels = np.load(folder / "rows.npy", mmap_mode="r")[:n], np.load(folder / "labels.npy")[:n]
    entropy = np.load(folder / "entropy.npy")[:n]
    group = group_of(Layer(directions_of("layer", rows, n), -entropy, entropy, labels), np.arange(n))
    pooled_p_values(group, 9_999, 0, many=False, map=workers.map)


def images(folder: Path, n: int, workers: object) -> None:
    """Generate images as the step does."""
    from mlx.core.paths import Workspace
    from mlx.datasets import DatasetSettings
    from mlx.pipeline.generate_data import generate_data

    settings = DatasetSettings.model_validate({"name": "shapes", "params": {"n_samples": n}})
    generate_data(Workspace(folder / f"images-{os.getpid()}-{n}"), workers, dataset=settings)


WORK = {work.__name__: work for work in (exact, permutations, images)}


def anonymous_memory(pid: int) -> int:
    """Memory of a process beyond mapped files, in bytes, and 0 of one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/status").read_text().split("RssAnon:")[1]
    except (OSError, IndexError):
        return 0
    return int(fields.split()[0]) * 1024


def descendants() -> list[int]:
    """Return this process and its children, with theirs."""
    found = [os.getpid()]
    for pid in found:
        try:
            found += [
                int(child)
                for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()
            ]
        except OSError:
            continue
    return found


class Peak(threading.Thread):
    """The largest memory of any process, looked at ten times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.bytes = 0

    def run(self) -> None:
        """Look until the process ends."""
        while True:
            self.bytes = max(self.bytes, *(anonymous_memory(pid) for pid in descendants()))
            time.sleep(0.1)


def imported(seconds: float) -> None:
    """Import what tasks need, slowly enough that no process does it for another."""
    import mlx.datasets
    import mlx.residuals  # noqa: F401

    time.sleep(seconds)


def child(what: str, folder: Path, n: int, spec: str) -> None:
    """Measure one thing in this process and its workers, and print what was found."""
    from mlx.core.workers import open_workers

    peak = Peak()
    peak.start()
    with open_workers(spec, workspace=folder) as workers:
        WORK[what](folder, FEW, workers)
        list(workers.map(imported, [0.3] * 4 * workers.count))  # starts the processes
        clock, start = Stopwatch(workers), time.perf_counter()
        WORK[what](folder, n, clock)
        seconds = time.perf_counter() - start
        engine = max(0.0, clock.waited - clock.tasks / workers.count) / seconds
    found = {"seconds": seconds, "in_tasks": clock.tasks, "cpu": clock.cpu, "engine": engine, "bytes": peak.bytes}
    print(json.dumps(found))


def measured(what: str, folder: Path, n: int, spec: str, limit: float) -> dict[str, float] | None:
    """Return what a child found; None if it takes longer than the limit."""
    command = [sys.executable, __file__, "--child", what, "--folder", str(folder), "--at", str(n), "--spec", spec]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, env=os.environ | ONE_THREAD, timeout=max(1.0, limit)
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def grow(folder: Path, sizes: list[int], spec: str, left: Callable[[], float]) -> None:
    """Print time and memory against the number of samples."""
    seconds = dict[int, float]()
    for n in sizes:
        found = measured("exact", folder, n, spec, left())
        if found is None:
            print(f"n = {n:>10,}: not within the time limit", flush=True)
            break
        seconds[n] = found["seconds"]
        allowed = 2**30 + 40 * n
        print(
            f"n = {n:>10,} x {D}, {spec}: {found['seconds']:8.2f} s, peak {found['bytes'] / 2**20:6.0f} MiB "
            f"a process (wanted: at most {allowed / 2**20:.0f})",
            flush=True,
        )
    large = [n for n in seconds if n >= 100_000]
    if len(large) > 1:
        slope = np.polyfit(np.log(large), np.log([seconds[n] for n in large]), 1)[0]
        print(f"slope of log time on log n from {large[0]:,} on: {slope:.2f} (wanted: at most 1.1)", flush=True)


def compare(what: str, folder: Path, n: int, specs: list[str], left: Callable[[], float]) -> None:
    """Print the speed-up of workers over one process with one thread."""
    alone = measured(what, folder, n, "serial", left())
    if alone is None:
        print(f"{what}, n = {n:,}, serial: not within the time limit", flush=True)
        return
    share = alone["in_tasks"] / alone["seconds"]
    print(f"{what}, n = {n:,}, serial: {alone['seconds']:.2f} s, {share:.0%} of it in tasks", flush=True)
    for spec in specs:
        found = measured(what, folder, n, spec, left())
        if found is None:
            print(f"{what}, n = {n:,}, {spec}: not within the time limit", flush=True)
            continue
        print(
            f"{what}, n = {n:,}, {spec}: {found['seconds']:.2f} s, {alone['seconds'] / found['seconds']:.2f} times as "
            f"fast, the engine's share {found['engine']:.1%}, tasks {found['in_tasks'] / alone['in_tasks']:.2f} times "
            f"as long with {found['cpu'] / alone['cpu']:.2f} times the processor time",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--workers", nargs="*", default=["processes:1", "processes:2"])
    parser.add_argument("--at", type=int, default=1_000_000, help="samples with which workers are compared")
    parser.add_argument("--images", type=int, default=0, help="images that workers generate")
    parser.add_argument("--growing", default="serial", help="workers for --rows (default %(default)s)")
    parser.add_argument("--limit", type=float, default=3600, help="seconds in all")
    parser.add_argument("--folder", type=Path, help="where the files are made; a temporary one by default")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--spec", default="serial", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder, options.at, options.spec)
        return
    end = time.monotonic() + options.limit
    print(f"load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores", flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        make(folder, max([*options.rows, options.at if options.workers else 0]))
        grow(folder, sorted(options.rows), options.growing, lambda: end - time.monotonic())
        if options.workers:
            for what, n in {"exact": options.at, "permutations": options.at, "images": options.images}.items():
                if n:
                    compare(what, folder, n, options.workers, lambda: end - time.monotonic())


if __name__ == "__main__":
    main()
