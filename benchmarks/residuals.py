"""How fast similarity, pair statistics, Mantel tests, bootstrap and neighbors are, against what a user would call.

Run it on an idle machine:  python benchmarks/residuals.py
Some rows need other packages, and are skipped without:  pip install scikit-bio rsatoolbox faiss-cpu

Times are medians over runs that take turns, so that both sides meet the same machine; memory is what a process
of its own holds at most beyond what it held before (Linux only).
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import numpy as np
from scipy.stats import permutation_test

sys.path.insert(0, str(Path(__file__).parents[1]))

from mlx.core.workers import open_workers
from mlx.residuals.association.layer import Layer
from mlx.residuals.association.permutation import group_of, pooled_p_values
from mlx.residuals.association.resampling import node_bootstrap
from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS, of_pairs
from mlx.residuals.pairs.mantel import mantel
from mlx.residuals.pairs.pair_correlations import pair_correlations
from mlx.residuals.pairs.pair_moments import group_moments, pair_group
from mlx.residuals.pairs.pair_spearman import pair_spearman
from mlx.residuals.similarity.class_similarity import similarity_family
from mlx.residuals.similarity.directions import directions_of
from mlx.residuals.similarity.lift import lift
from mlx.residuals.similarity.neighbors import neighbor_similarity
from mlx.results.questions import Statistic

ROOT = Path(__file__).parents[1]
D, CLASSES, K = 128, 10, 10
SIZES = (10_000, 100_000, 1_000_000)


def data(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make float32 representations of some structure, entropies and labels."""
    generator = np.random.default_rng(0)
    labels = generator.integers(CLASSES, size=n)
    rows = generator.standard_normal((n, D), dtype=np.float32)
    rows += generator.standard_normal((CLASSES, D), dtype=np.float32)[labels]
    return rows, generator.exponential(size=n), labels


def pairs_in_closed_form(rows: np.ndarray, entropy: np.ndarray, _: np.ndarray) -> list[float]:
    """Correlate over all pairs, all four statistics."""
    units = directions_of("layer", rows, len(rows))
    moments = group_moments(pair_group(units, entropy, units.defined))
    return list(moments.product / np.sqrt(moments.square_s * moments.square))


def pairs_written_out(rows: np.ndarray, entropy: np.ndarray, _: np.ndarray) -> list[float]:
    """Do the same as a user would: scikit-learn's matrix, its upper half, and SciPy's ``pearsonr``."""
    from scipy.stats import pearsonr
    from sklearn.metrics.pairwise import cosine_similarity

    i, j = np.triu_indices(len(rows), 1)
    s = cosine_similarity(rows.astype(np.float64))[i, j]
    h = entropy - entropy.mean()
    return [pearsonr(s, of_pairs(statistic, h[i], h[j]))[0] for statistic in PAIR_STATISTICS]


def everything_exact(rows: np.ndarray, entropy: np.ndarray, labels: np.ndarray) -> None:
    """Every similarity by class, and every pair statistic over all pairs and within class."""
    units = directions_of("layer", rows, len(rows))
    similarity_family(lift(units), labels, labels, CLASSES)
    pair_correlations(units, entropy, labels, CLASSES)


def held(pattern: str) -> float:
    """Memory of this process in MiB, as Linux tells it."""
    return int(re.search(pattern + r":\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def child(what: str, folder: Path, n: int) -> None:
    """Run one thing in this process after a small warm-up, and print its time and memory."""
    contestant = globals()[what]
    contestant(*data(300))
    entropy, labels = (np.load(folder / f"{name}.npy")[:n] for name in ("entropy", "labels"))
    rows = np.load(folder / f"rows-{n}.npy", mmap_mode="r" if what == "everything_exact" else None)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    before, start = held("VmRSS"), time.perf_counter()
    contestant(rows, entropy, labels)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "mib": held("VmHWM") - before}))


def in_child(what: str, folder: Path, n: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", what, "--folder", str(folder), "--size", str(n)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(done.stdout)


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


def show(what: str, ours: float, theirs: float, unit: str, wanted: str) -> None:
    """Print one row."""
    print(f"{what:<62} {ours:10.3f} {unit:<3} {theirs:10.3f} {unit:<3} {theirs / ours:8.2f} x   {wanted}", flush=True)


def compare_pairs(folder: Path, runs: int) -> None:
    """All four statistics over all pairs of 10,000, against the pairs written out."""
    arrays = data(SIZES[0])
    difference = np.abs(np.subtract(pairs_in_closed_form(*arrays), pairs_written_out(*arrays))).max()
    ours, theirs = medians(lambda: pairs_in_closed_form(*arrays), lambda: pairs_written_out(*arrays), runs=runs)
    show("pairs, 10,000 x 128 | scikit-learn and scipy", ours, theirs, "s", "wanted: at least 200")
    mine, other = (in_child(what, folder, SIZES[0])["mib"] for what in ("pairs_in_closed_form", "pairs_written_out"))
    show("  memory", mine, other, "MiB", f"wanted: at least 100; largest difference {difference:.0e}")


def grow(folder: Path, runs: int) -> None:
    """Similarities and pair statistics, memory-mapped, from 10,000 to a million."""
    turns = [[in_child("everything_exact", folder, n) for n in SIZES] for _ in range(runs)]
    found = [min(of_size, key=lambda result: result["seconds"]) for of_size in zip(*turns, strict=True)]
    for n, result in zip(SIZES, found, strict=True):
        mapped = n * D * 4 / 2**20
        beyond = f"{result['mib']:7.0f} MiB, of which the file is up to {mapped:.0f}"
        print(f"similarities and pairs, {n:>9,} x 128, memory-mapped {result['seconds']:8.2f} s {beyond}", flush=True)
    slope = np.polyfit(np.log(SIZES), np.log([result["seconds"] for result in found]), 1)[0]
    print(
        f"  slope of log time on log n {slope:.2f}   wanted: 1, and memory beyond the file below 1024 MiB", flush=True
    )


def compare_mantel(runs: int) -> None:
    """999 permutations of the mean entropy at n = 1000 and of |ΔH| at 800; scikit-bio's matrices before the clock."""
    try:
        from skbio.stats.distance import DistanceMatrix
        from skbio.stats.distance import mantel as theirs
    except ImportError:
        print("Mantel | scikit-bio: skipped; pip install scikit-bio")
        return
    for n, statistic in ((1000, Statistic.MEAN_ENTROPY), (800, Statistic.ENTROPY_DIFFERENCE)):
        rows, entropy, _ = data(n)
        entropy = entropy + 0.1 * rows[:, 0]  # not independent, so that no test stops early
        u = rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
        matrices = []
        for matrix in (1 - u @ u.T, of_pairs(statistic, entropy[:, None], entropy)):
            np.fill_diagonal(matrix, 0)
            matrices.append(DistanceMatrix((matrix + matrix.T) / 2))

        def ours(rows=rows, entropy=entropy, statistic=statistic) -> object:
            return mantel(directions_of("layer", rows, len(rows)), entropy, permutations={statistic: 999}, seed=1)

        def other(matrices=matrices) -> object:
            return theirs(*matrices, permutations=999, seed=1)

        mine, their = medians(ours, other, runs=runs)
        show(f"Mantel, 999 permutations of {n}, {statistic} | scikit-bio", mine, their, "s", "wanted: at least 20")


def compare_permutations(runs: int, n: int = 16_000) -> None:
    """9,999 permutations of Pearson's correlation, ours of its studentized statistic, and Spearman's as well."""
    _, entropy, _ = data(n)
    similarity = np.random.default_rng(1).normal(size=n) + entropy  # not independent, so that no test stops early
    units = directions_of("layer", np.ones((n, 1)), n)
    layer = Layer(units, similarity, entropy, np.zeros(n, dtype=np.intp))

    def ours() -> object:
        return pooled_p_values(group_of(layer, np.arange(n)), 9999, 1, many=False)

    def theirs() -> object:
        def covariance(x: np.ndarray, axis: int) -> np.ndarray:  # noqa: ARG001  # SciPy names it
            return x @ entropy

        return permutation_test(
            (similarity,), covariance, permutation_type="pairings", vectorized=True, n_resamples=9999, batch=100, rng=1
        )

    mine, other = medians(ours, theirs, runs=runs)
    show(f"9,999 permutations of a correlation of {n:,} | SciPy", mine, other, "s", "wanted: at least 20")


def compare_bootstrap(runs: int, n: int = 400, n_replicates: int = 50) -> None:
    """Correlations of similarity and entropy among samples drawn again."""
    try:
        import rsatoolbox
    except ImportError:
        print("bootstrap | rsatoolbox: skipped; pip install rsatoolbox")
        return
    rows, entropy, _ = data(n)
    dataset = rsatoolbox.data.Dataset(rows.astype(np.float64), obs_descriptors={"sample": np.arange(n)})
    dissimilarity = rsatoolbox.rdm.calc_rdm(dataset, method="correlation", descriptor="sample")
    means = of_pairs(Statistic.MEAN_ENTROPY, *entropy[np.array(np.triu_indices(n, 1))])
    model = rsatoolbox.model.ModelFixed("entropy", rsatoolbox.rdm.RDMs(means[None]))

    def ours() -> object:
        units = directions_of("layer", rows, n)
        return node_bootstrap(units, [np.arange(n)], entropy, n_replicates, np.random.default_rng(1))

    def theirs() -> object:
        with redirect_stderr(StringIO()):  # its progress
            return rsatoolbox.inference.eval_bootstrap_pattern(model, dissimilarity, method="corr", N=n_replicates)

    mine, other = medians(ours, theirs, runs=runs)
    show(f"bootstrap, {n_replicates} replicates of {n} | rsatoolbox", mine, other, "s", "")


def compare_neighbors(n: int, runs: int) -> None:
    """Mean of the 10 nearest among 50,000, against scikit-learn's search alone."""
    from sklearn.neighbors import NearestNeighbors

    rows, *_ = data(n)
    u = rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)

    def ours() -> object:
        with open_workers("threads") as workers:  # as many as scikit-learn and faiss use
            return neighbor_similarity(lift(directions_of("layer", rows, n)), n_neighbours=K, map=workers.map)

    def theirs() -> object:
        return NearestNeighbors(n_neighbors=K, algorithm="brute").fit(u).kneighbors()

    mine, other = medians(ours, theirs, runs=runs)
    show(f"{K} nearest of {n:,} x 128 | scikit-learn alone", mine, other, "s", "wanted: at least 0.91")
    try:
        from faiss import IndexFlatIP
    except ImportError:
        print("neighbors | faiss: skipped; pip install faiss-cpu")
        return

    def faiss() -> object:
        index = IndexFlatIP(D)
        index.add(u.astype(np.float32))
        return index.search(u.astype(np.float32), K + 1)

    mine, other = medians(ours, faiss, runs=runs)
    show(f"{K} nearest of {n:,} x 128 | faiss, exact, in single precision", mine, other, "s", "")


def stream_ranks() -> None:
    """Seconds of Spearman over all pairs of 10,000, and what 50,000 would take."""
    rows, entropy, _ = data(10_000)
    start = time.perf_counter()
    found = pair_spearman(directions_of("layer", rows, 10_000), entropy)
    seconds = time.perf_counter() - start
    print(
        f"Spearman over {found.n_pairs:,} pairs, bound {found.bound:.1e} {seconds:8.1f} s; 50,000: {seconds * 25:.0f} s"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs that count (default 5)")
    parser.add_argument("--neighbors", type=int, default=50_000, help="samples among which neighbors are sought")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder, options.size)
        return
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':<62} {'mlx':>14} {'other':>14} other / mlx")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, entropy, labels = data(SIZES[-1])
        for n in SIZES:
            np.save(folder / f"rows-{n}.npy", rows[:n])
        np.save(folder / "entropy.npy", entropy)
        np.save(folder / "labels.npy", labels)
        del rows
        compare_pairs(folder, min(options.runs, 3))
        grow(folder, min(options.runs, 3))
    compare_mantel(options.runs)
    compare_permutations(options.runs)
    compare_bootstrap(options.runs)
    compare_neighbors(options.neighbors, min(options.runs, 3))
    stream_ranks()


if __name__ == "__main__":
    main()
