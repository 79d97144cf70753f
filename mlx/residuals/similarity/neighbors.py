"""Mean cosine similarity of each sample to its k nearest neighbors."""

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks
from mlx.residuals.similarity.lift import CenteredDirections, swap_constant_terms


def neighbor_similarity(lifted: CenteredDirections, *, n_neighbours: int) -> Floats:
    """Mean cosine similarity of every sample to the ``n_neighbours`` others most similar to it.

    Compared with the mean over a class it doesn't mind a class of several clusters. The search is
    scikit-learn's by brute force, O(n²·d), between directions less their mean: distances are the same, and
    directions nearly the same stay apart. Similarities are then computed exactly.

    Parameters
    ----------
    lifted
        n_samples directions; unlike the means, all are held in memory (sparse ones as they are).
    n_neighbours
        k, at least 1.

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
        nearest = nearest_rows(lifted, rows, n_neighbours)
        similarity[rows] = mean_products(lifted, rows, nearest) + lifted.offset
    return similarity.clip(-1.0, 1.0)


def nearest_rows(lifted: CenteredDirections, rows: Integers, n_neighbours: int) -> Integers:
    """For each of the given rows (n,), the k < n others of them most similar to it (n, k), nearest first."""
    from sklearn.neighbors import NearestNeighbors

    directions = lifted.take(rows)[:, :-2]
    search = NearestNeighbors(n_neighbors=n_neighbours, algorithm="brute", metric="euclidean")
    nearest = search.fit(directions).kneighbors(return_distance=False)
    found: Integers = rows[nearest]
    return found


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
