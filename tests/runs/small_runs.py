"""A small experiment, and its runs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from blank_figures import BLANK, FEW, leave_few_figures
from filelock import FileLock

from mlx.cli import main
from mlx.runs.owners import Owner
from mlx.runs.run import Summary, write_summary

CONFIG: dict[str, Any] = {
    "name": "small",
    "dataset": {"name": "digits", "params": {"n_samples": 400}},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "logistic_regression"},
    "residuals": {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]},
    "report": {"dpi": 50},
}
RUN = """
import sys
from mlx.cli import main
main(["run-experiment", *sys.argv[1:]])
"""


def content(run: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(run)): file.read_bytes()
        for part in ("data", "metrics", "config.json")
        for file in ([run / part] if (run / part).is_file() else sorted((run / part).rglob("*")))
        if file.is_file()
    }


def started(folder: Path, *arguments: str, code: str = RUN) -> "subprocess.Popen[bytes]":
    """Start a run in a process of its own, whose few figures stay blank."""
    with (folder / "messages.txt").open("a") as messages:
        return subprocess.Popen(
            [sys.executable, "-c", BLANK + FEW + code, *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=messages,
        )


SUMMARY: dict[str, Any] = {
    "name": "small",
    "status": "running",
    "started": "2026-01-01T00:00:00+00:00",
    "owner": Owner.of_this_process().as_dict(),
    "versions": {},
    "commit": None,
}


def restate(run: Path, **changes: Any) -> None:
    """Write something else into the summary of a run, as if the run had."""
    content = json.loads((run / "summary.json").read_text()) | changes | {"sha256": None}
    write_summary(run, Summary.model_validate(content))


TINY = """\
name: tiny
dataset: {name: blobs, params: {n_samples: 60, n_features: 2, n_classes: 3, cluster_std: 2.0, seed: 1}}
model: {name: mlp}
training: {epochs: 2}
"""


def repeatable_content(run: Path) -> dict[str, bytes]:
    """Return the files of a run that are the same whenever it is repeated."""
    kept = (run / "data", run / "metrics", run / "checkpoints")
    found = {path for folder in kept for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}
    return {str(path.relative_to(run)): path.read_bytes() for path in (*found, run / "checksums.json")}


def run_once(factory: pytest.TempPathFactory, file: str, configuration: str) -> Path:
    """Return a folder in which an experiment has run; workers of pytest share it."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    found = shared / f"run_of_{Path(file).stem}"
    with FileLock(shared / f"{found.name}.lock"), pytest.MonkeyPatch.context() as patch:
        if not found.exists():
            unfinished = shared / f"unfinished_{found.name}"
            unfinished.mkdir()
            (unfinished / file).write_text(configuration)
            patch.chdir(unfinished)
            leave_few_figures(patch)  # as those of the tests, which begin later
            main(["run-experiment", "--config", file])
            unfinished.rename(found)
    return found
