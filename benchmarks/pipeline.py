"""How much the pipeline costs over a plain script that does the same study.

Runs ``dvc repro`` from nothing in a copy of this repository and ``plain_keras.py`` in turn, and prints
wall times, their ratio pair by pair, and where the pipeline's time goes.

Usage: python benchmarks/pipeline.py [--pairs 3]
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ("mlx", "stages", "benchmarks", ".dvc", "dvc.yaml", "params.yaml", ".dvcignore", ".gitignore")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    pairs = parser.parse_args().pairs
    ratios = []
    for number in range(pairs + 1):  # the first pair warms the disk cache and is not counted
        with tempfile.TemporaryDirectory() as folder:
            root = copy_of_the_repository(Path(folder) / "repo")
            pipeline, stages = time_pipeline(root)
            # Early stopping may end elsewhere by chance, so the script trains as many epochs as the pipeline did.
            epochs = str(sum(1 for _ in (root / "metrics/history.csv").open()) - 1)
            script = [sys.executable, "benchmarks/plain_keras.py"]
            plain = timed([*script, "plain", epochs], root)[0]
            bare = timed([*script, "bare", epochs, "--no-residuals"], root)[0]
        label = f"pair {number}" if number else "warm-up"
        print(
            f"{label}: {epochs} epochs, dvc repro {pipeline:.1f} s, plain script {plain:.1f} s, without intervals and "
            f"p-values {bare:.1f} s; ratios {pipeline / plain:.2f}, {pipeline / bare:.2f}"
        )
        if number:
            ratios.append((pipeline / plain, pipeline / bare))
    for name, values in zip(("the same work", "a script without inference"), zip(*ratios, strict=True), strict=True):
        print(f"against {name}: median {statistics.median(values):.2f}, from {min(values):.2f} to {max(values):.2f}")
    print("where the time of the last run went:")
    for name, seconds in stages:
        print(f"  {name:26} {seconds:6.1f} s  {seconds / pipeline:5.0%}")


def copy_of_the_repository(root: Path) -> Path:
    root.mkdir()
    ignore = shutil.ignore_patterns("cache", "tmp", "config.local")
    for name in FILES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=ignore)
        else:
            shutil.copy(source, root / name)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


def time_pipeline(root: Path) -> tuple[float, list[tuple[str, float]]]:
    """Run `dvc repro`; return its seconds, and those between one stage's start and the next one's."""
    total, lines = timed(["dvc", "repro"], root)
    marks = [("dvc itself, at the start", 0.0)]
    for seconds, line in lines:
        if found := re.match(r"Running stage '(.+)'", line):
            marks.append((found[1], seconds))
    ends = [start for _, start in marks[1:]] + [total]
    return total, [(name, end - start) for (name, start), end in zip(marks, ends, strict=True)]


def timed(command: list[str], root: Path) -> tuple[float, list[tuple[float, str]]]:
    """Run `command`; return its wall time and when it printed each line."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": str(root), "PATH": path, "PYTHONUNBUFFERED": "1"}
    begin = time.perf_counter()
    with subprocess.Popen(
        command, cwd=root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        lines = [(time.perf_counter() - begin, line.rstrip()) for line in process.stdout]
    seconds = time.perf_counter() - begin
    if process.returncode:
        sys.exit("\n".join(line for _, line in lines) + f"\n{' '.join(command)} failed")
    return seconds, lines


if __name__ == "__main__":
    main()
