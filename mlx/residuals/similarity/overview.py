"""Similarities between samples of all classes, as one matrix."""

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.residuals.similarity.class_matrices import similarity_matrix
from mlx.residuals.similarity.lift import CenteredDirections


def similarity_overview(
    lifted: CenteredDirections, y_pred: Integers, entropy: Floats, *, max_samples: int
) -> tuple[Integers, Floats]:
    """Cosine similarities of up to ``max_samples`` samples, sorted by predicted class and rising entropy.

    Parameters
    ----------
    lifted
        n_samples directions.
    y_pred, entropy
        (n_samples,).
    max_samples
        More are thinned evenly in sorted order, so that every class keeps its share.

    Returns
    -------
    rows
        (m,), the samples in the order of the matrix.
    similarity
        (m, m), in [−1, 1].
    """
    known = lifted.units.defined
    order = known[np.lexsort((known, entropy[known], y_pred[known]))]
    if order.size > max_samples:
        order = order[np.linspace(0, order.size - 1, max_samples).astype(np.intp)]
    return order, similarity_matrix(lifted, order)
