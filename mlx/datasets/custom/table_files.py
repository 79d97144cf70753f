"""Tables in files, in any format: CSV, Parquet, Feather, JSON; and their columns as numbers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.core.settings import nearest
from mlx.datasets.custom.block_file import BlockFile
from mlx.datasets.custom.cells import GAP, RawColumn
from mlx.datasets.custom.formats import Opening, open_source
from mlx.datasets.custom.gathering import Wanted, gather
from mlx.datasets.custom.headers import without_index
from mlx.datasets.custom.written_cells import MISSING
from mlx.datasets.custom.written_numbers import TRUTH
from mlx.datasets.dataset import IN_MEMORY_LIMIT

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    path
        Its file.
    columns
        By name.
    cells
        The file that holds their cells.
    verbatim
        Columns whose texts are as they are written, as "None" and "NA" may be names; None for all.
    left_out
        A line on each column that was left out.
    separator
        Between the cells of a CSV; None for others.
    typed
        Whether the file declares the types of its columns.
    n_first
        How many rows are those of the first file, where a second one was appended; else 0.
    """

    path: Path
    columns: Mapping[str, RawColumn]
    cells: BlockFile
    verbatim: frozenset[str] | None = frozenset()
    left_out: tuple[str, ...] = ()
    separator: str | None = None
    typed: bool = False
    n_first: int = 0

    @property
    def n_rows(self) -> int:
        """How many rows it has."""
        return sum(self.cells.rows)

    def texts(self, name: str) -> dict[str, int]:
        """Return how often each text occurs in a column, without those that mean a missing value."""
        column = self.columns[name]
        words = self._missing_words(column)
        counted = zip(column.texts, column.counts.tolist(), strict=True)
        return {text: count for text, count in counted if count and text not in words}

    def first_of(self, name: str, texts: Collection[str]) -> tuple[str, str]:
        """Return the row of the first of `texts` in a column, in words, and the text, cut short."""
        column = self.columns[name]
        places = column.numbers(self.cells)
        at = int(np.argmax(np.isin(places, [place for place, text in enumerate(column.texts) if text in texts])))
        return row_name(at + 1), column.texts[int(places[at])][:40]

    def _missing_words(self, column: RawColumn) -> Collection[str]:
        verbatim = self.typed or self.verbatim is None or column.name in self.verbatim
        return () if verbatim else MISSING

    def series(self, name: str, *, ignored: bool = False) -> "pd.Series[Any]":
        """Return a column in memory.

        Parameters
        ----------
        ignored
            Take what it holds other than numbers, booleans, times or text for missing.

        Raises
        ------
        DataError
            It holds something other than numbers, booleans, times or text, or too many different texts.
        """
        import pandas as pd

        if fault := self.columns[name].fault:
            if ignored:
                return pd.Series(np.full(self.n_rows, None, dtype=object), name=name)
            raise DataError(f"{self.path}: column '{name}': expected numbers or text, found {fault}; leave it out")
        return pd.Series(self._values(self.columns[name]), name=name)

    def _values(self, column: RawColumn) -> Any:
        import pandas as pd

        if column.kind == "none":
            return np.full(self.n_rows, None, dtype=object)
        if column.kind == "times":
            return column.integers(self.cells).view("datetime64[us]")
        if column.kind == "integers":
            values = column.integers(self.cells)
            return pd.arrays.IntegerArray(values, gaps) if (gaps := values == GAP).any() else values
        values = column.numbers(self.cells)
        if column.kind == "text":
            return self._texts(column, values)
        if column.kind == "booleans":
            gaps = np.isnan(values)
            return pd.arrays.BooleanArray(values == 1, gaps) if gaps.any() else values == 1
        return values

    def _texts(self, column: RawColumn, places: Array) -> Any:
        import pandas as pd
        import pyarrow as pa

        gaps = np.isnan(places)
        codes = np.where(gaps, -1, places).astype(np.int32)
        if column.declared:
            return pd.Categorical.from_codes(codes, pd.Index(list(column.texts)))
        words = self._missing_words(column)
        texts = pa.array([None if text in words else text for text in column.texts], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=gaps), texts).cast(pa.string()).to_pandas()

    def frame(self, ignored: Collection[str] = ()) -> "pd.DataFrame":
        """Return all columns in memory, those that are `ignored` as in `series`.

        Raises
        ------
        DataError
            They take too much, or as `series`.
        """
        import pandas as pd

        if 8 * self.n_rows * len(self.columns) > IN_MEMORY_LIMIT:
            raise DataError(
                f"{self.path}: expected a table of at most {IN_MEMORY_LIMIT / 1e9:.0f} GB in memory, found "
                f"{self.n_rows:,} rows of {len(self.columns):,} columns"
            )
        columns = {name: _truth(self, name, ignored=name in ignored) for name in self.columns}
        return pd.DataFrame(columns, columns=pd.Index([*columns]))


def _truth(table: Table, name: str, *, ignored: bool) -> "pd.Series[Any]":
    """Return a column in memory, of truth values where a CSV has nothing but these in words."""
    values, texts = table.series(name, ignored=ignored), table.texts(name)
    if table.typed or not texts or not texts.keys() <= TRUTH.keys():
        return values
    gaps = values.isna().any()
    return values.map(lambda text: TRUTH[text] == 1, na_action="ignore").astype("boolean" if gaps else bool)


def read_table(
    path: Path,
    wanted: Wanted,
    *,
    names: Collection[str] = (),
    words: bool = False,
    separator: str | None = None,
    added: Path | None = None,
) -> Table:
    """Read a table without the index of a data frame, in blocks: its cells lie on disk where they are many.

    Parameters
    ----------
    wanted
        How its columns are read.
    names
        Columns that the settings ask for: these stay even where they are an index, and only these and those of
        `wanted` have to be in `added`.
    words
        Leave all texts as they are written: categories may be called "None" and "NA".
    separator
        Of a CSV; inferred where it is None.
    added
        A second file with the same columns, whose rows follow those of `path`.

    Raises
    ------
    DataError
        If it is not there, has another suffix, is damaged or empty, or two columns have one name.
    SettingsError
        If several characters may separate its cells.
    """
    opening = Opening(frozenset({*wanted.accepts, *names}), frozenset(wanted.accepts), separator)
    opened = [open_source(file, opening) for file in (path, added) if file is not None]
    found = gather([source for source, _ in opened], wanted, opening.requested if names else None)
    if not found.columns or not sum(found.cells.rows):
        raise DataError(f"{path}: expected at least one row below the header, found none")
    source = opened[0][0]
    table = Table(
        path,
        {f"{column.place}": column for column in found.columns},
        found.cells,
        None if words else frozenset(wanted.accepts),
        separator=source.separator,
        typed=all(each.typed for each, _ in opened),
        n_first=found.n_first if added is not None else 0,
    )
    kept, index = without_index(table, opening.requested)
    lines = [line for _, said in opened for line in said]
    return replace(table, columns={column.name: column for column in kept}, left_out=(*lines, *index))


def column_of(columns: Collection[str], name: str, path: Path, setting: str) -> str:
    """Return `name`, which the parameter `setting` says, where it is one of the columns.

    Raises
    ------
    DataError
        If the column is missing: the message lists the columns and suggests the nearest.
    """
    if name not in columns:
        names = list(columns)
        listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        raise DataError(
            f"{path}: expected a column '{name}', as dataset.params.{setting} says, found columns {listed}"
            f"{nearest(name, names)}"
            f"{'; dataset.params.separator states what divides the cells' if len(names) == 1 else ''}"
        )
    return name


def row_name(row: int) -> str:
    """Return the name of a row for messages, counted from 1."""
    return f"row {row} below the header"
