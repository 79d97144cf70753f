"""Distances to the nearest samples, of dense and of sparse representations, and between two samples."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlx.core.array_types import Array, Floats, Integers
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import NO_EXPONENT, exponent_of, in_unit
from mlx.stats.nearest import nearest_neighbors

BLOCK_BYTES = 1 << 26
"""Size of the distances of sparse rows that are held at a time."""


def nearest(
    queries: Any, references: Any, k: int, *, same: bool = False, map: OrderedMap = in_order
) -> tuple[Floats, Integers]:
    """Return distances (m, k), rising, of each query to its k nearest references, and which these are (m, k).

    Parameters
    ----------
    queries, references
        (m, d) and (n, d) finite numbers, both arrays or both ``csr_array``; of sparse rows, whose entries are counts
        or flags, the products are exact.
    k
        From 1 to n, or n − 1 with `same`.
    same
        Whether both are the same samples, none of which is its own neighbor.
    map
        How blocks of queries are searched.
    """
    if isinstance(references, np.ndarray):
        found = nearest_neighbors(references, k, queries=None if same else queries, map=map)
        return found.distances, found.rows
    search = _SparseSearch(queries, references, _squared_lengths(references), k, same)
    blocks = list(map(search, row_blocks(queries.shape[0], references.shape[0], BLOCK_BYTES)))
    distances, rows = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return distances, rows


def distances_between(first: Array, second: Array) -> Floats:
    """Return the distance (m,) between row i of both arrays (m, …), without overflow."""
    gaps = (np.asarray(first, np.float64) - np.asarray(second, np.float64)).reshape(len(first), -1)
    if (exponent := exponent_of(gaps)) == NO_EXPONENT:
        return np.zeros(len(first))
    scaled = in_unit(gaps, exponent)
    found: Floats = np.ldexp(np.sqrt(np.einsum("ij,ij->i", scaled, scaled)), exponent)
    return found


@dataclass(frozen=True)
class _SparseSearch:
    """Finds the k nearest references of a block of queries; of equal distance, the lower row first."""

    doing: ClassVar[str] = "searching neighbors"
    queries: Any
    references: Any
    squared_lengths: Floats
    k: int
    same: bool

    def __call__(self, rows: slice) -> tuple[Floats, Integers]:
        block = self.queries[rows]
        products = (block @ self.references.T).toarray()
        squares = _squared_lengths(block)[:, None] + self.squared_lengths - 2 * products
        if self.same:
            squares[np.arange(len(squares)), np.arange(rows.start, rows.stop)] = np.inf
        order = np.argsort(squares, axis=1, kind="stable")[:, : self.k]
        return np.sqrt(np.maximum(np.take_along_axis(squares, order, axis=1), 0)), order


def _squared_lengths(matrix: Any) -> Floats:
    return np.asarray(matrix.multiply(matrix).sum(axis=1), np.float64).ravel()
