"""One column of numbers as what the analysis takes: scores of two classes, or rows of one number."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.runs.received.rows import Rows


@dataclass(frozen=True)
class TwoClasses:
    """Scores (n, 2) of two classes, of which the second was given.

    Attributes
    ----------
    second : (n,) or (n, 1).
    logits : whether they are logits, of which the first is 0, or probabilities.
    """

    second: Rows
    logits: bool

    def __str__(self) -> str:
        return str(self.second)

    @property
    def shape(self) -> tuple[int, ...]:
        """Two columns."""
        return (self.second.shape[0], 2)

    @property
    def dtype(self) -> np.dtype[Any]:
        """In which one less a probability is exact."""
        return np.dtype(np.float64)

    def chunks(self) -> Iterator[Array]:
        """Yield the rows; refuse the first one that is no probability."""
        first = 0
        for block in self.second.chunks():
            second = block.reshape(-1).astype(np.float64)
            bad = np.flatnonzero(~((second >= 0) & (second <= 1)))
            if bad.size and not self.logits:
                row = int(bad[0])
                raise DataError(f"{self}: row {first + row}: expected a probability from 0 to 1, found {second[row]}")
            yield np.stack([np.zeros_like(second) if self.logits else 1 - second, second], axis=1)
            first += len(second)

    def whole(self) -> Array:
        """Return all rows."""
        return np.concatenate(list(self.chunks()))


@dataclass(frozen=True)
class OneColumn:
    """Rows of one number each, as (n, 1)."""

    values: Rows

    def __str__(self) -> str:
        return str(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        """One column."""
        return (self.values.shape[0], 1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""
        return self.values.dtype

    def chunks(self) -> Iterator[Array]:
        """Yield the rows in order."""
        for block in self.values.chunks():
            yield block.reshape(-1, 1)

    def whole(self) -> Array:
        """Return all rows."""
        return self.values.whole().reshape(-1, 1)
