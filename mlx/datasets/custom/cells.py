"""What the cells of a column are: numbers, true or false, times, or text; learned block by block."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.custom.block_file import BlockFile
from mlx.datasets.custom.written_numbers import Seen

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["none", "integers", "numbers", "booleans", "times", "text", "other"]

GAP = np.iinfo(np.int64).min
"""A missing cell of integers and of times (microseconds since 1970)."""


@dataclass(frozen=True)
class RawColumn:
    """A column as it was read, whose cells lie in a `BlockFile`.

    Attributes
    ----------
    name, place
        Its heading, and its place in the file.
    kind
        What all its cells are; ``none`` where all are missing.
    n_integer_blocks
        How many leading blocks hold int64, with `GAP` where a cell is missing; the others hold float64, with NaN.
    texts, counts
        Of text: the different texts in the order of their first rows, and how often each occurs.
    declared
        Whether the file declares categories.
    whole
        Whether all numbers are written without a fraction and exponent.
    seen
        The decimal marks of numbers that were written as text.
    fault
        What was found, where it can't be used.
    """

    name: str
    place: int
    kind: Kind
    n_integer_blocks: int = 0
    texts: Sequence[str] = ()
    counts: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    declared: bool = False
    whole: bool = False
    seen: Seen = field(default_factory=Seen)
    fault: str = ""

    def numbers(self, cells: BlockFile) -> Array:
        """Return the column as float64 (n_rows,): numbers, 0 and 1, places in `texts`; NaN where it is missing."""
        if self.n_integer_blocks == 0:
            return cells.column(self.place, np.float64, np.nan)
        values = np.empty(sum(cells.rows))
        for block, first, stop in cells.spans():
            values[first:stop] = self.block(cells, block, stop - first)
        return values

    def present(self, cells: BlockFile) -> Array:
        """Return which rows (n_rows,) have a value."""
        known = np.empty(sum(cells.rows), bool)
        for block, first, stop in cells.spans():
            known[first:stop] = ~np.isnan(self.block(cells, block, stop - first))
        return known

    def block(self, cells: BlockFile, block: int, rows: int) -> Array:
        """Return a block (rows,) of `numbers`."""
        dtype = np.int64 if block < self.n_integer_blocks else np.float64
        found = cells.cells(self.place, block, dtype)
        return np.full(rows, np.nan) if found is None else as_floats(found)

    def integers(self, cells: BlockFile) -> Array:
        """Return a column of integers or times as int64 (n_rows,), with `GAP` where it is missing."""
        return cells.column(self.place, np.int64, GAP)


def as_floats(values: Array) -> Array:
    """Return int64 with `GAP` as float64 with NaN; anything else as it is."""
    if values.dtype != np.int64:
        return values
    gaps = values == GAP
    floats = values.astype(np.float64)
    if gaps.any():
        floats[gaps] = np.nan
    return floats


class Cells(Protocol):
    """Learns what a column is while its blocks are read."""

    def add(self, cells: "pa.Array") -> Array:
        """Return a block of cells as they are stored: (rows,) int64 or float64."""
        ...

    def column(self, name: str, place: int) -> RawColumn:
        """Return what the column is, all blocks seen."""
        ...


class Texts:
    """The different texts of a column, numbered in the order of their first rows."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self._codes: dict[str, int] = {}
        self._counts = np.zeros(0, np.int64)

    @property
    def too_many(self) -> bool:
        """Whether there are more than `most`, of which those beyond were not kept."""
        return self.most is not None and len(self._codes) > self.most

    def add(self, cells: "pa.Array") -> Array:
        """Return the number of each text as float64, NaN where it is missing."""
        import pyarrow as pa

        encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
        if self.too_many:
            return np.full(len(cells), np.nan)
        known = self._codes
        codes = np.array([known.setdefault(t, len(known)) for t in encoded.dictionary.to_pylist()], np.int64)
        places = encoded.indices.to_numpy(zero_copy_only=False)
        present = ~np.isnan(places) if places.dtype.kind == "f" else np.ones(len(places), bool)
        found = codes[places[present].astype(np.intp)]
        counts = np.bincount(found, minlength=len(known))
        counts[: len(self._counts)] += self._counts
        self._counts = counts
        values = np.full(len(cells), np.nan)
        values[present] = found
        return values

    def column(self, name: str, place: int, n_integer_blocks: int, *, declared: bool) -> RawColumn:
        """Return the column of text."""
        fault = f"more than {self.most:,} different texts" if self.too_many else ""
        return RawColumn(
            name, place, "text", n_integer_blocks, tuple(self._codes), self._counts, declared=declared, fault=fault
        )
