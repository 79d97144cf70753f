"""The formats of tables, by the ending of the file: each opened as a source of blocks of cells."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mlx.core.errors import ArtifactError, DataError
from mlx.core.paths import what_is
from mlx.core.reading import reading
from mlx.datasets.custom.arrow_files import arrow_blocks, arrow_schema, index_lines
from mlx.datasets.custom.csv_files import csv_blocks, csv_layout
from mlx.datasets.custom.gathering import Blocks, Source
from mlx.datasets.custom.headers import as_requested
from mlx.datasets.custom.json_files import json_blocks

CSV_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
JSON_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
TYPED_SUFFIXES = (*JSON_SUFFIXES, ".parquet", ".feather", ".arrow")
TABLE_SUFFIXES = (*CSV_SUFFIXES, *TYPED_SUFFIXES)

_NAMES = {".csv": "CSV", ".tsv": "TSV", ".json": "JSON", ".jsonl": "JSON lines", ".ndjson": "JSON lines",
          ".parquet": "Parquet", ".feather": "Feather", ".arrow": "Feather"}  # fmt: skip


def suffix_of(path: Path) -> str:
    """Return the ending of a file that says how it is written, with that below ``.gz``: ``.csv.gz``."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return "".join(suffixes[-2:]) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


@dataclass(frozen=True)
class Opening:
    """What is known before a table is read.

    Attributes
    ----------
    requested
        Names that the settings ask for.
    targets
        Those that tell the right separator.
    separator
        Of a CSV; None where it is inferred.
    """

    requested: frozenset[str]
    targets: frozenset[str]
    separator: str | None = None


def open_source(path: Path, opening: Opening) -> tuple[Source, list[str]]:
    """Open a table, and return it and a line on each column that is left out.

    Raises
    ------
    DataError
        If it is not there, has another suffix, is damaged, or two columns have one name.
    SettingsError
        If several characters may separate its cells.
    """
    suffix = suffix_of(path)
    if not path.is_file():
        raise DataError(f"{path.absolute()}: expected a table, found {what_is(path)}")
    if suffix not in TABLE_SUFFIXES:
        raise DataError(f"{path}: expected a file ending in {', '.join(TABLE_SUFFIXES)}, found '{path.suffix}'")
    expected = f"a {_NAMES[suffix.removesuffix('.gz')]} table"
    with _reading(path, expected):
        source, lines = _open(path, suffix, opening)
    blocks = source.blocks

    def guarded(block_bytes: int) -> Blocks:
        with _reading(path, expected):
            yield from blocks(block_bytes)

    return replace(source, blocks=guarded), lines


@contextmanager
def _reading(path: Path, expected: str) -> Iterator[None]:
    """Turn whatever a damaged file raises into one message."""
    try:
        with reading(path, expected, remedy=""):
            yield
    except ArtifactError as error:
        raise DataError(str(error)) from None


def _open(path: Path, suffix: str, opening: Opening) -> tuple[Source, list[str]]:
    if suffix in CSV_SUFFIXES:
        return _open_csv(path, opening), []
    if suffix in JSON_SUFFIXES:
        return Source(path, lambda _: _json(path, opening), typed=True), []
    names, index = arrow_schema(path)
    named = as_requested(names, opening.requested)
    left_out = [name for name in index if name not in opening.requested]
    kept = [place for place, name in enumerate(names) if name not in left_out]
    shown = [named[place] for place in kept]

    def blocks(_: int) -> Blocks:
        return ((shown, cells) for cells in arrow_blocks(path, [names[place] for place in kept] if left_out else None))

    return Source(path, blocks, typed=True, n_columns=len(kept)), index_lines(path, left_out)


def _open_csv(path: Path, opening: Opening) -> Source:
    layout = csv_layout(path, targets=opening.targets, separator=opening.separator)
    names = as_requested(layout.names, opening.requested)

    def blocks(block_bytes: int) -> Blocks:
        return ((names, cells) for cells in csv_blocks(layout, block_bytes))

    return Source(path, blocks, typed=False, n_columns=len(names), separator=layout.separator)


def _json(path: Path, opening: Opening) -> Blocks:
    for names, cells in json_blocks(path):
        yield as_requested(names, opening.requested), cells
