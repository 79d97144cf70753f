"""The k nearest rows of a matrix, found by blocked matrix products and ranked exactly.

Products of centered rows in single precision give all distances with a known error bound. Every row that may be among
the k nearest within that bound is a candidate, and candidates are ranked by Σ(x − y)² in double precision; equal
distances are ranked by row. So the result is that of brute force in double precision, at the speed of a matrix product.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import NO_EXPONENT, SAFE, exponent_of, in_unit
from mlx.stats.nearest_pairs import candidate_pairs
from mlx.stats.tiles import FIRST_TILE, QUERIES, Centered, Distinct, Nearest, beside, smallest, tiles

MANY = 4
"""Candidates before the k nearest of a row are known may be so many times as many."""

SPARE = 256
"""Candidates beyond 8 k that a query may have in single precision; with more, double precision narrows them down."""

CACHED_BYTES = 1 << 20
"""Size of the rows, or of differences of rows, that are computed at a time, in a core's cache."""


@dataclass(frozen=True)
class Neighbors:
    """The nearest rows of a reference.

    Attributes
    ----------
    rows
        (n, k), nearest first; of equal distance, the lower row first.
    distances
        (n, k), Euclidean.
    """

    rows: Integers
    distances: Floats


Given: TypeAlias = Scores | Callable[[], Scores]
"""Rows, or what computes them: tasks in other processes are sent the latter, and compute the rows once."""


def nearest_neighbors(
    reference: Given, k: int, *, queries: Given | None = None, map: OrderedMap = in_order
) -> Neighbors:
    """Find the k rows of a reference that are nearest to each query, as brute force in double precision finds them.

    Parameters
    ----------
    reference
        (m, n_features), finite; held in memory in single precision.
    k
        From 1 to m; without queries, to m − 1.
    queries
        (n, n_features), finite; may be memory-mapped. By default the rows of the reference, of which none is its own
        neighbor.
    map
        How blocks of queries are searched.

    Raises
    ------
    ValueError
        There are not k rows.
    """
    search = Search(reference, k, queries)
    n, most = len(search.queries), len(search.reference) - search.themselves
    if not 1 <= k <= most:
        raise ValueError(f"k: expected 1 to {most}, found {k}")
    _ = search.single  # before the tasks, which share it
    if search.themselves and search.distinct.rows.size == n:
        pairs = candidate_pairs(search, k + 1, map)
        if pairs is not None:
            return _ranked_pairs(search, pairs, map)
    blocks = (slice(start, min(start + QUERIES, n)) for start in range(0, n, QUERIES))
    found = list(map(search, blocks))
    return Neighbors(np.concatenate([rows for rows, _ in found]), np.concatenate([away for _, away in found]))


def _ranked_pairs(
    search: "Search", candidates: Sequence[tuple[slice, Integers, Integers, Floats]], map: OrderedMap
) -> Neighbors:
    """Rank the candidates of each block of distinct rows."""
    rows, n = search.distinct.rows, search.distinct.rows.size
    found, away = np.empty((n, search.k), dtype=np.intp), np.empty((n, search.k))
    for (block, *_), (nearest, distances) in zip(candidates, map(_Rank(search), candidates), strict=True):
        found[rows[block]], away[rows[block]] = nearest, distances
    return Neighbors(found, away)


@dataclass(frozen=True)
class Search:
    """Searches the k nearest of a block of queries."""

    doing: ClassVar[str] = "searching neighbors"
    known: Given
    k: int
    asked: Given | None

    @property
    def themselves(self) -> bool:
        """Whether the queries are the rows of the reference."""
        return self.asked is None

    @cached_property
    def queries(self) -> Scores:
        """The queries (n, n_features)."""
        return self.reference if self.asked is None else _rows(self.asked)

    @cached_property
    def reference(self) -> Scores:
        """The reference (m, n_features)."""
        return _rows(self.known)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what another process computes from the rows."""
        return {name: getattr(self, name) for name in ("known", "k", "asked")}

    def __call__(self, block: slice) -> tuple[Integers, Floats]:
        """Return rows and distances (n, k) of the nearest of a block of queries."""
        rows = np.arange(block.start, block.stop)
        return self.narrowed(rows, *self._candidates(rows, self.single, self.most))

    @property
    def most(self) -> int:
        """Candidates that a query may have in single precision."""
        return 8 * self.k + SPARE

    def narrowed(self, rows: Integers, query: Integers, near: Integers, crowded: Integers) -> tuple[Integers, Floats]:
        """Rows and distances (n, k) of the nearest of the rows (n,) among pairs of candidates; crowded rows again."""
        if crowded.size:
            again, more, _ = self._candidates(rows[crowded], self._double, self.distinct.rows.size)
            kept = ~np.isin(query, crowded)
            query = np.concatenate([query[kept], crowded[again]])
            near = np.concatenate([near[kept], more])
        return self._ranked(rows, query, near)

    @cached_property
    def distinct(self) -> Distinct:
        """The rows of the reference that are searched."""
        return Distinct.of(self.reference)

    @cached_property
    def single(self) -> Centered:
        """These rows in single precision."""
        return self._centered(self.reference, self.distinct.rows, np.float32)

    @cached_property
    def _double(self) -> Centered:
        return self._centered(self.reference, self.distinct.rows, np.float64)

    @cached_property
    def _exponent(self) -> int:
        both = (self.reference, self.queries)
        return max(exponent_of(values[rows]) for values in both for rows in row_blocks(*values.shape))

    @cached_property
    def _center(self) -> Floats:
        total = np.zeros(self.reference.shape[1])
        for rows in row_blocks(*self.reference.shape):
            total += in_unit(self.reference[rows], self._exponent).sum(axis=0)
        return np.asarray(total / len(self.reference), dtype=np.float64)

    def _centered(self, matrix: Scores, rows: Integers, dtype: type[np.floating[Any]]) -> Centered:
        columns = np.empty((rows.size, matrix.shape[1] + 1), dtype)
        for part in row_blocks(rows.size, matrix.shape[1], CACHED_BYTES):
            centered = in_unit(matrix[rows[part]], self._exponent) - self._center
            columns[part, :-1], columns[part, -1] = centered, np.einsum("ij,ij->i", centered, centered)
        return Centered(columns)

    def _candidates(self, rows: Integers, reference: Centered, most: int) -> tuple[Integers, Integers, Integers]:
        """Pairs of place of a query and of a distinct row that may be of its k nearest; places of those with too many.

        ``limit`` of a query is the k-th smallest distance so far and twice the bound of its rounding: as much as a row
        may be away, by the products, that is among the k nearest.
        """
        dtype = reference.columns.dtype
        queries = self._centered(self.queries, rows, dtype.type)
        k, counts = min(self.k + self.themselves, self.distinct.rows.size), np.zeros(rows.size, dtype=np.intp)
        nearest = Nearest(rows.size, k, 2 * queries.error_bound(reference), dtype)
        pairs: list[tuple[Integers, Integers, Floats]] = []
        for start, away in tiles(queries, reference, max(FIRST_TILE, 4 * k)):
            query, column, found = nearest.of_tile(away)
            counts += np.bincount(query, minlength=rows.size)
            nearest.limit[counts > most] = -np.inf
            pairs.append((query, column + start, found))
        query, near, distance = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        kept = distance <= nearest.limit[query]
        return query[kept], near[kept], np.flatnonzero(counts > most)

    def _ranked(self, rows: Integers, query: Integers, near: Integers) -> tuple[Integers, Floats]:
        """Rows and distances (n, k) of the nearest of all members of the candidates' groups."""
        squares, unit = self._squared_distances(rows[query], self.distinct.rows[near])
        group, starts = self.distinct.group[near], self.distinct.starts
        taken = np.minimum(starts[group + 1] - starts[group], self.k + self.themselves)
        pair = np.repeat(np.arange(near.size), taken)
        place = np.arange(pair.size) - np.repeat(np.cumsum(taken) - taken, taken)
        member = self.distinct.members[starts[group[pair]] + place]
        query, squares = query[pair], squares[pair]
        if self.themselves:
            others = member != rows[query]
            query, squares, member = query[others], squares[others], member[others]
        order = np.lexsort((member, squares, query))
        first = np.searchsorted(query[order], np.arange(rows.size))
        chosen = order[first[:, None] + np.arange(self.k)]
        return member[chosen], in_unit(np.sqrt(squares[chosen]), -unit)

    def _squared_distances(self, queries: Integers, others: Integers) -> tuple[Floats, int]:
        """Σ(x − y)² (n_pairs,) in a unit in which no square over- or underflows, and the exponent of that unit."""
        unit = 0 if self._exponent == NO_EXPONENT or SAFE[0] < self._exponent < SAFE[1] else self._exponent
        squares = np.empty(queries.size)
        for part in row_blocks(queries.size, self.reference.shape[1], CACHED_BYTES):
            x, y = self.queries[queries[part]], self.reference[others[part]]
            gaps = in_unit(x, unit) - in_unit(y, unit) if unit else np.subtract(x, y, dtype=np.float64)
            squares[part] = np.einsum("ij,ij->i", gaps, gaps)
        return squares, unit


@dataclass(frozen=True)
class _Rank:
    """Ranks the candidates of a block of distinct rows, given as places in the block, in all, and their distances."""

    search: Search
    doing: ClassVar[str] = "ranking neighbors"

    def __call__(self, task: tuple[slice, Integers, Integers, Floats]) -> tuple[Integers, Floats]:
        block, query, near, distance = task
        rows, most, k = self.search.distinct.rows[block], self.search.most, self.search.k + 1
        order = np.argsort(query.astype(np.uint16), kind="stable")
        query, near, distance = query[order], near[order], distance[order]
        counts = np.bincount(query, minlength=rows.size)
        few = counts[query] <= MANY * most
        nothing = np.full((rows.size, k), np.inf, distance.dtype)
        kth = smallest(beside(nothing, query[few], distance[few]), k).max(axis=1)
        single = self.search.single
        slack = 2 * Centered(single.columns[block]).error_bound(single)
        kept = few & (distance <= (kth + slack)[query])
        query, near = query[kept], near[kept]
        crowded = (counts > MANY * most) | (np.bincount(query, minlength=rows.size) > most)
        return self.search.narrowed(rows, query, near, np.flatnonzero(crowded))


def _rows(given: Given) -> Scores:
    return given() if callable(given) else given
