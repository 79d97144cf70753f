"""A part of the data, given out in batches without keeping what was read in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mlx.core.arrays import release_pages, rows_of

Array = npt.NDArray[Any]

READ_AROUND = 64 << 10  # bytes that a system maps round each one that is asked for


@dataclass(frozen=True)
class Samples:
    """A part of the data: ``X`` (n, *sample_shape), which may be memory-mapped, and ``y`` (n,)."""

    X: Array
    y: Array

    def batches(self, size: int, order: Array | None = None) -> Iterator[tuple[Array, Array]]:
        """Yield batches of `size` rows (the last may be smaller), in `order` where one is given."""
        # Pages that a memory map has touched count as this process's memory until they are given back.
        enough, touched = rows_of(self.X[:1].nbytes + (0 if order is None else READ_AROUND), 256 << 20), 0
        for first in range(0, len(self.y), size):
            rows: Any = slice(first, first + size) if order is None else order[first : first + size]
            X, y = np.array(self.X[rows]), np.array(self.y[rows])
            touched += len(y)
            if touched >= enough:
                release_pages(self.X)
                touched = 0
            yield X, y
