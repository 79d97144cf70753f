"""`mlx run-experiment`: runs every step of an experiment in one process."""

import argparse
from pathlib import Path

NAME = "run-experiment"
HELP = "run every step of an experiment in one process"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--config", type=Path, default=Path("params.yaml"), help="JSON or YAML (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="check the configuration, show it whole, write nothing")


def run(chosen: argparse.Namespace) -> str:
    """Return where the run is, or the whole configuration in a dry run."""
    import json

    from mlx.config import read_config

    config = read_config(chosen.config)
    if chosen.dry_run:
        return json.dumps(config.as_dict(), indent=2, ensure_ascii=False)
    from mlx.experiment import run_experiment

    return str(run_experiment(config))
