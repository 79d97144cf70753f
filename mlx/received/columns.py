"""Recorded numbers as what the analysis needs: scores of two classes, probabilities of logits, rows of one number."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.datasets.custom.rows import Rows


@dataclass(frozen=True)
class ConvertedRows:
    """Rows of a table that are made from the rows of another array when they are read.

    Attributes
    ----------
    source
        (n,) or (n, 1).
    shape, dtype
        Of the table.
    convert
        Makes rows of the table from rows of the source, of which the first has the given number.
    """

    source: Rows
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    convert: Callable[[Array, int], Array]

    def __str__(self) -> str:
        return str(self.source)

    def chunks(self) -> Iterator[Array]:
        """Yield the rows in order, about a megabyte of the source at a time."""
        first = 0
        for block in self.source.chunks():
            yield self.convert(block, first)
            first += len(block)

    def whole(self) -> Array:
        """Return all rows."""
        return np.concatenate(list(self.chunks()))


def one_column(values: Rows) -> Rows:
    """Return (n,) numbers as a table (n, 1)."""
    return ConvertedRows(values, (values.shape[0], 1), values.dtype, lambda block, _: block.reshape(-1, 1))


def two_logits(second: Rows) -> Rows:
    """Return the logits (n, 2) of two classes, of which the second was given; that of the first is 0."""
    return _two_classes(second, lambda z, _: np.stack([np.zeros_like(z), z], axis=1))


def two_probabilities(second: Rows) -> Rows:
    """Return the probabilities (n, 2) of two classes, of which the second was given.

    Reading them raises a `DataError` for the first row that is no probability.
    """

    def convert(p: Array, first: int) -> Array:
        invalid = np.flatnonzero(~((p >= 0) & (p <= 1)))
        if invalid.size:
            row = int(invalid[0])
            raise DataError(f"{second}: row {first + row}: expected a probability from 0 to 1, found {p[row]}")
        return np.stack([1 - p, p], axis=1)

    return _two_classes(second, convert)


def softmax_rows(logits: Rows) -> Rows:
    """Return the probabilities (n, K) in float64 of logits (n, K)."""
    from scipy.special import softmax

    n, k = logits.shape
    dtype = np.dtype(np.float64)
    return ConvertedRows(logits, (n, k), dtype, lambda z, _: np.asarray(softmax(z.astype(dtype), axis=1)))


def _two_classes(second: Rows, convert: Callable[[Array, int], Array]) -> Rows:
    # In float64, 1 - p is exact for a probability of lower precision.
    shape, dtype = (second.shape[0], 2), np.dtype(np.float64)
    return ConvertedRows(second, shape, dtype, lambda block, first: convert(block.reshape(-1).astype(dtype), first))
