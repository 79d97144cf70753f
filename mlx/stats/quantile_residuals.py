"""Randomized quantile residuals: a normal deviate a sample, whatever the number of classes."""

import numpy as np
from scipy.special import ndtri

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import check_rows_sum_to_one, row_blocks
from mlx.core.log_scores import log_softmax


def quantile_residuals(
    probabilities: Scores, logits: Scores | None, y_true: Integers, *, generator: np.random.Generator
) -> Floats:
    """Φ⁻¹(u), u uniform between F(y − 1) and F(y): standard normal if the model is right (Dunn & Smyth 1996).

    F is the predicted distribution cumulated over the classes in the order of their labels. An order of names
    has no meaning, but the residuals' law has: it is normal for any, and departures from it show in a QQ plot.

    Parameters
    ----------
    probabilities, logits
        (n_samples, n_classes), the latter or None; may be memory-mapped. Logits are used where given.
    y_true
        (n_samples,), labels.
    generator
        Source of the uniform numbers; that of a sample depends on its row and on nothing else.

    Returns
    -------
    Floats
        (n_samples,), finite: within ±37.6 also where the model gave the truth no chance at all.
    """
    n_samples, n_classes = probabilities.shape
    # Strictly inside (0, 1): the generator's numbers are multiples of 2⁻⁵³ from 0.
    place = np.asarray(generator.random(n_samples)) + 2.0**-54
    residual = np.empty(n_samples)
    for rows in row_blocks(n_samples, n_classes):
        if logits is None:
            p = np.asarray(probabilities[rows], dtype=np.float64)
            check_rows_sum_to_one(p, rows.start)
            p = p / p.sum(axis=1, keepdims=True)
        else:
            p = np.exp(log_softmax(np.asarray(logits[rows], dtype=np.float64)))
        residual[rows] = _of_block(p, y_true[rows], place[rows])
    return residual


def _of_block(p: Floats, y_true: Integers, place: Floats) -> Floats:
    classes = np.arange(p.shape[1])
    below = np.where(classes < y_true[:, None], p, 0.0).sum(axis=1)
    above = np.where(classes > y_true[:, None], p, 0.0).sum(axis=1)
    own = p[np.arange(len(p)), y_true]
    # Each tail from its own end: 1 − u has lost what the upper tail needs.
    smallest = np.finfo(np.float64).tiny
    lower, upper = np.maximum(below + place * own, smallest), np.maximum(above + (1 - place) * own, smallest)
    residual: Floats = np.where(lower < upper, ndtri(lower), -ndtri(upper))
    return residual
