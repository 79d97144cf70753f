"""Distances in tiles: all rows of a block of queries against a part of a reference at once, by a matrix product."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers, Scores
from mlx.stats.duplicates import first_equal_rows

QUERIES, TILE = 1024, 4096
"""Rows of a block of queries, and of the part of the reference that it is compared with at once: 16 MiB of products."""


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
    """Rows less a center and divided by a power of two, with their squared lengths, in one precision."""

    values: Floats
    squares: Floats

    def error_bound(self, reference: "Centered") -> Floats:
        """Bound (n,) of the rounding of ‖y‖² − 2 x·y over all y of a reference, however the sums are ordered."""
        known, d = np.finfo(self.values.dtype), self.values.shape[1]
        largest = np.sqrt(float(reference.squares.max()))
        lengths = np.sqrt(self.squares.astype(np.float64))
        bound: Floats = (d + 8) * (float(known.eps) * largest * (2 * lengths + largest) + float(known.tiny))
        return bound


def tiles(queries: Centered, reference: Centered) -> Iterator[tuple[int, Floats]]:
    """Yield where each tile of the reference begins, and ‖y‖² − 2 x·y of all queries x and its rows y."""
    twice = -2 * queries.values
    for start in range(0, len(reference.values), TILE):
        tile = slice(start, start + TILE)
        away = twice @ reference.values[tile].T
        away += reference.squares[tile]
        yield start, away


def below(away: Floats, limit: Floats) -> Flags:
    """Whether each is at most the limit of its row, which is rounded up to the precision of the values."""
    close: Flags = away <= np.nextafter(limit.astype(away.dtype), np.inf, dtype=away.dtype)[:, None]
    return close


def smallest(values: Floats, k: int) -> Floats:
    """Return the k smallest of each row, in no order; all where there are no more."""
    return np.partition(values, k - 1, axis=1)[:, :k] if values.shape[1] > k else values


def updated(best: Floats, query: Integers, found: Floats) -> Floats:
    """Return the k smallest (n, k) of each row of `best` and of what was found for it; ``query`` ascends."""
    counts = np.bincount(query, minlength=len(best))
    if not query.size:
        return best
    more = np.full((len(best), int(counts.max())), np.inf, best.dtype)
    more[query, np.arange(query.size) - np.repeat(np.cumsum(counts) - counts, counts)] = found
    return smallest(np.concatenate([best, more], axis=1), best.shape[1])
