"""`mlx show-data`: draws samples of a dataset, and lists the columns of a table and those with a role."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlx.plots.columns import ColumnSummary

NAME = "show-data"
HELP = "draw samples of the configured dataset, by class, and list the columns of a table"

WIDTH = 80
"""Characters of a line where nothing says how many there are."""
MOST_LISTED = 20
"""Columns of one use that are listed without ``--all``."""
NAME_WIDTH = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--config", type=Path, default=Path("params.yaml"), help="JSON or YAML (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("samples.png"), help="PNG to write (default: %(default)s)")
    parser.add_argument("--all", action="store_true", help=f"list all columns, not {MOST_LISTED} of each use at most")


def run(chosen: argparse.Namespace) -> str:
    """Return the columns, if there are any, and the path of the picture."""
    from mlx.commands.places import at_root
    from mlx.config import BUILT_IN, resolve
    from mlx.core.console import answer_width
    from mlx.core.documents import read_document
    from mlx.core.errors import SettingsError
    from mlx.core.sections import with_source_line
    from mlx.runs.preview import preview_samples

    if chosen.output.suffix.lower() != ".png":
        raise SettingsError(f"--output: expected a file that ends in .png, found {chosen.output}")
    document, output = read_document(chosen.config), chosen.output.absolute()
    for key in ("name", "model"):  # which data can be looked at without
        if not document.has((key,)):
            document = document.with_value((key,), BUILT_IN.values[key], str(BUILT_IN.path))
    resolved = resolve(document, strict=True)
    with at_root():
        columns = with_source_line(resolved.document, lambda: preview_samples(resolved.config, output))
    most = len(columns) if chosen.all else MOST_LISTED
    listed = [*column_lines(columns, most=most, width=answer_width()), ""] if columns else []
    return "\n".join([*listed, str(chosen.output)])


def column_lines(
    columns: "Sequence[ColumnSummary]", *, most: int = MOST_LISTED, width: int | None = WIDTH
) -> "Iterator[str]":
    """Yield a table of at most `width` characters, with `most` columns of each use and what the others are.

    Without a width every row is one line, and names are whole.
    """
    from textwrap import wrap

    from mlx.plots.columns import HEAD, column_counts
    from mlx.plots.text import shorten

    cells = [
        (name if width is None else shorten(name, NAME_WIDTH), use.replace(", factor", " *"), kind, str(gaps), contents)
        for name, use, kind, gaps, contents in (one.cells() for one in columns)
    ]
    widths = [max(map(len, texts)) for texts in zip(HEAD, *cells, strict=True)][:-1]
    counts = f"{column_counts(columns)}{' (*)' * any(one.explains for one in columns)}"
    yield from wrap(counts, width or len(counts))
    yield _row(HEAD, widths, width)
    for use in dict.fromkeys(one.use for one in columns):
        places = [k for k, one in enumerate(columns) if one.use == use]
        for k in places[:most]:
            yield _row(cells[k], widths, width)
        if rest := [columns[k] for k in places[most:]]:
            yield f"  and {_rest(rest)}; --all lists them"


def _row(cells: Sequence[str], widths: Sequence[int], width: int | None) -> str:
    """Return a row whose last cell continues on further lines where it is long."""
    from textwrap import wrap

    name, use, kind, gaps, values = cells
    start = f"{name:{widths[0]}}  {use:{widths[1]}}  {kind:{widths[2]}}  {gaps:>{widths[3]}}  "
    lines = wrap(values, max(10, (width or len(start) + len(values)) - len(start)), break_on_hyphens=False) or [""]
    return start + f"\n{' ' * len(start)}".join(lines)


def _rest(columns: "Sequence[ColumnSummary]") -> str:
    """Return how many columns there are, by kind, and how many of them have gaps."""
    kinds = [one.kind for one in columns]
    by_kind = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    gaps = sum(one.gaps > 0 for one in columns)
    more = "column" if len(columns) == 1 else "columns"
    return f"{len(columns)} more {more} ({columns[0].use}): {by_kind}" + (f"; {gaps} with gaps" if gaps else "")
