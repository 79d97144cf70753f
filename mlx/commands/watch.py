"""`mlx watch`: lets `dvc repro` run again when files of the data or the model change."""

import argparse
from pathlib import Path

NAME = "watch"
HELP = "make your files of data and model dependencies in dvc.yaml, so that 'dvc repro' reruns when they change"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--remove", action="store_true", help="remove what was added to dvc.yaml")


def run(chosen: argparse.Namespace) -> str:
    """Return what is watched."""
    from mlx.commands.places import at_root
    from mlx.config import resolve
    from mlx.core.documents import read_document
    from mlx.core.sections import with_source_line
    from mlx.runs.watch import unwatch, watch

    with at_root():
        if chosen.remove:
            removed = unwatch()
            return f"dvc.yaml: {_listed(removed, 'no longer depends')}" if removed else "nothing was watched"
        resolved = resolve(read_document(Path("params.yaml")), strict=True)
        paths = with_source_line(resolved.document, lambda: watch(resolved.config))
    return f"dvc.yaml: {_listed(paths, 'depends')}; 'mlx watch' again after a change of these paths in params.yaml"


def _listed(paths: dict[str, list[str]], what: str) -> str:
    return "; ".join(f"{stage} {what} on {', '.join(named)}" for stage, named in paths.items())
