"""Tables in CSV, Parquet and JSON files, and their columns as numbers."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.descriptions import ColumnDescription, Kind
from mlx.core.errors import ArtifactError, DataError
from mlx.core.paths import what_is
from mlx.core.reading import reading
from mlx.core.settings import nearest
from mlx.datasets.custom.csv_files import read_csv
from mlx.datasets.custom.headers import as_requested, reject_equal_names, without_index
from mlx.datasets.custom.parquet_files import read_parquet
from mlx.datasets.dataset import IN_MEMORY_LIMIT

if TYPE_CHECKING:
    import pandas as pd

TABLE_SUFFIXES = (".csv", ".parquet", ".json")


@dataclass(frozen=True)
class Column:
    """One column as numbers.

    Attributes
    ----------
    name
        Its heading.
    kind
        See `mlx.core.descriptions.ColumnDescription`, where the numbers that stand for its values are documented.
    numbers
        float64 of shape (rows,), NaN where missing.
    categories
        The different texts of a categorical column, sorted.
    reason
        Why it can't be a feature; empty if it can.
    """

    name: str
    kind: Kind
    numbers: Array
    categories: tuple[str, ...] = ()
    reason: str = ""

    def description(self, rows: Array) -> ColumnDescription:
        """Return it in words, with the gaps among `rows`."""
        return ColumnDescription(
            name=self.name,
            kind=self.kind,
            use="left out" if self.reason else "feature",
            categories=list(self.categories),
            gaps=int(np.isnan(self.numbers[rows]).sum()),
            reason=self.reason,
        )


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    frame
        Its columns, each with a name of its own.
    left_out
        A line on each column that was left out.
    separator
        Between the cells of a CSV; None for others.
    n_first
        How many rows are those of the first file, where a second one was appended; else 0.
    """

    frame: "pd.DataFrame"
    left_out: tuple[str, ...] = ()
    separator: str | None = None
    n_first: int = 0


def read_table(
    path: Path,
    *,
    targets: Collection[str] = (),
    wanted: Collection[str] = (),
    separator: str | None = None,
    as_text: bool | None = False,
) -> Table:
    """Read a table from a ``.csv``, ``.parquet`` or ``.json`` file, without the index of a data frame.

    Parameters
    ----------
    targets, separator, as_text
        Of a CSV: see `mlx.datasets.custom.csv_files.read_csv`.
    wanted
        Names of columns that the settings ask for: these stay even where they are an index.

    Raises
    ------
    DataError
        If it is not there, has another suffix, is damaged, empty, or too large, or two columns have one name.
    SettingsError
        If several characters may separate its cells.
    """
    requested = {*targets, *wanted}
    suffix = _checked_suffix(path)
    left_out: list[str] = []
    try:
        with reading(path, f"a {suffix[1:].upper()} table", remedy=""):
            if suffix == ".parquet":
                frame, left_out = read_parquet(path, requested)
            elif suffix == ".json":
                frame = _read_json(path)
            else:
                frame, separator = read_csv(path, targets=targets, separator=separator, as_text=as_text)
    except ArtifactError as error:
        raise DataError(str(error)) from None
    frame, index = _named(frame, path, requested)
    return Table(frame, (*left_out, *index), separator)


def _named(frame: "pd.DataFrame", path: Path, requested: Collection[str]) -> "tuple[pd.DataFrame, list[str]]":
    """Return the table with the names that the settings use, without an index; and a line on what was left out."""
    import pandas as pd

    if not len(frame) or not len(frame.columns):
        raise DataError(f"{path}: expected at least one row below the header, found none")
    frame.columns = pd.Index(as_requested([str(name) for name in frame.columns], requested))
    return without_index(frame, path, requested)


def _checked_suffix(path: Path) -> str:
    """Return the suffix of the file, if it is a table that can be read."""
    if not path.is_file():
        raise DataError(f"{path.absolute()}: expected a table, found {what_is(path)}")
    if path.stat().st_size > IN_MEMORY_LIMIT:
        size = path.stat().st_size / 1e9
        raise DataError(
            f"{path}: expected a table of at most {IN_MEMORY_LIMIT / 1e9:.0f} GB, found {size:.1f} GB; save "
            "features and targets as X.npy and y.npy, which are read in blocks"
        )
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DataError(f"{path}: expected a file ending in {', '.join(TABLE_SUFFIXES)}, found '{path.suffix}'")
    return suffix


def _read_json(path: Path) -> "pd.DataFrame":
    import pandas as pd

    def rejecting_equal_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        reject_equal_names([name for name, _ in pairs], path)
        return dict(pairs)

    content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=rejecting_equal_names)
    rows = isinstance(content, list) and all(isinstance(row, dict) for row in content)
    if not rows and not isinstance(content, dict):
        raise ValueError("neither a list of rows nor columns by name")
    table = pd.DataFrame(content)
    reject_equal_names([str(name) for name in table.columns], path)
    return table


def differ_in_text(first: Table, second: Table) -> bool:
    """Whether a column is text in one of the tables and numbers in the other."""
    import pandas as pd

    def text(table: Table) -> set[str]:
        return {str(name) for name in table.frame if isinstance(table.frame[name].dtype, pd.StringDtype)}

    return text(first) != text(second)


def appended(first: Table, second: Table, path: Path, added: Path) -> Table:
    """Return `first`, read from `path`, with the rows of `second`, read from `added`, after its own.

    Raises
    ------
    DataError
        The second lacks a column of the first, or has another one.
    """
    import pandas as pd

    names, others = list(first.frame.columns), list(second.frame.columns)
    for name in names:
        if name not in others:
            found = ", ".join(others[:20])
            raise DataError(
                f"{added}: expected the columns of {path}, found no '{name}' among {found}{nearest(name, others)}"
            )
    if unknown := [name for name in others if name not in names]:
        raise DataError(f"{added}: expected the columns of {path}, found '{unknown[0]}' beside them")
    frame = pd.concat([first.frame, second.frame[names]], ignore_index=True)
    return Table(frame, (*first.left_out, *second.left_out), first.separator, len(first.frame))


def column_of(table: "pd.DataFrame", name: str, path: Path, setting: str) -> "pd.Series[Any]":
    """Return the column that the parameter `setting` names.

    Raises
    ------
    DataError
        If there is none: the message lists the columns and suggests the nearest.
    """
    if name not in table.columns:
        names = list(table.columns)
        listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        raise DataError(
            f"{path}: expected a column '{name}', as dataset.params.{setting} says, found columns {listed}"
            f"{nearest(name, names)}"
            f"{'; dataset.params.separator states what divides the cells' if len(names) == 1 else ''}"
        )
    return table[name]


def row_name(row: int) -> str:
    """Return the name of a row for messages, counted from 1."""
    return f"row {row} below the header"
