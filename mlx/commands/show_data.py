"""`mlx show-data`: draws samples of a dataset, and lists its columns with a role and its own parts."""

import argparse
from pathlib import Path

NAME = "show-data"
HELP = "draw samples of the configured dataset, by class"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--config", type=Path, default=Path("params.yaml"), help="JSON or YAML (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("samples.png"), help="PNG to write (default: %(default)s)")


def run(chosen: argparse.Namespace) -> str:
    """Return the path of the picture."""
    from mlx.commands.places import at_root
    from mlx.config import resolve
    from mlx.core.documents import read_document
    from mlx.core.errors import SettingsError
    from mlx.core.sections import with_source_line
    from mlx.runs.preview import preview_samples

    if chosen.output.suffix.lower() != ".png":
        raise SettingsError(f"--output: expected a file that ends in .png, found {chosen.output}")
    resolved, output = resolve(read_document(chosen.config), strict=True), chosen.output.absolute()
    with at_root():
        with_source_line(resolved.document, lambda: preview_samples(resolved.config, output))
    return str(chosen.output)
