"""Arrays in tables: CSV with or without a header, and files with types."""

import csv
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.array_types import Array
from mlx.core.console import note
from mlx.core.errors import DataError
from mlx.core.reading import reading
from mlx.datasets.custom.csv_files import SEPARATORS
from mlx.datasets.custom.formats import CSV_SUFFIXES, suffix_of
from mlx.datasets.custom.gathering import Wanted
from mlx.datasets.custom.headers import reject_equal_names
from mlx.datasets.custom.table_files import read_table
from mlx.datasets.custom.text_files import encoding_of, open_text
from mlx.datasets.dataset import IN_MEMORY_LIMIT

LONGEST_LINE = 1 << 24

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?|-?\d\.\d+e[+-]\d\d")
"""A label that is a number: as people write it, or as ``numpy.savetxt``. ``007`` and ``1E5`` are names."""

MISSING = ("", "NaN", "nan")
"""What an empty cell of numbers is written as; a class may be called "None" or "NA"."""


def read_array_table(path: Path, *, n: int | None = None, labels: bool = False) -> tuple[Array, tuple[str, ...]]:
    """Read a table as (n, columns) numbers, or (n,) for one column, and the names of its columns.

    Labels may be text, and keep their form. Without a header the columns are named 0, 1, 2 and so on. Where semicolons
    divide the cells, a comma may divide off the fraction.

    The first line of a CSV file is a header unless all of its cells are numbers. It is one all the same where they are
    0, 1, 2 and so on, as pandas numbers columns that have no names, unless `n` says that it is a row; and a line of
    text is a row where `n` says so. A first column without a name that counts the rows is pandas' index, and left out.

    Raises
    ------
    DataError
        It is damaged, or a cell is no number.
    """
    table = _read_csv(path, n, labels=labels) if suffix_of(path) in CSV_SUFFIXES else _read_typed(path)
    table = _without_index(table, path)
    if labels and len(table.columns) > 1:
        names = ", ".join(map(str, table.columns[:5]))
        raise DataError(f"{path}: expected one column, the labels, found {len(table.columns)}: {names}")
    columns = [_column(table.iloc[:, place], path, text=labels) for place in range(len(table.columns))]
    return (columns[0] if len(columns) == 1 else np.stack(columns, axis=1)), tuple(map(str, table.columns))


def _read_typed(path: Path) -> pd.DataFrame:
    return read_table(path, Wanted({}, most_texts=None)).frame()


def _read_csv(path: Path, n: int | None, *, labels: bool) -> pd.DataFrame:
    if path.stat().st_size > IN_MEMORY_LIMIT:
        raise DataError(f"{path}: expected at most {IN_MEMORY_LIMIT / 1e9:.0f} GB, found more; save it as .npy")
    encoding = encoding_of(path)
    with reading(path, "a CSV table", remedy=""):
        try:
            first, rows = _cells(path, encoding, n, labels=labels)
        except pd.errors.ParserWarning:
            raise DataError(f"{path}: expected as many cells in each row as in the first, found more") from None
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: expected text in UTF-8, found another encoding ({error.reason})") from None
    if not len(rows):
        raise DataError(f"{path}: expected at least one row, found none")
    rows.columns = pd.Index(first)
    return rows


def _cells(path: Path, encoding: str, n: int | None, *, labels: bool) -> tuple[list[str], pd.DataFrame]:
    """Return the names of the columns, or their numbers where there is no header, and the rows."""
    with open_text(path, encoding) as file:
        line, second = file.readline(LONGEST_LINE), file.readline(LONGEST_LINE)
    separator = _separator(line)
    first = next(csv.reader([line], delimiter=separator), [])
    if not first:
        raise DataError(f"{path}: expected rows of cells, found an empty first line")
    options: dict[str, Any] = {"header": None, "index_col": False, "keep_default_na": False, "low_memory": False}
    options["decimal"] = decimal = "," if separator == ";" and "," in line + second and not labels else "."
    options |= {"na_values": list(MISSING), "encoding": encoding, "sep": separator, "dtype": str if labels else None}
    with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
        rows: pd.DataFrame = pd.read_csv(path, skiprows=1, names=range(len(first)), **options)
        if not _is_header([cell.replace(decimal, ".") for cell in first], len(rows), n):
            rows = pd.read_csv(path, **options)
            first = [str(place) for place in range(len(first))]
    reject_equal_names(first, path)
    return first, rows


def _separator(line: str) -> str:
    """Return what divides the cells of a line; semicolons where numbers with decimal commas are between them."""
    if ";" in line and all(_number(cell.replace(",", ".")) is not None for cell in line.split(";")):
        return ";"
    return next((mark for mark in SEPARATORS if mark in line), ",")


def _is_header(first: list[str], rows_below: int, n: int | None) -> bool:
    numbers = [_number(cell) for cell in first]
    if None not in numbers:
        counted = [cell.strip() for cell in first] == [str(place) for place in range(len(first))]
        return counted and (rows_below == n if n is not None else len(first) > 1)
    return not (n is not None and rows_below == n - 1 and len(first) == 1)


def one_line(error: Exception) -> str:
    """Return the first line of what a library says."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _without_index(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    first = table.columns[0]
    nameless = first in {"", "Unnamed: 0", "__index_level_0__"}
    if len(table.columns) > 1 and nameless and table.iloc[:, 0].astype(str).tolist() == [*map(str, range(len(table)))]:
        note(f"{path}: the first column has no name and counts the rows, so it is left out")
        kept: pd.DataFrame = table.iloc[:, 1:]
        return kept
    return table


def _column(series: "pd.Series[float]", path: Path, *, text: bool) -> Array:
    if series.isna().any():
        row = int(np.argmax(series.isna().to_numpy()))
        raise DataError(f"{path}: row {row}: expected a value in column '{series.name}', found none")
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_complex_dtype(series):
        values: Array = series.to_numpy()
        return values if values.dtype.kind in "biuf" else np.asarray(values.tolist())
    if not text:
        row = int(np.argmax(pd.to_numeric(series, errors="coerce").isna().to_numpy()))
        raise DataError(f"{path}: row {row}: expected a number in column '{series.name}', found {series.iloc[row]!r}")
    if not series.map(lambda value: isinstance(value, str | bytes | bool)).all():
        raise DataError(f"{path}: expected numbers or text in column '{series.name}', found {series.dtype}")
    values = np.array(series.tolist())
    if values.dtype.kind == "U" and series.map(lambda value: NUMBER.fullmatch(value) is not None).all():
        return values.astype(np.float64)
    return values
