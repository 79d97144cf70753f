"""The `mlx` command."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mlx import __version__


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that `arguments` (by default the command line's) name; exit 1 on any error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a character still gets the rest
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help(sys.stderr)
        sys.exit(1)
    from mlx.core.console import answer
    from mlx.core.errors import MlxError

    try:
        answer(chosen.command(chosen))
    except MlxError as error:
        sys.exit(str(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # whoever read the answer has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        sys.exit(f"{error.filename}: {error.strerror}")
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
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    parser.set_defaults(command=None)
    config = _Parser(add_help=False)
    config.add_argument("--config", type=Path, default=Path("params.yaml"), help="JSON or YAML (default: %(default)s)")

    run = commands.add_parser("run-experiment", parents=[config], help="run every step of an experiment in one process")
    run.add_argument("--dry-run", action="store_true", help="check the configuration, show it whole, write nothing")
    run.set_defaults(command=_run_experiment)

    show = commands.add_parser("show-data", parents=[config], help="draw samples of the configured dataset, by class")
    show.add_argument("--output", type=Path, default=Path("samples.png"), help="PNG to write (default: %(default)s)")
    show.set_defaults(command=_show_data)
    return parser


def _run_experiment(chosen: argparse.Namespace) -> str:
    """Return where the run is, or the whole configuration in a dry run."""
    import json

    from mlx.config import read_config

    config = read_config(chosen.config)
    if chosen.dry_run:
        return json.dumps(config.as_dict(), indent=2, ensure_ascii=False)
    from mlx.experiment import run_experiment

    return str(run_experiment(config))


def _show_data(chosen: argparse.Namespace) -> str:
    """Return where the picture is."""
    from mlx.config import read_config
    from mlx.experiment import draw_samples

    return str(draw_samples(read_config(chosen.config), chosen.output))
