"""Columns of a table on disk: eight bytes a cell, in blocks of rows, in a temporary file that vanishes when closed."""

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Array
from mlx.core.errors import DataError

HELD_BYTES = 32 << 20
"""A smaller table stays in memory."""

SPARE_BYTES = 256 << 20
CELL = 8


@dataclass(frozen=True)
class _Block:
    """Where a block begins in the file, and how many rows and columns it has."""

    start: int
    rows: int
    columns: int


def reject_full_disk(written: int, cells: int) -> None:
    """Reject a table whose next `cells` don't fit beside the bytes that were `written`.

    Raises
    ------
    DataError
        Names the folder for temporary files.
    """
    needed = cells * CELL
    if written + needed <= HELD_BYTES:
        return
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise DataError(
            f"{folder}: expected room for the columns of the table, {(written + needed) / 1e9:.1f} GB or more, found "
            f"{free / 1e9:.1f} GB beside {written / 1e9:.1f} GB of them; free some, or set TMPDIR to a folder "
            "on another disk"
        )


class BlockFile:
    """Columns whose blocks of rows are appended, and read back a column or a block at a time.

    A later block may have further columns; earlier blocks lack these.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=HELD_BYTES)  # noqa: SIM115  # closed with the object
        weakref.finalize(self, self._file.close)
        self._blocks: list[_Block] = []
        self._size = 0

    @property
    def rows(self) -> list[int]:
        """How many rows each block has."""
        return [block.rows for block in self._blocks]

    def append(self, columns: Sequence[Array]) -> None:
        """Write a block: for each column an array (rows,) of eight-byte cells.

        Raises
        ------
        DataError
            The disk has no room for it.
        """
        rows = len(columns[0])
        reject_full_disk(self._size, rows * len(columns))
        for values in columns:
            assert values.nbytes == rows * CELL, (values.dtype, len(values), rows)
            self._file.write(np.ascontiguousarray(values).data)
        self._blocks.append(_Block(self._size, rows, len(columns)))
        self._size += rows * len(columns) * CELL

    def cells(self, column: int, block: int, dtype: npt.DTypeLike) -> Array | None:
        """Return the cells (rows,) of a column in a block; None where the block lacks the column."""
        place = self._blocks[block]
        if column >= place.columns:
            return None
        self._file.seek(place.start + column * place.rows * CELL)
        return np.frombuffer(self._file.read(place.rows * CELL), dtype)

    def column(self, column: int, dtype: npt.DTypeLike, absent: float) -> Array:
        """Return a whole column (n_rows,), with `absent` in blocks that lack it."""
        values = np.empty(sum(self.rows), dtype)
        first = 0
        for number, rows in enumerate(self.rows):
            found = self.cells(column, number, dtype)
            values[first : first + rows] = absent if found is None else found
            first += rows
        return values

    def block(self, block: int) -> Array:
        """Return the cells of a block as float64 (columns, rows)."""
        place = self._blocks[block]
        self._file.seek(place.start)
        found = np.frombuffer(self._file.read(place.columns * place.rows * CELL), np.float64)
        return found.reshape(place.columns, place.rows)

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """Yield each block's number, first row and row after the last."""
        first = 0
        for number, rows in enumerate(self.rows):
            yield number, first, first + rows
            first += rows
