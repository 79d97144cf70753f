"""`mlx analyze`: evaluation, residuals analysis and report of arrays from any framework."""

import argparse
import re
from pathlib import Path
from typing import Any

from mlx.commands.chosen_workers import add_workers, opened

NAME = "analyze"
HELP = "analyze the predictions and representations of any model, recorded as arrays"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    add = parser.add_argument
    add(
        "folder",
        nargs="?",
        type=Path,
        metavar="FOLDER",
        help="recorded arrays in FOLDER/test, and in val and train if recorded; in place of the flags for files",
    )
    add(
        "--representations",
        action="append",
        metavar="[NAME=]FILE",
        help="(n, d) numbers, or sparse rows in .npz; may be repeated, the headline's layer first",
    )
    add(
        "--probabilities",
        type=Path,
        metavar="FILE",
        help="(n, K), rows that sum to 1; or (n,), of the second of two classes",
    )
    add("--labels", type=Path, metavar="FILE", help="(n,), integers from 0 or names")
    add("--logits", type=Path, metavar="FILE", help="(n, K): make entropies exact if probabilities are rounded")
    add("--predictions", type=Path, metavar="FILE", help="(n,) (default: the class of the largest probability)")
    add(
        "--metadata",
        type=Path,
        metavar="FILE",
        help="a table with a row per sample: what may explain its errors",
    )
    add(
        "--groups",
        metavar="NAME",
        help="which samples belong together: a metadata column, or duplicates; intervals and p-values go by group",
    )
    add("--class-names", metavar="FILE|A,B,…", help="a file with a name in each line, or the names separated by commas")
    add("--output", type=Path, default=Path("analysis"), metavar="DIR", help="folder to write (default: %(default)s)")
    add("--seed", type=int, default=42, help="of all resampling (default: %(default)s)")
    add_workers(parser)


def run(chosen: argparse.Namespace) -> str:
    """Return the path of the report."""
    from mlx.runs.recorded_arrays import analyze
    from mlx.runs.recorded_files import RecordedFiles, files_in

    given = {flag: getattr(chosen, flag.strip("-")) for flag in FILE_FLAGS}
    about = {"metadata": chosen.metadata, "class_names": _class_names(chosen.class_names)}
    folder = _folder(chosen.folder, given)
    if folder is not None:
        parts, name = files_in(folder, **about), folder.resolve().name
    else:
        parts, name = {"test": RecordedFiles(**_files(chosen), **about)}, chosen.labels.stem
    with opened(chosen, Path()) as workers:
        return str(analyze(parts, chosen.output, workers, name=name, seed=chosen.seed, groups=chosen.groups))


def _files(chosen: argparse.Namespace) -> dict[str, Any]:
    names = ("probabilities", "labels", "logits", "predictions")
    return {"representations": _layers(chosen.representations)} | {name: getattr(chosen, name) for name in names}


REQUIRED = ("--representations", "--probabilities", "--labels")
FILE_FLAGS = (*REQUIRED, "--logits", "--predictions")


def _folder(folder: Path | None, given: dict[str, Any]) -> Path | None:
    """Return the folder of recorded arrays; None where the flags name files, all that are needed."""
    from mlx.core.errors import SettingsError

    named = [flag for flag, value in given.items() if value is not None]
    if folder is None and named == ["--representations"] and Path(given["--representations"][0]).is_dir():
        return Path(given["--representations"][0])
    if folder is not None and named:
        raise SettingsError(f"{named[0]}: expected either a folder of recorded arrays or flags for files, found both")
    missing = [flag for flag in REQUIRED if flag not in named]
    if folder is None and missing:
        raise SettingsError(f"expected a folder of recorded arrays, or {', '.join(REQUIRED)}, found no {missing[0]}")
    return folder


def _layers(given: list[str]) -> dict[str, Path]:
    """Parse ``NAME=FILE``, or a file whose stem is the name."""
    from mlx.core.errors import SettingsError

    layers: dict[str, Path] = {}
    for argument in given:
        name, equals, path = argument.partition("=")
        if not equals or Path(argument).exists():
            name, path = Path(argument).stem, argument
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
            raise SettingsError(
                f"--representations: expected NAME=FILE with a name of letters, digits, '_', '-' and "
                f"'.', found '{argument}'"
            )
        if name in layers:
            raise SettingsError(f"--representations: expected different names, found '{name}' twice; give NAME=FILE")
        layers[name] = Path(path)
    return layers


def _class_names(given: str | None) -> tuple[str, ...]:
    """Read the names, in a file or with commas between."""
    from mlx.runs.received import read_class_names

    return read_class_names(given, "--class-names")
