"""`mlx runs`: the history of runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx.runs.history import DamagedRun
    from mlx.runs.run import Run

NAME = "runs"
HELP = "list the runs, each with a number that names it, its status and headline metrics"
STATUSES = ("running", "finished", "failed", "interrupted", "damaged")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("name", nargs="?", help="only runs of the experiment of this name")
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="folder of runs (default: the output directory)")
    parser.add_argument("--status", choices=STATUSES, help="only runs with this status")
    parser.add_argument(
        "--sort",
        default="started",
        metavar="KEY",
        help="started, name, status or a metric such as accuracy, best last (default: %(default)s)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the last N of the list")
    parser.add_argument("--json", action="store_true", help="print the content of all summaries as JSON")


def run(chosen: argparse.Namespace) -> str:
    """Return the table, or the summaries as JSON."""
    import json

    from mlx.commands.places import run_directory
    from mlx.commands.tables import HEADLINES, as_table, headline
    from mlx.core.console import note
    from mlx.core.errors import SettingsError
    from mlx.runs.history import find_all

    if chosen.limit is not None and chosen.limit < 1:
        raise SettingsError(f"--limit: expected at least 1, found {chosen.limit}")
    directory = run_directory(chosen.run_dir)
    if directory.name in {"", ".."}:  # an id consists of the names of folders
        directory = directory.resolve()
    runs, every_damaged = find_all(directory)
    listed = [run for run in runs if _selected(run, chosen)]
    listed = _sorted(listed, chosen.sort)[-(chosen.limit or len(listed)) :]
    damaged = [run for run in every_damaged if _selected_damaged(run, chosen)]
    if chosen.json:
        every = [{"id": r.id, "folder": str(r.folder), "status": "damaged", "error": r.reason} for r in damaged]
        every += [{"id": r.id, "folder": str(r.folder), **r.summary.as_dict(), "status": r.status} for r in listed]
        return json.dumps(every, indent=2, ensure_ascii=False)
    if not listed and not damaged:
        return f"no runs below {directory}{_wanted(chosen, len(runs) + len(every_damaged))}"
    for run in damaged:
        note(f"{run.id}: damaged: {run.reason}")
    numbers = {run.folder: number for number, run in enumerate(runs, start=1)}
    rows: list[list[Any]] = [[run.id, None, None, "damaged"] for run in damaged]
    rows += [
        [r.id, numbers[r.folder], r.summary.started.replace("+00:00", "Z"), r.status, *headline(r)] for r in listed
    ]
    return as_table(["run", "number", "started", "status", *HEADLINES], rows, spare=("started",), more="--json")


def _selected(run: "Run", chosen: argparse.Namespace) -> bool:
    return chosen.name in {None, run.summary.name} and chosen.status in {None, run.status}


def _wanted(chosen: argparse.Namespace, others: int) -> str:
    """Return what was asked for, if there are other runs."""
    asked = [f"{key} '{value}'" for key in ("name", "status") if (value := getattr(chosen, key)) is not None]
    return f" with {' and '.join(asked)}; {others} in all" if others else ""


def _selected_damaged(run: "DamagedRun", chosen: argparse.Namespace) -> bool:
    return chosen.name in {None, run.folder.parent.name} and chosen.status in {None, "damaged"}


def _sorted(runs: "list[Run]", key: str) -> "list[Run]":
    """Sort by a field of the summary, or by a metric; runs without it come first."""
    from mlx.core.errors import SettingsError
    from mlx.core.settings import nearest

    if key == "started":
        return runs
    if key in {"name", "status"}:
        return sorted(runs, key=lambda run: str(getattr(run, "status" if key == "status" else "id")))
    metrics = sorted({name for run in runs for name, value in _metrics(run).items() if isinstance(value, int | float)})
    if runs and key not in metrics:
        listed = ["started", "name", "status", *(name for name in metrics if not name.endswith(("_low", "_high")))]
        hint = nearest(key, listed)
        raise SettingsError(f"--sort: expected one of {', '.join(listed)}, found '{key}'{hint}")
    lower_is_better = key in LOWER_IS_BETTER
    numbered = [run for run in runs if _metrics(run).get(key) is not None]
    ordered = sorted(numbered, key=lambda run: _metrics(run)[key], reverse=lower_is_better)
    return [run for run in runs if run not in numbered] + ordered


LOWER_IS_BETTER = frozenset(
    {"log_loss", "brier", "brier_score", "ece", "rmse", "mae", "mse", "loss", "val_loss", "aurc"}
)


def _metrics(run: "Run") -> dict[str, Any]:
    """Return the metrics of a run by name, those of the evaluation before others of the same name."""
    from mlx.core.metrics import LEVELS

    parts = [*reversed(run.summary.metrics.values()), run.summary.metrics.get("evaluation", {})]
    return {name: value for part in parts for name, value in part.items() if name not in LEVELS}
