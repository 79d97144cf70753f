"""Similarities within a class as a matrix: of all its samples where they are few, of blocks where they are many."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.similarity.directions import dense
from mlx.residuals.similarity.lift import CenteredDirections, swap_constant_terms
from mlx.residuals.similarity.neighbors import mean_products, nearest_rows
from mlx.residuals.similarity.sums import group_sums


@dataclass(frozen=True)
class ClassMatrix:
    """Cosine similarities within one class.

    Attributes
    ----------
    label
        The class.
    rows
        (n,), its samples that have a direction, ascending.
    similarity
        (n, n), symmetric with a diagonal of 1; of a class larger than the limit (n_blocks, n_blocks), the mean
        over pairs of different samples, one of each block; NaN on the diagonal of a block of one.
    starts
        (n_blocks,), where in ``rows`` each block begins; every sample its own block where all are kept.
    nearest, nearest_similarity
        (n,), for every sample the other of its class most similar to it, and how similar; −1 and NaN for the
        only one.
    """

    label: int
    rows: Integers
    similarity: Floats
    starts: Integers
    nearest: Integers
    nearest_similarity: Floats

    @property
    def is_whole(self) -> bool:
        """Whether ``similarity`` has a row a sample."""
        return self.starts.size == self.rows.size


def class_matrices(
    lifted: CenteredDirections,
    labels: Integers,
    n_classes: int,
    *,
    max_samples: int,
    n_blocks: int = 50,
    map: OrderedMap = in_order,
) -> list[ClassMatrix]:
    """Compute the similarities within every class, samples sorted by class and then by row.

    Parameters
    ----------
    lifted
        n_samples directions.
    labels
        (n_samples,), in 0 … n_classes − 1; a class without samples has an empty matrix.
    n_classes
        Number of classes.
    max_samples
        Largest class whose matrix has a row a sample; nearest neighbors take O(n_c²·d) in any case.
    n_blocks
        Into how many runs of consecutive rows a larger class is cut.
    map
        How the classes are computed.
    """
    found = lifted.units.defined
    classes = [(label, found[labels[found] == label]) for label in range(n_classes)]
    return list(map(_CompareWithin(lifted, max_samples, n_blocks), classes))


@dataclass(frozen=True)
class _CompareWithin:
    """The matrix of a class, of its label and rows."""

    doing: ClassVar[str] = "comparing within classes"
    lifted: CenteredDirections
    max_samples: int
    n_blocks: int

    def __call__(self, labeled: tuple[int, Integers]) -> ClassMatrix:
        lifted, (label, rows) = self.lifted, labeled
        nearest, nearest_similarity = np.full(rows.size, -1), np.full(rows.size, np.nan)
        if rows.size > 1:
            found = nearest_rows(lifted, rows, 1)
            nearest, nearest_similarity = found[:, 0], mean_products(lifted, rows, found) + lifted.offset
        if rows.size <= self.max_samples:
            starts, similarity = np.arange(rows.size), similarity_matrix(lifted, rows)
        else:
            n_blocks = min(self.n_blocks, rows.size)
            starts = np.arange(n_blocks) * rows.size // n_blocks
            similarity = _block_means(lifted, rows, starts)
        return ClassMatrix(label, rows, similarity, starts, nearest, nearest_similarity.clip(-1.0, 1.0))


def similarity_matrix(lifted: CenteredDirections, rows: Integers) -> Floats:
    """Cosine similarity (n, n) of the given rows, symmetric, in [−1, 1], with a diagonal of exactly 1."""
    matrix = np.empty((rows.size, rows.size))
    turned = np.ascontiguousarray(swap_constant_terms(dense(lifted.take(rows)))) if not lifted.units.is_sparse else None
    for block in row_blocks(rows.size, max(rows.size, lifted.width)):
        vectors = lifted.take(rows[block])
        if turned is None:
            matrix[block] = dense(vectors[:, :-2] @ lifted.units.take(rows).T)
        else:
            matrix[block] = vectors @ turned.T
    matrix = (matrix + matrix.T) / 2 + lifted.offset
    np.fill_diagonal(matrix, 1.0)
    return matrix.clip(-1.0, 1.0)


def mean_similarity_matrix(lifted: CenteredDirections, rows: Integers, labels: Integers, n_groups: int) -> Floats:
    """Mean similarity (n_groups, n_groups) over pairs of different samples, one of each group, in O(n·d).

    ``labels`` (n_samples,) are the groups from 0, of which those of the given rows count; groups may be
    classes, or blocks of one. NaN where there is no such pair.
    """
    sums = group_sums(lifted, rows, labels, n_groups)
    n = sums.sizes
    totals = sums.totals @ swap_constant_terms(sums.totals).T - np.diag(n * lifted.own)
    pairs = np.outer(n, n) - np.diag(n)
    means = np.divide((totals + totals.T) / 2, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
    clipped: Floats = (means + lifted.offset).clip(-1.0, 1.0)
    return clipped


def _block_means(lifted: CenteredDirections, rows: Integers, starts: Integers) -> Floats:
    labels = np.zeros(len(lifted.units.norms), dtype=np.intp)
    labels[rows] = np.searchsorted(starts, np.arange(rows.size), side="right") - 1
    return mean_similarity_matrix(lifted, rows, labels, starts.size)
