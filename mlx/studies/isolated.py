"""One run in a process of its own, whose memory is free again when it ends: ``python -m mlx.studies.isolated``."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import mlx
from mlx.studies.execution import Job, run_job
from mlx.studies.sharing import SharedStep


def run_isolated(job: Job, threads: int = 1) -> str | None:
    """Run a job in another process, with that many threads; return None, or why it failed.

    A process that is killed fails the run, not the caller.
    """
    package = str(Path(mlx.__file__).parents[1])
    path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    counts = dict.fromkeys(THREADS, str(threads))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mlx.studies.isolated"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        check=False,
        cwd=job.root,
        env=os.environ | counts | {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
    )
    if done.returncode < 0:
        return f"its process was ended by signal {-done.returncode}; where memory is short, use fewer --workers"
    if done.returncode > 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return f"its process ended with code {done.returncode}: {last}"
    found: str | None = json.loads(done.stdout.splitlines()[-1])
    return found


THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""Environment variables that limit the threads of the libraries behind a run."""


def main() -> None:
    """Run the job on standard input, and print as JSON why it failed."""
    _end_with_parent()
    content = json.load(sys.stdin)
    content["shared"] = {name: SharedStep(**step) for name, step in content["shared"].items()}
    print(json.dumps(run_job(Job(**content))))  # noqa: T201  # the answer to the caller


def _end_with_parent() -> None:
    """End this process soon after the one that waits for it, however that ends, so that the run can go on elsewhere."""
    started_by = os.getppid()

    def watch() -> None:
        while os.getppid() == started_by:
            time.sleep(0.2)
        os._exit(1)  # artifacts are whole or absent whenever a process ends

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


if __name__ == "__main__":
    main()
