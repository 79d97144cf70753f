"""`mlx eval`: evaluates a run again."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.commands.places import run_name

if TYPE_CHECKING:
    from mlx.core.paths import Workspace

NAME = "eval"
HELP = "evaluate a run again, on any split and with any of its checkpoints"
SPLITS = ("test", "val", "train")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "experiment_id",
        nargs="?",
        type=run_name,
        metavar="EXPERIMENT_ID",
        help="a run's folder, name/time, or a name (its latest run); . is the DVC workspace",
    )
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="folder of runs (default: the output directory)")
    parser.add_argument(
        "--checkpoint", default="final", metavar="NAME", help="final, best or epoch_0005 (default: final)"
    )
    parser.add_argument("--config", type=Path, help="read the sections evaluation and representations from this file")
    parser.add_argument("--metrics", nargs="+", default=[], metavar="NAME", help="only these (default: all)")
    parser.add_argument("--split", choices=SPLITS, default="test", help="the part of the data (default: test)")
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be evaluated, and check that it exists"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> str:
    """Return the metrics."""
    import json

    from mlx.commands.places import at_root, shown_from
    from mlx.core.checksums import verified
    from mlx.core.errors import SettingsError
    from mlx.runs.rescore import check_metrics, checkpoints, chosen_metrics, require_whole, rescore

    where = shown_from(Path.cwd())
    target = _target(chosen)
    if target is None:
        if chosen.dry_run:
            return "nothing to evaluate: there is no run yet; 'mlx run-experiment NAME' makes one"
        raise SettingsError("expected an EXPERIMENT_ID: a run's folder, name/time, a name, or . for the DVC workspace")
    workspace, config = target
    require_whole(workspace)
    names = checkpoints(workspace)
    if chosen.dry_run:
        if chosen.checkpoint not in names:
            raise SettingsError(f"--checkpoint: expected one of {', '.join(names)}, found '{chosen.checkpoint}'")
        return (
            f"would evaluate {where(workspace.root)}, checkpoint {chosen.checkpoint} (of {', '.join(names)}), "
            f"on the {chosen.split} split with {json.dumps(config.evaluation.as_dict())}"
        )
    with at_root(), verified(workspace.root):
        check_metrics(workspace, chosen.metrics)
        metrics = rescore(
            workspace,
            evaluation=config.evaluation,
            representations=config.representations,
            split=chosen.split,
            checkpoint=chosen.checkpoint,
        )
    metrics = chosen_metrics(metrics, chosen.metrics)
    if chosen.json:
        return json.dumps(metrics, indent=2, ensure_ascii=False)
    return _table(metrics, config.evaluation.confidence)


def _target(chosen: argparse.Namespace) -> "tuple[Workspace, Any] | None":
    """Return the workspace to evaluate, as an absolute path, and its configuration; None without a run."""
    from mlx.commands.places import find_any_run, run_directory
    from mlx.config import read_config
    from mlx.core.checksums import CONFIG, verified
    from mlx.core.paths import Workspace
    from mlx.core.reading import verify
    from mlx.runs.history import find_runs
    from mlx.runs.run import SUMMARY

    identity = chosen.experiment_id
    given = chosen.run_dir
    if identity is None and given is not None and (given / SUMMARY).is_file():
        identity, given = str(given), None
    if identity is None:
        runs = list(find_runs(run_directory(given)))
        if not (chosen.dry_run and runs):
            return None
        identity = str(runs[-1].folder)
    if (Path(identity) / "params.yaml").is_file() and not (Path(identity) / SUMMARY).is_file():
        workspace = Workspace(Path(identity).resolve())
        return workspace, read_config(chosen.config or workspace.root / "params.yaml")
    run = find_any_run(identity, given)
    path = chosen.config or run.folder / CONFIG
    config = read_config(path)
    with verified(run.folder, config_only=True):
        verify(path)
    return run.workspace, config


def _table(metrics: dict[str, Any], level: float) -> str:
    from mlx.commands.tables import as_table
    from mlx.core.metrics import LEVELS

    rows = []
    for name, value in metrics.items():
        base = name.removesuffix("_status").removesuffix("_method")
        if name.endswith(("_low", "_high")) or name in LEVELS or (base != name and base in metrics):
            continue
        low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
        rows.append([name, value, metrics.get(f"{name}_status") if low is None else f"{low:.4g} to {high:.4g}"])
    return as_table(["metric", "value", f"{100 * level:g} % interval"], rows, more="--json")
