"""Batches of a data split, read without keeping the whole split in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import RowsOfFile, release_pages, rows_of

LARGE = 256 << 20  # bytes of a memory-mapped array that may stay resident


@dataclass(frozen=True)
class Samples:
    """A data split: ``X`` (n, *sample_shape), which may be memory-mapped, and ``y`` (n,)."""

    X: Array
    y: Array

    def batches(self, size: int, order: Array | None = None) -> Iterator[tuple[Array, Array]]:
        """Yield batches of `size` rows (the last may be smaller), in the given `order` or in sequence."""
        if order is None:
            yield from self._in_sequence(size)
            return
        large = self.X.nbytes > LARGE and RowsOfFile.supports(self.X)
        file = RowsOfFile(self.X) if large else None
        try:
            for first in range(0, len(order), size):
                rows = order[first : first + size]
                yield (file.read(rows) if file else np.array(self.X[rows])), np.array(self.y[rows])
        finally:
            if file:
                file.close()

    def _in_sequence(self, size: int) -> Iterator[tuple[Array, Array]]:
        # Pages of a memory map that were read count as memory of this process until they are released.
        enough, touched = rows_of(self.X[:1].nbytes, LARGE), 0
        for first in range(0, len(self.y), size):
            rows = slice(first, first + size)
            X, y = np.array(self.X[rows]), np.array(self.y[rows])
            touched += len(y)
            if touched >= enough:
                release_pages(self.X)
                touched = 0
            yield X, y


class SampleSubset(Samples):
    """Some `rows` (m,) of a split, which are copied where ``X`` is asked for, and read in batches otherwise."""

    def __init__(self, whole: Samples, rows: Array) -> None:
        object.__setattr__(self, "whole", whole)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "y", np.asarray(whole.y[rows]))

    whole: Samples
    rows: Array

    @property
    def X(self) -> Array:  # noqa: N802  # as in `Samples`
        """The samples (m, *sample_shape), in memory."""
        return np.asarray(self.whole.X[self.rows])

    def batches(self, size: int, order: Array | None = None) -> Iterator[tuple[Array, Array]]:
        """Yield batches as `Samples.batches` does."""
        return self.whole.batches(size, self.rows if order is None else self.rows[order])
