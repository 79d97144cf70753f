"""Distances in tiles: all rows of a block of queries against a part of a reference at once, by a matrix product."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers, Scores
from mlx.stats.duplicates import first_equal_rows

QUERIES, TILE = 1024, 4096
"""Rows of a block of queries, and of the part of the reference that it is compared with at once: 16 MiB of products."""

FIRST_TILE = 512
"""Rows of the first part, of which the nearest are selected; each further part is twice as large, up to `TILE`."""


@dataclass(frozen=True)
class Distinct:
    """The rows of a reference that differ from all earlier ones, in an order that spreads neighboring rows.

    Attributes
    ----------
    rows
        (m,), the first row of each group of equal ones: every tile is an even sample of all, however they are sorted.
    group
        (m,), the group of each.
    members, starts
        All rows by group, ascending within each, and where those of each group begin, (n_groups + 1,).
    """

    rows: Integers
    group: Integers
    members: Integers
    starts: Integers

    @classmethod
    def of(cls, reference: Scores) -> "Distinct":
        """Find the distinct rows of a reference (n, d)."""
        rows, group = np.unique(first_equal_rows(reference), return_inverse=True)
        spread = np.argsort(np.arange(rows.size) % -(-rows.size // TILE), kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(group))])
        return cls(rows[spread], spread, np.argsort(group, kind="stable"), starts)


@dataclass(frozen=True)
class Centered:
    """Rows less a center and divided by a power of two, in one precision.

    Attributes
    ----------
    columns
        (n, d + 1), each row, and its squared length.
    """

    columns: Floats

    @property
    def values(self) -> Floats:
        """The rows (n, d)."""
        return self.columns[:, :-1]

    @property
    def squares(self) -> Floats:
        """Their squared lengths (n,)."""
        return self.columns[:, -1]

    def error_bound(self, reference: "Centered") -> Floats:
        """Bound (n,) of the rounding of ‖y‖² − 2 x·y over all y of a reference, however the sums are ordered."""
        known, d = np.finfo(self.columns.dtype), self.columns.shape[1] - 1
        largest = np.sqrt(float(reference.squares.max()))
        lengths = np.sqrt(self.squares.astype(np.float64))
        bound: Floats = (d + 8) * (float(known.eps) * largest * (2 * lengths + largest) + float(known.tiny))
        return bound


def tiles(queries: Centered, reference: Centered, first: int) -> Iterator[tuple[int, Floats]]:
    """Yield where each tile of the reference begins, and ‖y‖² − 2 x·y of all queries x and its rows y.

    The first tile has so many rows, each further one twice as many, up to `TILE`; all are written to the same memory.
    """
    n, m = len(queries.columns), len(reference.columns)
    turned = queries.columns * reference.columns.dtype.type(-2)
    turned[:, -1] = 1
    memory = np.empty(n * min(max(first, TILE), m), turned.dtype)
    start, size = 0, first
    while start < m:
        tile = reference.columns[start : start + size]
        yield start, np.matmul(turned, tile.T, out=memory[: n * len(tile)].reshape(n, len(tile)))
        start, size = start + size, min(2 * size, max(first, TILE))


class Nearest:
    """The k smallest distances of each query to the tiles so far, and the limit that they set for further ones.

    Parameters
    ----------
    n, k
        Queries, and how many distances of each.
    slack
        (n,), what a distance of the k smallest may be off by, twice.
    dtype
        Of the distances.
    """

    def __init__(self, n: int, k: int, slack: Floats, dtype: np.dtype[Any]) -> None:
        self.k, self.slack = k, slack
        self.best, self.limit = np.full((n, k), np.inf, dtype), np.full(n, np.inf)

    def of_tile(self, away: Floats) -> tuple[Integers, Integers, Floats]:
        """Take the distances (n, m) of a tile into account; return places and values of those within the limits."""
        close = _below(away, self.limit)
        if many := np.count_nonzero(close) > len(away) * (2 * self.k + 32):
            self._keep(np.concatenate([self.best, smallest(away, self.k)], axis=1))
            close = _below(away, self.limit)
        query, column = np.divmod(np.flatnonzero(close), close.shape[1])
        found = away[query, column]
        if query.size and not many:
            self._keep(beside(self.best, query, found))
        return query, column, found

    def _keep(self, distances: Floats) -> None:
        self.best = smallest(distances, self.k)
        self.limit = np.minimum(self.limit, self.best.max(axis=1) + self.slack)


def _below(away: Floats, limit: Floats) -> Flags:
    """Whether each is at most the limit of its row, which is rounded up to the precision of the values."""
    close: Flags = away <= np.nextafter(limit.astype(away.dtype), np.inf, dtype=away.dtype)[:, None]
    return close


def smallest(values: Floats, k: int) -> Floats:
    """Return the k smallest of each row, in no order; all where there are no more."""
    return np.partition(values, k - 1, axis=1)[:, :k] if values.shape[1] > k else values


def beside(best: Floats, query: Integers, found: Floats) -> Floats:
    """Return `best` (n, k) and beside it what was found for each row, and infinity; ``query`` ascends."""
    counts = np.bincount(query, minlength=len(best))
    more = np.full((len(best), int(counts.max(initial=0))), np.inf, best.dtype)
    more[query, np.arange(query.size) - np.repeat(np.cumsum(counts) - counts, counts)] = found
    return np.concatenate([best, more], axis=1)
