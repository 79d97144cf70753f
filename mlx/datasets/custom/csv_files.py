"""Tables in CSV files: which separator and encoding they have, and their cells as numbers or text."""

import codecs
import csv
import io
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlx.core.errors import DataError, SettingsError
from mlx.datasets.custom.headers import as_requested, reject_equal_names

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "NULL", "null", "None")
MISSING_TARGETS = ("", "NaN", "nan")  # a class may well be named "None" or "NA"

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_CHARACTERS, SAMPLE_ROWS = 1 << 18, 200
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
"""The first bytes of a text file, and its encoding; UTF-32 first, whose mark starts like that of UTF-16."""


def read_csv(
    path: Path, *, targets: Collection[str] = (), separator: str | None = None, as_text: bool | None = False
) -> "tuple[pd.DataFrame, str]":
    """Return a CSV file in UTF-8, or in UTF-16 with its mark, whose first row names the columns; and its separator.

    Empty cells and what is commonly written for them (`MISSING`) are missing. The cells of `targets` stay
    text, so that ``001`` and ``1`` are two classes, and only those in `MISSING_TARGETS` are missing, so that
    a class can be called "None".

    Parameters
    ----------
    separator
        Between the cells; inferred where it is None.
    as_text
        Leave all cells text; where it is None, those that semicolons divide.

    Raises
    ------
    DataError, SettingsError
        If two columns have one name, several separators are possible, or it is in another encoding.
    ValueError
        If it is no table.
    """
    import pandas as pd

    try:
        layout = _layout(path, targets, separator)
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            table = _cells(path, layout, targets, layout.separator == ";" if as_text is None else as_text)
    except pd.errors.ParserWarning:  # which it would cut off
        n = len(layout.names)
        raise ValueError(f"its rows have more cells than its header, which has {n}") from None
    except UnicodeDecodeError as error:
        found = f"other bytes ({error.object[error.start : error.start + 4]!r})"
        raise DataError(f"{path}: expected text in UTF-8, found {found}; save it as UTF-8") from None
    return table, layout.separator


@dataclass(frozen=True)
class _Layout:
    """How a file is written.

    Before the header are `skipped` lines; `names` are the names of the columns, as they are asked for.
    """

    encoding: str
    separator: str
    skipped: int
    names: list[str]


def _layout(path: Path, targets: Collection[str], separator: str | None) -> _Layout:
    """Infer the layout of `path`; reject columns of equal names, which pandas would rename."""
    import pandas as pd

    encoding = encoding_of(path)
    sample = _sample(path, encoding)
    declared = _SEPARATOR_LINE.match(sample)  # a first line that Excel writes and reads
    mark = separator or (declared["mark"] if declared else _separator(path, sample, targets))
    skipped = 1 if declared else 0
    head = pd.read_csv(
        path, header=None, nrows=1, dtype=str, keep_default_na=False, sep=mark, encoding=encoding, skiprows=skipped
    )
    names = [str(name) for name in head.iloc[0]]
    reject_equal_names(names, path)
    return _Layout(encoding, mark, skipped, as_requested(names, targets))


def _cells(path: Path, layout: _Layout, targets: Collection[str], as_text: bool) -> "pd.DataFrame":
    import pandas as pd

    names = layout.names
    places = list(range(len(names)))
    words = {k: list(MISSING_TARGETS if names[k] in targets else MISSING) for k in places}
    table = pd.read_csv(
        path,
        header=0,
        names=places,
        index_col=False,
        keep_default_na=False,
        na_values=words,  # type: ignore[arg-type]  # by place, as the columns are called here
        dtype={k: str for k in places if as_text or names[k] in targets},
        low_memory=False,
        sep=layout.separator,
        encoding=layout.encoding,
        skiprows=layout.skipped,
    )
    table.columns = pd.Index(names)
    return table


def encoding_of(path: Path) -> str:
    """Return the encoding of a text file by its byte order mark; UTF-8 without one."""
    with path.open("rb") as file:
        start = file.read(4)
    return next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), "utf-8")


_SEPARATOR_LINE = re.compile(r"sep=(?P<mark>.)\r?\n")


def _sample(path: Path, encoding: str) -> str:
    """Return the beginning of the file as text."""
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(SAMPLE_CHARACTERS)
    if "\0" in sample:  # which the reader would leave out without a word
        raise DataError(f"{path}: expected text in UTF-8, found a zero byte; save it as UTF-8")
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
    return next(iter(possible), ",")


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
