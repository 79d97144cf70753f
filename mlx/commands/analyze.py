"""`mlx analyze`: evaluation, residuals analysis and report of arrays from any framework."""

import argparse
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.commands.chosen_workers import add_workers, opened

if TYPE_CHECKING:
    from mlx.core.descriptions import Split
    from mlx.core.documents import Document
    from mlx.received.files import RecordedPart

NAME = "analyze"
HELP = "analyze the predictions and representations of any model, recorded as arrays"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    _add_outputs(parser)
    _add_what_is_known(parser)
    _add_settings(parser)
    add_workers(parser)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    """Declare what a model computed."""
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
        help="(n, K), rows that sum to 1; or (n,), of the second of two classes (default: softmax of the logits)",
    )
    add("--labels", type=Path, metavar="FILE", help="(n,), integers from 0 or names; values of a regression")
    add("--logits", type=Path, metavar="FILE", help="(n, K): make entropies exact if probabilities are rounded")
    add(
        "--predictions",
        type=Path,
        metavar="FILE",
        help="(n,) (default: the class of the largest probability); a regression needs them",
    )
    add("--task", choices=("classification", "regression"), default="classification", help="(default: %(default)s)")
    add(
        "--last-layer",
        type=Path,
        metavar="FILE",
        help="a .npz file with weights (d, K) and bias (K,) that make the logits of the first layer",
    )
    for part in ("val", "train"):
        add(f"--{part}", type=Path, metavar="FOLDER", help=f"the same arrays of the {part} part: {PART}")


def _add_what_is_known(parser: argparse.ArgumentParser) -> None:
    """Declare what is known of the samples."""
    add = parser.add_argument
    add("--images", type=Path, metavar="FILE|FOLDER", help="(n, h, w) or (n, h, w, channels), or n image files")
    add("--texts", type=Path, metavar="FILE", help='lines of JSON, each {"text": "…"}, which the page shows')
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
    add(
        "--factors",
        metavar="A,B,…",
        help="metadata columns that may explain errors, separated by commas; all or none (default: all)",
    )
    add("--class-names", metavar="FILE|A,B,…", help="a file with a name in each line, or the names separated by commas")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Declare how it is analyzed, and where the result is written."""
    add = parser.add_argument
    add("--name", metavar="TEXT", help="title of the page (default: the name of the folder of the labels)")
    add("--output", type=Path, default=Path("analysis"), metavar="DIR", help="folder to write (default: %(default)s)")
    for flag, (of_what, _) in SHORT.items():
        add(flag, metavar="VALUE", help=of_what)
    add(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="assignments",
        help="a key of evaluation, residuals or report, such as residuals.matrix_size=50; may be repeated",
    )


PART = "probabilities.npy, y_true.npy, NAME.npy for each layer, and of val metadata.jsonl for --groups"

SHORT = {
    "--seed": ("seed of all resampling (default: 42)", ("evaluation.seed", "residuals.seed")),
    "--confidence": ("level of the intervals (default: 0.95)", ("evaluation.confidence", "residuals.confidence")),
    "--bins": ("confidence bins of the reliability tables (default: 10)", ("evaluation.n_bins",)),
    "--permutations": ("largest number of permutations of a test (default: 9999)", ("residuals.n_permutations",)),
}
"""Flags for keys that are often set: the help, and the keys."""


def run(chosen: argparse.Namespace) -> str:
    """Return the path of the report; print what was found on standard error."""
    from mlx.core.console import note

    folder = _folder(chosen, {flag: getattr(chosen, flag.strip("-")) for flag in FILE_FLAGS})
    note(f"analyzing the arrays in {chosen.labels.parent if folder is None else folder}")

    # Imported once a line tells that the command runs: they take a second or two.
    from mlx.core.sections import with_source_line
    from mlx.received.files import RecordedPart, beside_in, files_in
    from mlx.received.last_layer import given_last_layer
    from mlx.runs.analysis_settings import read_settings
    from mlx.runs.recorded_arrays import analyze

    about = {name: getattr(chosen, name) for name in ("metadata", "images", "texts")}
    about["class_names"] = _class_names(chosen.class_names)
    if folder is not None:
        parts, name = files_in(folder, **about), folder.resolve().name
    else:
        parts = {"test": RecordedPart(**_files(chosen), task=chosen.task, **about), **_other_parts(chosen)}
        name = chosen.labels.resolve().parent.name
    beside = beside_in(folder, given_last_layer(chosen.last_layer, "--last-layer"))
    document = _document(chosen)
    settings = read_settings(document)
    with opened(chosen, Path()) as workers:
        work = partial(
            analyze, parts, chosen.output, workers, name=chosen.name or name, settings=settings, beside=beside
        )
        page = str(with_source_line(document, work))
    _note_results(chosen.output)
    return page


def _note_results(folder: Path) -> None:
    from mlx.commands.tables import result_lines
    from mlx.core.console import note
    from mlx.core.metrics import read_metrics
    from mlx.core.paths import Workspace

    files = (Workspace(folder).metrics / f"{step}.json" for step in ("residuals", "evaluation"))
    for line in result_lines(
        {name: value for file in files for name, value in read_metrics(file).items()}, str(folder)
    ):
        note(line)


def _document(chosen: argparse.Namespace) -> "Document":
    """Return the keys that flags set."""
    from mlx.config import assigned
    from mlx.core.documents import parse_value
    from mlx.runs.analysis_settings import empty_document

    document = empty_document("mlx analyze")
    for assignment in chosen.assignments:
        document = assigned(document, assignment)
    for flag, (_, keys) in SHORT.items():
        if (text := getattr(chosen, flag.strip("-"))) is not None:
            for key in keys:
                document = document.with_value(tuple(key.split(".")), parse_value(text, flag), flag)
    for section in ("evaluation", "residuals"):
        if chosen.groups is not None:
            document = document.with_value((section, "groups"), chosen.groups, "--groups")
    if chosen.factors is not None:
        document = document.with_value(("residuals", "factors"), _factors(chosen.factors), "--factors")
    return document


def _factors(text: str) -> str | list[str]:
    return text if text in ("all", "none") else [name.strip() for name in text.split(",")]


def _files(chosen: argparse.Namespace) -> dict[str, Any]:
    names = ("probabilities", "labels", "logits", "predictions")
    return {"representations": _layers(chosen.representations)} | {name: getattr(chosen, name) for name in names}


def _other_parts(chosen: argparse.Namespace) -> "dict[Split, RecordedPart]":
    """Return the parts beside that of the flags for files."""
    from mlx.received.files import part_in

    layers = list(_layers(chosen.representations))
    named: dict[Split, Path | None] = {"val": chosen.val, "train": chosen.train}
    return {
        split: part_in(place, layers, task=chosen.task, class_names=())
        for split, place in named.items()
        if place is not None
    }


REQUIRED = ("--representations", "--labels")
FILE_FLAGS = (*REQUIRED, "--probabilities", "--logits", "--predictions", "--val", "--train")


def _folder(chosen: argparse.Namespace, given: dict[str, Any]) -> Path | None:
    """Return the folder of recorded arrays; None where the flags name files, all that are needed."""
    from mlx.core.errors import SettingsError

    folder: Path | None = chosen.folder
    named = [flag for flag, value in given.items() if value is not None]
    if folder is None and named == ["--representations"] and Path(given["--representations"][0]).is_dir():
        folder, named = Path(given["--representations"][0]), []
    if folder is not None and named:
        raise SettingsError(f"{named[0]}: expected either a folder of recorded arrays or flags for files, found both")
    wanted = [*REQUIRED, "--predictions" if chosen.task == "regression" else "--probabilities or --logits"]
    missing = [flags for flags in wanted if not {*flags.split(" or ")} & {*named}]
    if folder is None and missing:
        raise SettingsError(f"expected a folder of recorded arrays, or {', '.join(wanted)}, found no {missing[0]}")
    return folder


def _layers(given: list[str]) -> dict[str, Path]:
    """Parse ``NAME=FILE``, or a file whose stem is the name; ``representations.npy`` names no layer: `UNNAMED`."""
    from mlx.core.errors import SettingsError

    layers: dict[str, Path] = {}
    for argument in given:
        name, equals, path = argument.partition("=")
        if not equals or Path(argument).exists():
            name, path = Path(argument).stem, argument
            name = UNNAMED if name.lower() == "representations" else name
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
            raise SettingsError(
                f"--representations: expected NAME=FILE with a name of letters, digits, '_', '-' and "
                f"'.', found '{argument}'"
            )
        if name in layers:
            raise SettingsError(f"--representations: expected different names, found '{name}' twice; give NAME=FILE")
        layers[name] = Path(path)
    return layers


UNNAMED = "representation"
"""What `mlx.analyze` calls an array without a name."""


def _class_names(given: str | None) -> tuple[str, ...]:
    """Read the names, in a file or with commas between."""
    from mlx.received import read_class_names

    return read_class_names(given, "--class-names")
