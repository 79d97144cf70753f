"""Columns of a table as features: how the cells in the file become the numbers of ``X.npy``."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array
from mlx.core.column_descriptions import ColumnDescription, Kind
from mlx.datasets.custom.cells import RawColumn
from mlx.datasets.custom.table_files import Table

Convert = Callable[[Array], Array]
"""From cells as `RawColumn.numbers` returns them, (rows,), to numbers, NaN where a value is missing."""


@dataclass(frozen=True)
class Column:
    """One column as a feature.

    Attributes
    ----------
    raw
        As it was read.
    kind
        See `mlx.core.column_descriptions.ColumnDescription`, which documents the numbers that stand for its values.
    convert
        Makes these numbers of cells.
    categories
        The different texts of a categorical column, sorted.
    reason
        Why it can't be a feature; empty if it can.
    """

    raw: RawColumn
    kind: Kind
    convert: Convert
    categories: tuple[str, ...] = ()
    reason: str = ""

    @property
    def name(self) -> str:
        """Its heading."""
        return self.raw.name

    def description(self, gaps: int) -> ColumnDescription:
        """Return it in words, with how many samples lack a value."""
        return ColumnDescription(
            name=self.name,
            kind=self.kind,
            use="left out" if self.reason else "feature",
            categories=list(self.categories),
            gaps=gaps,
            reason=self.reason,
        )


def finite(values: Array) -> Array:
    """Return numbers with NaN for infinite ones."""
    infinite = np.isinf(values)
    return np.where(infinite, np.nan, values) if infinite.any() else values


def looked_up(numbers: Sequence[float]) -> Convert:
    """Return what converts the places of texts to the numbers that stand for them."""
    of_place = np.append(np.asarray(numbers, np.float64), np.nan)
    last = len(of_place) - 1
    return lambda places: of_place[np.where(np.isnan(places), last, places).astype(np.intp)]


@dataclass(frozen=True)
class ColumnRows:
    """The features of a table, read from its cells block by block.

    Attributes
    ----------
    known
        Which of the table's rows are samples, shape (n_rows,).
    """

    table: Table
    columns: Sequence[Column]
    known: Array

    def __str__(self) -> str:
        return str(self.table.path)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the features: (samples, features)."""
        return int(self.known.sum()), len(self.columns)

    @property
    def dtype(self) -> np.dtype[np.float64]:
        """Of the features."""
        return np.dtype(np.float64)

    def chunks(self) -> Iterator[Array]:
        """Yield the samples (rows, features) in order, a block at a time."""
        cells = self.table.cells
        for block, first, stop in cells.spans():
            kept = self.known[first:stop]
            rows = slice(None) if kept.all() else kept
            values = np.empty((int(kept.sum()), len(self.columns)))
            for place, column in enumerate(self.columns):
                values[:, place] = column.convert(column.raw.block(cells, block, stop - first))[rows]
            yield values

    def whole(self) -> Array:
        """Return the features, read into memory."""
        return np.concatenate([*self.chunks()])
