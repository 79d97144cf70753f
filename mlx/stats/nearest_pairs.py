"""Which rows of a matrix may be nearest to each other, every two tiles of rows compared once.

A product of two tiles has the distances of either's rows to the other's, so that this is half the work of comparing
every row with all. As no task knows what others found, a sample of the rows says first how far the nearest are at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap
from mlx.stats.tiles import FIRST_TILE, Centered, Nearest, tiles

if TYPE_CHECKING:
    from mlx.stats.nearest import Search

SIDE = 2048
"""Rows of a tile."""

FEWEST = 8192, 512
"""Rows, and columns, from which comparing tiles takes less time than comparing each row with all."""

ROWS_A_NEIGHBOR = 2000
"""Rows for each of the k, likewise: with fewer, so many rows are candidates that ranking them takes longer."""

SAMPLED = 12
"""One row in so many is in the sample, so that about so many times k rows are candidates."""

MOST_SHARE = 0.06
"""Pairs of two tiles that may be candidates; with more, as of tight clusters, each row is compared with all."""

ROWS = 512
"""Rows of a tile whose products are held at a time."""

Pairs = tuple[Integers, Integers, Floats]
"""Places of a row in its block and of one that may be among its nearest, and their distance by the products."""


def candidate_pairs(search: "Search", k: int, map: OrderedMap) -> list[tuple[slice, Integers, Integers, Floats]] | None:
    """Candidates for the k nearest of each row, itself included, for one block of distinct rows after the other.

    Parameters
    ----------
    search
        Of a reference among its own rows, all different, in an order that spreads neighboring ones.
    k
        How many.
    map
        How tiles are compared.

    Returns
    -------
    list or None
        Blocks with the places of rows in the block, of candidates, and what the products say of their distance. None
        where they are too many, or rows or columns too few for this to take less time.
    """
    n, slack = len(search.single.values), 2 * search.single.error_bound(search.single)
    if n < max(FEWEST[0], ROWS_A_NEIGHBOR * k) or search.single.values.shape[1] < FEWEST[1]:
        return None
    blocks = [slice(start, min(start + SIDE, n)) for start in range(0, n, SIDE)]
    limit = np.concatenate(list(map(_Sampled(search, k, min(SAMPLED, n // k)), blocks))) + slack
    found = {block.start: list[Pairs]() for block in blocks}
    for parts in map(_Compare(search, limit), _two_at_a_time(blocks)):
        if parts is None:
            return None
        for block, pairs in parts:
            found[block.start].append(pairs)
    candidates = []
    for block in blocks:
        query, near, distance = (np.concatenate(part) for part in zip(*found[block.start], strict=True))
        candidates.append((block, query, near, distance))
    return candidates


def _two_at_a_time(blocks: list[slice]) -> Iterator[tuple[slice, slice]]:
    for place, here in enumerate(blocks):
        for there in blocks[place:]:
            yield here, there


@dataclass(frozen=True)
class _Sampled:
    """The k-th smallest distance of each row of a tile to a sample: at most so far are its k nearest of all."""

    search: "Search"
    k: int
    step: int
    doing: ClassVar[str] = "searching neighbors"

    @cached_property
    def sample(self) -> Centered:
        """One row in so many."""
        return self.search.single.every(self.step)

    def __call__(self, tile: slice) -> Floats:
        rows = Centered(self.search.single.columns[tile])
        nearest = Nearest(len(rows.columns), self.k, np.zeros(len(rows.columns)), rows.columns.dtype)
        for _, away in tiles(rows, self.sample, max(FIRST_TILE, 4 * self.k)):
            nearest.of_tile(away)
        return nearest.limit


@dataclass(frozen=True)
class _Compare:
    """Candidates of the rows of two tiles among each other's; of one tile with itself, once. None if too many."""

    search: "Search"
    limit: Floats
    doing: ClassVar[str] = "searching neighbors"

    def __call__(self, blocks: tuple[slice, slice]) -> list[tuple[slice, Pairs]] | None:
        here, there = blocks
        single, found = self.search.single, list[tuple[slice, Pairs]]()
        others, memory = single.columns[there], np.empty((2, ROWS, there.stop - there.start), single.columns.dtype)
        limits = [self._rounded_up(rows) for rows in blocks]
        for start in range(here.start, here.stop, ROWS):
            rows = single.columns[start : min(start + ROWS, here.stop)]
            products, away = memory[:, : len(rows)]
            np.matmul(-2 * rows[:, :-1], others[:, :-1].T, out=products)
            own = limits[0][start - here.start :][: len(rows), None]
            sides = [(here, others[:, -1], own), (there, rows[:, -1:], limits[1])]
            for block, squares, limit in sides[: 1 if here == there else 2]:
                close = np.flatnonzero(np.add(products, squares, out=away) <= limit)
                if close.size > MOST_SHARE * away.size:
                    return None
                row, column = np.divmod(close, away.shape[1])
                distance, row = away[row, column], row + (start - here.start)
                pairs = (row, column + there.start) if block is here else (column, row + here.start)
                found.append((block, (*pairs, distance)))
        return found

    def _rounded_up(self, rows: slice) -> Floats:
        limit: Floats = np.nextafter(self.limit[rows].astype(np.float32), np.float32(np.inf))
        return limit
