"""Tables in CSV, Parquet and JSON files, and their columns as numbers."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlx.core.errors import DataError
from mlx.core.settings import nearest
from mlx.datasets.dataset import IN_MEMORY_LIMIT, Array, Factors, refuse_oversized

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 1000
"""A text column with more different values holds names or sentences, and is no feature."""

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "NULL", "null", "None")
MISSING_TARGETS = ("", "NaN", "nan")  # a class may well be named "None" or "NA"

TABLE_SUFFIXES = (".csv", ".parquet", ".json")


@dataclass(frozen=True)
class Column:
    """One column as numbers.

    Attributes
    ----------
    name
        Its heading.
    numbers
        float64 of shape (rows,), NaN where missing; for a column of text the number of the category.
    categories
        The different texts, sorted; None for a column of numbers.
    """

    name: str
    numbers: Array
    categories: tuple[str, ...] | None


def read_table(path: Path, *, targets: Sequence[str] = ()) -> "pd.DataFrame":
    """Read a table from a ``.csv``, ``.parquet`` or ``.json`` file.

    Empty cells of a CSV and what is commonly written for them (`MISSING`) are missing; in the columns
    `targets` only those in `MISSING_TARGETS`, so that a class can be called "None".

    Raises
    ------
    DataError
        If it is not there, has another suffix, is damaged, empty, or too large.
    """
    import pandas as pd

    if not path.is_file():
        raise DataError(f"{path}: expected a table, found {'a folder' if path.is_dir() else 'nothing there'}")
    if path.stat().st_size > IN_MEMORY_LIMIT:
        size = path.stat().st_size / 1e9
        raise DataError(
            f"{path}: expected a table of at most {IN_MEMORY_LIMIT / 1e9:.0f} GB, found {size:.1f} GB; save "
            "features and targets as X.npy and y.npy, which are read in blocks"
        )
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DataError(f"{path}: expected a file ending in {', '.join(TABLE_SUFFIXES)}, found '{path.suffix}'")
    try:
        if suffix == ".parquet":
            table = _read_parquet(path)
        elif suffix == ".json":
            table = _read_json(path)
        else:
            table = _read_csv(path, targets)
    except (
        ValueError,
        OSError,
        OverflowError,
    ) as error:  # pandas' and pyarrow's parsing errors are ValueErrors
        raise DataError(f"{path}: expected a {suffix[1:].upper()} table, found a damaged file ({error})") from None
    if not len(table) or not len(table.columns):
        raise DataError(f"{path}: expected at least one row below the header, found none")
    table.columns = pd.Index([str(name) for name in table.columns])
    return table


def _read_parquet(path: Path) -> "pd.DataFrame":
    """Read a Parquet file, unless its footer says that it unpacks to more than is built in memory."""
    import pandas as pd
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        rows, columns = file.metadata.num_rows, file.metadata.num_columns
    if rows * columns * 8 > IN_MEMORY_LIMIT:
        raise DataError(
            f"{path}: expected a table of at most {IN_MEMORY_LIMIT / 1e9:.0f} GB once it is unpacked, found "
            f"{rows:,} rows of {columns:,} columns, which take {rows * columns * 8 / 1e9:.1f} GB"
        )
    return pd.read_parquet(path, engine="pyarrow").reset_index(drop=True)


def _read_json(path: Path) -> "pd.DataFrame":
    import pandas as pd

    content = json.loads(path.read_text(encoding="utf-8"))
    rows = isinstance(content, list) and all(isinstance(row, dict) for row in content)
    if not rows and not isinstance(content, dict):
        raise ValueError("neither a list of rows nor columns by name")
    return pd.DataFrame(content)


def _read_csv(path: Path, targets: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    names = pd.read_csv(path, nrows=0).columns
    words = {name: list(MISSING_TARGETS if name in targets else MISSING) for name in names}
    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            return pd.read_csv(path, index_col=False, keep_default_na=False, na_values=words, low_memory=False)
    except pd.errors.ParserWarning:  # which it would cut off
        raise ValueError(f"its rows have more cells than its header, which has {len(names)}") from None


def column_of(table: "pd.DataFrame", name: str, path: Path, setting: str) -> "pd.Series[Any]":
    """Return the column that the parameter `setting` names.

    Raises
    ------
    DataError
        If there is none: the message lists the columns and suggests the nearest.
    """
    names = list(table.columns)
    if name not in names:
        listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        raise DataError(
            f"{path}: expected a column '{name}', as dataset.params.{setting} says, found columns {listed}"
            f"{nearest(name, names)}"
        )
    if names.count(name) > 1:
        raise DataError(f"{path}: expected one column '{name}', found {names.count(name)}")
    return table[name]


def to_column(series: "pd.Series[Any]", path: Path) -> Column:
    """Return a column of a table as numbers.

    Raises
    ------
    DataError
        If it holds something other than numbers, booleans or text; numbers with a few other words between
        them, which one would not want to become categories; or too many different texts.
    """
    import pandas as pd

    name = str(series.name)
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_complex_dtype(series):  # and boolean
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return Column(name, np.where(np.isfinite(values), values, np.nan), None)
    present = series[series.notna()]
    if isinstance(series.dtype, pd.CategoricalDtype):
        present = present.astype(series.dtype.categories.dtype).astype(str)
    if not present.map(lambda value: isinstance(value, str)).all():
        raise DataError(f"{path}: expected numbers or text in column '{name}', found {series.dtype}")
    _refuse_spoilt_numbers(present, name, path)
    categories = tuple(sorted(set(present)))
    if len(categories) > MOST_CATEGORIES:
        raise DataError(
            f"{path}: expected at most {MOST_CATEGORIES} different texts in column '{name}', found "
            f"{len(categories)}; leave it out with dataset.params.features"
        )
    values = np.full(len(series), np.nan)
    code = {category: k for k, category in enumerate(categories)}
    values[series.notna().to_numpy()] = [code[value] for value in present]
    return Column(name, values, categories)


def _refuse_spoilt_numbers(present: "pd.Series[Any]", name: str, path: Path) -> None:
    import pandas as pd

    numeric = pd.to_numeric(present, errors="coerce").notna().to_numpy()
    if 0.5 <= numeric.mean() < 1:
        at = int(np.argmin(numeric))
        row, word = int(present.index[at]) + 1, str(present.iloc[at])[:40]
        raise DataError(f"{path}: expected numbers in column '{name}', found {word!r} in {row_name(row)}")


def row_name(row: int) -> str:
    """Say which row is meant, from 1."""
    return f"row {row} below the header"


def encode(columns: Sequence[Column], how: Literal["onehot", "ordinal"], path: Path) -> tuple[Array, list[str]]:
    """Return the features as float64 of shape (rows, features), and the name of each.

    ``onehot`` makes a column of text into one column of 0 and 1 a category, named ``column=category``;
    ``ordinal`` into one, of the category's number in sorted order.
    """
    n_features = sum(len(c.categories) if c.categories and how == "onehot" else 1 for c in columns)
    refuse_oversized(str(path), len(columns[0].numbers), n_features)
    parts, names = [], []
    for column in columns:
        if column.categories is None or how == "ordinal":
            parts.append(column.numbers[:, np.newaxis])
            names.append(column.name)
        else:
            parts.append((column.numbers[:, np.newaxis] == np.arange(len(column.categories))).astype(np.float64))
            names += [f"{column.name}={category}" for category in column.categories]
    return np.concatenate(parts, axis=1), names


def read_metadata(path: Path, n_samples: int, files: Sequence[str] | None = None) -> Factors:
    """Read a table with one row a sample, in their order, as factors: numbers, booleans or text.

    Parameters
    ----------
    files
        The samples' files, for a folder of images: the table's column ``file`` says which row is
        whose, in any order, as nobody can be expected to know in which order a folder is read.

    Raises
    ------
    DataError
        If it has another number of rows, or a value is missing.
    """
    table = read_table(path)
    if files is not None:
        table = _in_order_of(table, files, path)
    if len(table) != n_samples:
        raise DataError(f"{path}: expected {n_samples} rows, one a sample, found {len(table)}")
    return {name: _factor(table[name], path) for name in table.columns}


def _in_order_of(table: "pd.DataFrame", files: Sequence[str], path: Path) -> "pd.DataFrame":
    table = table.set_index(column_of(table, "file", path, "metadata").astype(str)).drop(columns="file")
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise DataError(f"{path}: expected one row a file, found several for {twice}")
    absent = [file for file in files if file not in table.index]
    if absent:
        raise DataError(f"{path}: expected a row for each image, found none for {len(absent)}, such as {absent[0]}")
    return table.loc[list(files)].reset_index(drop=True)


def _factor(series: "pd.Series[Any]", path: Path) -> Array:
    column = to_column(series, path)
    if np.isnan(column.numbers).any():
        row = int(np.argmax(np.isnan(column.numbers))) + 1
        raise DataError(
            f"{path}: expected a value in each row of column '{column.name}', found none in {row_name(row)}"
        )
    if column.categories is not None:
        texts: Array = np.array(column.categories)[column.numbers.astype(np.int64)]
        return texts
    return series.to_numpy()
