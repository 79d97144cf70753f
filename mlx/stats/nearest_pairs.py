"""Which rows of a matrix may be nearest to each other, every two tiles of rows compared once.

A product of two tiles has the distances of either's rows to the other's, so that this is half the work of comparing
every row with all. As no task knows what others found, each tile is first compared with itself and the next one, which
says how far the nearest of its rows are at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
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

MOST_SHARE = 0.06
"""Pairs of two tiles that may be candidates; with more, as of tight clusters, each row is compared with all."""

ROWS = 1024
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
    n, d = search.single.values.shape
    if n < max(FEWEST[0], ROWS_A_NEIGHBOR * k) or d < FEWEST[1]:
        return None
    blocks = [slice(start, min(start + SIDE, n)) for start in range(0, n, SIDE)]
    begun = list(map(_Begin(search, k, blocks), range(len(blocks))))
    limit = np.concatenate([limit for limit, _ in begun])
    found = {block.start: pairs for block, (_, pairs) in zip(blocks, begun, strict=True)}
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


Sides = tuple[slice, slice, tuple[bool, bool]]
"""Two tiles, and whether the rows of the first, and those of the second, are to be compared with those of the other."""


def _two_at_a_time(blocks: list[slice]) -> Iterator[Sides]:
    last = len(blocks) - 1
    for place, here in enumerate(blocks):
        for other, there in enumerate(blocks[place + 1 :], place + 1):
            # What `_Begin` compared: each tile with the next, and the last with the first.
            sides = other != place + 1, (place, other) != (0, last)
            if any(sides):
                yield here, there, sides


@dataclass(frozen=True)
class _Begin:
    """Compares the rows of a tile with themselves and the next tile: how far the k nearest of all may be, and pairs."""

    search: "Search"
    k: int
    blocks: list[slice]
    doing: ClassVar[str] = "searching neighbors"

    def __call__(self, place: int) -> tuple[Floats, list[Pairs]]:
        single, here = self.search.single, self.blocks[place]
        rows, pairs = Centered(single.columns[here]), list[Pairs]()
        nearest = Nearest(len(rows.columns), self.k, 2 * rows.error_bound(single), rows.columns.dtype)
        next_one = self.blocks[(place + 1) % len(self.blocks)]
        for block, first in ((here, max(FIRST_TILE, 4 * self.k)), (next_one, SIDE)):
            for start, away in tiles(rows, Centered(single.columns[block]), first):
                query, column, distance = nearest.of_tile(away)
                pairs.append((query, column + (block.start + start), distance))
        return nearest.limit, pairs


@dataclass(frozen=True)
class _Compare:
    """Candidates of the rows of two tiles among each other's. None if too many."""

    search: "Search"
    limit: Floats
    doing: ClassVar[str] = "searching neighbors"

    def __call__(self, task: Sides) -> list[tuple[slice, Pairs]] | None:
        here, there, asked = task
        single, found = self.search.single, list[tuple[slice, Pairs]]()
        others, memory = single.columns[there], np.empty((2, ROWS, there.stop - there.start), single.columns.dtype)
        limits = [self._rounded_up(rows) for rows in (here, there)]
        for start in range(here.start, here.stop, ROWS):
            rows = single.columns[start : min(start + ROWS, here.stop)]
            products, away = memory[:, : len(rows)]
            np.matmul(-2 * rows[:, :-1], others[:, :-1].T, out=products)
            own = limits[0][start - here.start :][: len(rows), None]
            sides = (here, others[:, -1], own), (there, rows[:, -1:], limits[1])
            for block, squares, limit in compress(sides, asked):
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
