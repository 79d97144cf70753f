"""The `mlx` command."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mlx import __version__


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that `arguments` (by default the command line's) name; exit 1 on any error."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help(sys.stderr)
        sys.exit(1)
    from mlx.core.errors import MlxError

    try:
        _run_experiment(chosen.config, dry_run=chosen.dry_run)
    except MlxError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # argparse exits with 2; every error here is 1
        self.exit(1, f"{self.prog}: {message}; see '{self.prog} --help'\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="mlx", description="How, where and why does a trained model fail, and does its geometry tell?"
    )
    parser.add_argument("--version", action="version", version=f"mlx {__version__}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    run = commands.add_parser("run-experiment", help="run every step of an experiment in one process")
    run.add_argument("--config", type=Path, default=Path("params.yaml"), help="JSON or YAML (default: %(default)s)")
    run.add_argument("--dry-run", action="store_true", help="check the configuration, show it whole, write nothing")
    return parser


def _run_experiment(path: Path, *, dry_run: bool) -> None:
    import json

    from mlx.config import read_config

    config = read_config(path)
    if dry_run:
        print(json.dumps(config.as_dict(), indent=2, ensure_ascii=False))  # noqa: T201  # what was asked for
        return
    from mlx.experiment import run_experiment

    print(run_experiment(config))  # noqa: T201  # the one line that scripts read: where the run is
