"""`mlx show-data`: draws samples of a dataset."""

import argparse
from pathlib import Path

NAME = "show-data"
HELP = "draw samples of the configured dataset, by class"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--config", type=Path, default=Path("params.yaml"), help="JSON or YAML (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("samples.png"), help="PNG to write (default: %(default)s)")


def run(chosen: argparse.Namespace) -> str:
    """Return where the picture is."""
    from mlx.commands.places import at_root
    from mlx.config import read_config
    from mlx.preview import draw_samples

    config, output = read_config(chosen.config), chosen.output.absolute()
    with at_root():
        draw_samples(config, output)
    return str(chosen.output)
