"""Arrays in memory or in a file that are read from the first row to the last."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import rows_of

CHUNK_BYTES = 1 << 20


class Rows(Protocol):
    """An array whose values are read when they are needed; its text names its source."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the array."""
        ...

    def chunks(self) -> Iterator[Array]:
        """Yield the rows in order, about a megabyte at a time."""
        ...

    def whole(self) -> Array:
        """Return the array, read into memory."""
        ...


@dataclass(frozen=True)
class MemoryRows:
    """An array in memory.

    Attributes
    ----------
    values
        (n, …).
    where
        Its source, for messages.
    columns
        Names of the columns of a table.
    """

    values: Array
    where: str = ""
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.where

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the array."""
        return self.values.dtype

    def chunks(self) -> Iterator[Array]:
        """Yield the rows in order, about a megabyte at a time."""
        rows = rows_of(math.prod(self.shape[1:]) * self.dtype.itemsize, CHUNK_BYTES)
        for first in range(0, len(self.values), rows):
            yield self.values[first : first + rows]

    def whole(self) -> Array:
        """Return the array."""
        return self.values


@dataclass(frozen=True)
class JoinedRows:
    """The rows of two arrays of a kind, those of the first first; each keeps the width of its numbers."""

    first: Rows
    second: Rows

    def __str__(self) -> str:
        return f"{self.first} and {self.second}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of both together."""
        return (self.first.shape[0] + self.second.shape[0], *self.first.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The narrowest that holds the numbers of both."""
        return np.promote_types(self.first.dtype, self.second.dtype)

    def chunks(self) -> Iterator[Array]:
        """Yield the rows in order, about a megabyte at a time."""
        yield from self.first.chunks()
        yield from self.second.chunks()

    def whole(self) -> Array:
        """Return the array, read into memory."""
        return np.concatenate([self.first.whole(), self.second.whole()])
