"""A small experiment, and its runs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from blank_figures import BLANK, FEW

from mlx.runs.owners import Owner
from mlx.runs.run import Summary, write_summary

CONFIG: dict[str, Any] = {
    "name": "small",
    "dataset": {"name": "digits", "params": {"n_samples": 400}},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "logistic_regression"},
    "residuals": {"n_bootstrap": 100, "n_permutations": 99, "projections": ["pca"]},
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
