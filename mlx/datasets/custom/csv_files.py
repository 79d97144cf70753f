"""Tables in CSV files: their separator and encoding, and their cells as text, block by block."""

import csv
import io
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.core.errors import DataError, SettingsError
from mlx.datasets.custom.headers import as_requested, reject_equal_names
from mlx.datasets.custom.text_files import (
    bytes_at_fault,
    encoding_of,
    is_packed,
    not_utf8,
    open_bytes,
    open_text,
    zero_byte,
)
from mlx.datasets.custom.written_cells import MISSING_TARGETS

if TYPE_CHECKING:
    import pyarrow as pa

SEPARATORS = (",", ";", "\t", "|")
RARE_SEPARATORS = ("^", "~", "\x1f", "\x01", ":", " ", "&", "#", "@")
"""Taken where none of the `SEPARATORS` divides the cells, and one of these divides all rows evenly."""

SAMPLE_CHARACTERS, SAMPLE_ROWS = 1 << 18, 200
LONGEST_HEADER = 1 << 26
BLOCK_BYTES, BLOCK_BYTES_A_COLUMN, LARGEST_BLOCK = 2 << 20, 2 << 10, 1 << 28
"""Of text that is parsed at once: at least, for each column, and at most, where one row is longer."""


class RowTooLongError(DataError):
    """A row is longer than a block; it has to be read again in larger blocks."""


@dataclass(frozen=True)
class Layout:
    """How a CSV is written.

    Attributes
    ----------
    skipped
        Lines before the header.
    names
        Of the columns.
    """

    path: Path
    encoding: str
    separator: str
    skipped: int
    names: list[str]


def csv_layout(path: Path, *, targets: Collection[str] = (), separator: str | None = None) -> Layout:
    """Infer the layout of a CSV in UTF-8, or in UTF-16 with its mark, whose first row names the columns.

    Its cells are divided by `separator`, by tabs in a ``.tsv``, else by what is inferred.

    Raises
    ------
    DataError, SettingsError
        If two columns have one name, several separators are possible, it is empty, or is in another encoding.
    """
    encoding = encoding_of(path)
    try:
        sample = _sample(path, encoding)
    except UnicodeDecodeError as error:
        raise not_utf8(path, error.object[error.start : error.start + 4]) from None
    declared = _SEPARATOR_LINE.match(sample)  # a first line that Excel writes and reads
    tabs = "\t" if ".tsv" in path.suffixes[-2:] else None
    mark = separator or (declared["mark"] if declared else tabs or _separator(path, sample, targets))
    skipped = 1 if declared else len(sample[: len(sample) - len(sample.lstrip("\r\n"))].splitlines())
    rows = _first_rows("".join(sample.splitlines(keepends=True)[skipped:]), mark)
    if not rows:
        raise DataError(f"{path}: expected a header and rows of cells, found an empty file")
    if len(rows) == 1 and len(sample) < SAMPLE_CHARACTERS:
        raise DataError(f"{path}: expected at least one row below the header, found none")
    names = rows[0]
    reject_equal_names(names, path)
    return Layout(path, encoding, mark, skipped, names)


def csv_blocks(layout: Layout, block_bytes: int) -> "Iterator[list[pa.Array]]":
    """Yield the cells of a CSV, an array of text for each column; empty cells and NaN are missing.

    Raises
    ------
    DataError
        A row has another number of cells than the header, or it is in another encoding.
    RowTooLongError
        A row is longer than `block_bytes`.
    ValueError, OSError
        It is damaged.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    uneven: list[Any] = []

    def on_uneven(row: Any) -> str:
        if not row.text.strip():
            return "skip"
        uneven.append(row)
        return "error"

    with open_bytes(layout.path) as file:
        try:
            for batch in arrow.open_csv(
                pa.PythonFile(file, "r") if is_packed(layout.path) else str(layout.path),
                **_options(layout, block_bytes),
                parse_options=arrow.ParseOptions(
                    delimiter=layout.separator, newlines_in_values=True, invalid_row_handler=on_uneven
                ),
            ):
                if any(map(_has_zero_byte, batch.columns)):
                    raise zero_byte(layout.path)
                yield batch.columns
        except pa.ArrowInvalid as error:
            if "straddl" in str(error):
                raise RowTooLongError from None
            if uneven:
                raise _uneven(layout, uneven[0]) from None
            if "UTF8" in str(error):
                raise not_utf8(layout.path, bytes_at_fault(layout.path)) from None
            raise


def _options(layout: Layout, block_bytes: int) -> dict[str, Any]:
    """Return how Arrow reads and converts: as text, under the numbers of the columns."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    names = [str(place) for place in range(len(layout.names))]
    return {
        "read_options": arrow.ReadOptions(
            block_size=block_bytes,
            column_names=names,
            skip_rows=layout.skipped,
            skip_rows_after_names=1,
            encoding=layout.encoding.removesuffix("-sig"),
        ),
        "convert_options": arrow.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=list(MISSING_TARGETS),
            strings_can_be_null=True,
        ),
    }


def _uneven(layout: Layout, row: Any) -> DataError:
    n = len(layout.names)
    text = row.text if len(row.text) <= 60 else f"{row.text[:60]}…"
    return DataError(
        f"{layout.path}: expected {n} cells divided by {layout.separator!r} in each row, as in the header, found "
        f"{row.actual_columns}{_line_of(layout, row.text)}: {text!r}"
    )


def _line_of(layout: Layout, text: str) -> str:
    """Return in words the line of the first row that begins with `text`."""
    first = text.splitlines()[0]
    with open_text(layout.path, layout.encoding) as file:
        found = next((number for number, line in enumerate(file, 1) if line.rstrip("\r\n") == first), None)
    return "" if found is None else f" in line {found}"


def _has_zero_byte(cells: "pa.Array") -> bool:
    _, offsets, texts = cells.buffers()
    if texts is None:
        return False
    end = int.from_bytes(offsets.slice(4 * (cells.offset + len(cells)), 4).to_pybytes(), sys.byteorder)
    return b"\0" in texts.slice(0, end).to_pybytes()


_SEPARATOR_LINE = re.compile(r"sep=(?P<mark>.)\r?\n")


def _sample(path: Path, encoding: str) -> str:
    """Return the beginning of the file as text, with the whole header."""
    with open_text(path, encoding) as file:
        sample = file.read(SAMPLE_CHARACTERS)
        while len(sample.splitlines()) < 2 and len(sample) < LONGEST_HEADER and (more := file.read(SAMPLE_CHARACTERS)):
            sample += more
    if "\0" in sample:  # which the reader would leave out without a word
        raise zero_byte(path)
    return sample


def _separator(path: Path, sample: str, targets: Collection[str]) -> str:
    """Return what divides the first rows into as many cells as the header; the comma where nothing does.

    Where several do, it is the one that finds the targets' columns.
    """
    tables = {mark: _first_rows(sample, mark) for mark in SEPARATORS}
    tables = {mark: rows for mark, rows in tables.items() if rows and len(rows[0]) > 1}
    even = {mark: rows for mark, rows in tables.items() if all(len(row) == len(rows[0]) for row in rows)}
    possible = even or tables
    if len(possible) > 1 and targets:
        found = {mark: rows for mark, rows in possible.items() if set(targets) <= set(as_requested(rows[0], targets))}
        possible = found or possible
    if len(possible) > 1 and not even:
        return next(iter(possible))
    if len(possible) > 1:
        listed = " and ".join(map(repr, possible))
        raise SettingsError(
            f"expected the character between the cells of {path}, as {listed} are possible, found none",
            key=("dataset", "params", "separator"),
        )
    return next(iter(possible), None) or _rare_separator(sample)


def _rare_separator(sample: str) -> str:
    """Return the rare character that divides each row into as many cells as the header; the comma where none does."""
    for mark in RARE_SEPARATORS:
        rows = _first_rows(sample, mark)
        if len(rows) > 1 and len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows):
            return mark
    return ","


def _first_rows(sample: str, separator: str) -> list[list[str]]:
    whole = len(sample) < SAMPLE_CHARACTERS
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator):
            if row:
                rows.append(row)
            if len(rows) > SAMPLE_ROWS:
                break
    except csv.Error:  # a cell beyond its limit, or a misplaced line break
        whole = True
    return rows if whole or len(rows) < 2 else rows[:-1]
