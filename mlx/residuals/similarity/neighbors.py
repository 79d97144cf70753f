"""Mean cosine similarity of each sample to its k nearest neighbors."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.similarity.lift import CenteredDirections, swap_constant_terms
from mlx.stats.nearest import nearest_neighbors


def neighbor_similarity(lifted: CenteredDirections, *, n_neighbours: int, map: OrderedMap = in_order) -> Floats:
    """Mean cosine similarity of every sample to the ``n_neighbours`` others most similar to it.

    Compared with the mean over a class it doesn't mind a class of several clusters. The search is exact, O(n²·d),
    between directions less their mean: distances are the same, and directions nearly the same stay apart. Similarities
    are then computed exactly.

    Parameters
    ----------
    lifted
        n_samples directions; unlike the means, all are held in memory (sparse ones as they are).
    n_neighbours
        k, at least 1.
    map
        How blocks of rows are searched.

    Returns
    -------
    Floats
        (n_samples,), in [−1, 1], higher is more alike; NaN for a row without direction, and for all where
        there are not k others.

    Raises
    ------
    ValueError
        If k is below 1.
    """
    rows = lifted.units.defined
    similarity = np.full(len(lifted.units.norms), np.nan)
    if n_neighbours < 1:
        raise ValueError(f"n_neighbours: expected at least 1, found {n_neighbours}")
    if rows.size > n_neighbours:
        nearest = nearest_rows(lifted, rows, n_neighbours, map=map)
        similarity[rows] = mean_products(lifted, rows, nearest) + lifted.offset
    return similarity.clip(-1.0, 1.0)


def nearest_rows(
    lifted: CenteredDirections, rows: Integers, n_neighbours: int, *, map: OrderedMap = in_order
) -> Integers:
    """For each of the given rows (n,), the k < n others of them most similar to it (n, k), nearest first."""
    directions = _Directions(lifted, rows)
    if not lifted.units.is_sparse:
        return rows[nearest_neighbors(directions, n_neighbours, map=map).rows]
    blocks = row_blocks(rows.size, rows.size, SEARCHED_BYTES)
    nearest: Integers = rows[np.concatenate(list(map(_SparseSearch(directions, n_neighbours), blocks)))]
    return nearest


@dataclass(frozen=True)
class _Directions:
    """The directions of some rows less their mean, computed where they are needed."""

    lifted: CenteredDirections
    rows: Integers

    def __call__(self) -> Any:
        return self.lifted.take(self.rows)[:, :-2]


SEARCHED_BYTES = 1 << 26
"""Size of the distances that one task computes, which are not held at the same time."""


@dataclass(frozen=True)
class _SparseSearch:
    """Finds the k nearest others of a block of sparse rows, by scikit-learn's brute force."""

    doing: ClassVar[str] = "searching neighbors"
    directions: _Directions
    k: int

    def __call__(self, block: slice) -> Integers:
        found = self._index.kneighbors(self._rows[block], return_distance=False)
        others = found != np.arange(block.start, block.stop)[:, None]
        others[others.all(axis=1), -1] = False  # among more copies of a sample than neighbors
        nearest: Integers = found[others].reshape(-1, self.k)
        return nearest

    def __getstate__(self) -> dict[str, Any]:
        return {"directions": self.directions, "k": self.k}

    @cached_property
    def _rows(self) -> Any:
        return self.directions()

    @cached_property
    def _index(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(n_neighbors=self.k + 1, algorithm="brute", metric="euclidean").fit(self._rows)


def mean_products(lifted: CenteredDirections, rows: Integers, others: Integers) -> Floats:
    """Mean (n,) of ⟨w_i, w_j⟩ over the j of each row of ``others`` (n, k), which are among the rows (n,)."""
    n, k = others.shape
    vectors = lifted.take(rows)
    place = np.empty(len(lifted.units.norms), dtype=np.intp)
    place[rows] = np.arange(n)
    near = sparse.csr_array((np.ones(n * k), place[others].ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    means = np.empty(n)
    for block in row_blocks(n, lifted.width):
        sums = near[block] @ vectors
        if lifted.units.is_sparse:  # and not centered: products of directions are similarities
            means[block] = (vectors[block][:, :-2] * sums[:, :-2]).sum(axis=1) / k
        else:
            means[block] = np.einsum("iw,iw->i", vectors[block], swap_constant_terms(sums)) / k
    return means
