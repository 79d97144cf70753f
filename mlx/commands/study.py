"""`mlx study`: runs an experiment over seeds, splits and configurations, and says what differs."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlx.commands.chosen_workers import add_workers

if TYPE_CHECKING:
    from mlx.studies.plan import Study

DEFAULT_WORKERS = os.environ.get("MLX_WORKERS") or "processes"
"""A process for each core, as whole runs are independent."""

NAME = "study"
HELP = "run an experiment over seeds, splits and configurations, and compare them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands below this one, and their flags."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    child = commands.add_parser("run", help="run what is not done of a study, and write its tables")
    child.add_argument("study", type=Path, metavar="FILE", help="JSON or YAML, such as studies/digits.yaml")
    child.add_argument("--dry-run", action="store_true", help="check every cell, and estimate the cost; write nothing")
    add_workers(child)
    child.set_defaults(study_command=_run)


def run(chosen: argparse.Namespace) -> str:
    """Return what the command below this one prints."""
    printed: str = chosen.study_command(chosen)
    return printed


def _run(chosen: argparse.Namespace) -> str:
    from mlx.commands.places import at_root
    from mlx.core.workers import open_workers
    from mlx.studies.plan import read_study
    from mlx.studies.study import run_study

    study = read_study(chosen.study)
    with at_root() as shown:
        if chosen.dry_run:
            return _dry_run(study)
        with open_workers(chosen.workers or DEFAULT_WORKERS, insecure=chosen.insecure, workspace=Path()) as workers:
            run_study(study, workers)
        return shown(study.folder)


def _dry_run(study: "Study") -> str:
    """Return a table of the cells and what all runs cost."""
    from mlx.commands.tables import as_table
    from mlx.core.console import note
    from mlx.studies.cost import cost_of

    cost = cost_of(study)
    for line in cost.warnings:
        note(f"warning: {line}")
    rows = [[each.name, each.runs, each.done, each.time(), each.space()] for each in cost.cells]
    return "\n".join([as_table(["cell", "runs", "done", "time of a run", "disk of a run"], rows), *cost.facts()])
