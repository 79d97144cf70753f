"""One run in a process of its own, whose memory is free again when it ends: ``python -m mlx.studies.isolated``."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlx
from mlx.studies.execution import Job, run_job
from mlx.studies.sharing import SharedStep


def run_isolated(job: Job, threads: int = 1) -> str | None:
    """Run a job in another process, with that many threads; return None, or why it failed.

    A process that is killed fails the run, not the caller.
    """
    counts = dict.fromkeys(THREADS, str(threads))
    found: str | None = run_process("mlx.studies.isolated", asdict(job), job.root, counts)
    return found


def run_process(module: str, given: Any, folder: str, env: Mapping[str, str] | None = None) -> Any:
    """Run a module in a folder with JSON on standard input; return what its last line says, or why it ended early."""
    package = str(Path(mlx.__file__).parents[1])
    path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(  # noqa: S603  # this interpreter and a module of this package
        [sys.executable, "-P", "-m", module],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | (env or {}) | {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
    )
    if done.returncode < 0:
        return f"its process was ended by signal {-done.returncode}; where memory is short, use fewer --workers"
    if done.returncode > 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return f"its process ended with code {done.returncode}: {last}"
    return json.loads(done.stdout.splitlines()[-1])


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
    end_with_parent()
    content = json.load(sys.stdin)
    content["shared"] = {name: SharedStep(**step) for name, step in content["shared"].items()}
    print(json.dumps(run_job(Job(**content))))  # noqa: T201  # the answer to the caller


def end_with_parent() -> None:
    """End this process soon after the one that waits for it, however that ends, so that the run can go on elsewhere."""
    started_by = os.getppid()

    def watch() -> None:
        while os.getppid() == started_by:
            time.sleep(0.2)
        os._exit(1)  # artifacts are whole or absent whenever a process ends

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


if __name__ == "__main__":
    main()
