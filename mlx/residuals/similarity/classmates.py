"""Similarities among the samples predicted alike, pair by pair or by blocks, and the nearest one of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.class_matrices import class_matrices
from mlx.residuals.similarity.lift import CenteredDirections
from mlx.residuals.similarity.neighbors import neighbor_similarity
from mlx.results.classification_residuals import MatrixSummary
from mlx.stats.status import OK, Reason

LARGEST_SEARCH = 100_000
"""Samples, of all or of a class, whose neighbors are searched: more would take O(n²·d) many minutes."""


@dataclass(frozen=True)
class Classmates:
    """Who is most like whom among n_samples.

    Attributes
    ----------
    neighbors
        (n_samples,), mean similarity to the nearest of all samples; NaN where undefined.
    nearest, nearest_similarity
        (n_samples,), row of the most similar sample predicted alike, −1 without one, and its similarity.
    block
        (n_samples,), row of the sample in the matrix of its class, −1 where it is in none.
    matrices
        By file name, symmetric matrices of similarities; one a class that has any.
    summaries
        One a class: which file holds its matrix.
    """

    neighbors: Floats
    nearest: Integers
    nearest_similarity: Floats
    block: Integers
    matrices: dict[str, Floats]
    summaries: tuple[MatrixSummary, ...]


def find_classmates(
    name: str,
    lifted: CenteredDirections,
    y_pred: Integers,
    class_names: Sequence[str],
    settings: ResidualsSettings,
    *,
    map: OrderedMap = in_order,
) -> Classmates:
    """Search neighbors in one layer, and put the similarities within every predicted class in matrices."""
    n, rows = y_pred.size, lifted.units.defined
    searched = rows.size <= LARGEST_SEARCH
    k = settings.n_neighbours
    neighbors = neighbor_similarity(lifted, n_neighbours=k, map=map) if searched else np.full(n, np.nan)
    nearest, block = np.full(n, -1), np.full(n, -1)
    nearest_similarity = np.full(n, np.nan)
    sizes = np.bincount(y_pred[rows], minlength=len(class_names))
    kept = np.where(sizes[y_pred] <= LARGEST_SEARCH, y_pred, -1)
    matrices, summaries = {}, []
    for found in class_matrices(lifted, kept, len(class_names), max_samples=settings.matrix_size, map=map):
        nearest[found.rows], nearest_similarity[found.rows] = found.nearest, found.nearest_similarity
        block[found.rows] = np.searchsorted(found.starts, np.arange(found.rows.size), side="right") - 1
        size = int(sizes[found.label])
        file = f"{name}.class_{found.label}.npy" if found.rows.size else ""
        if file:
            matrices[file] = found.similarity
        status = Reason.TOO_MANY_SAMPLES(LARGEST_SEARCH) if size else Reason.NEVER_PREDICTED()
        rows_are = "samples" if found.is_whole else "means over blocks of samples"
        summaries.append(
            MatrixSummary(
                layer=name,
                label=found.label,
                name=class_names[found.label],
                n=size,
                n_rows=len(found.similarity) if file else 0,
                rows=rows_are if file else "",
                file=file,
                status=OK if file else status,
            )
        )
    return Classmates(neighbors, nearest, nearest_similarity, block, matrices, tuple(summaries))
