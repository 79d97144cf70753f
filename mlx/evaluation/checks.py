"""What the evaluation accepts: whole score matrices, in blocks, and pairs of targets and predictions."""

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats, Scores
from mlx.core.checks import (
    check_agreement,
    check_finite,
    check_matrix,
    check_rows_sum_to_one,
    finite_column,
    row_blocks,
)
from mlx.core.errors import DataError
from mlx.core.log_scores import log_softmax


def check_logits(logits: Scores, shape: tuple[int, int]) -> None:
    """Reject logits of another shape, or with a value that is not finite.

    Parameters
    ----------
    logits
        (n_samples, n_classes); may be memory-mapped.
    shape
        The shape expected.

    Raises
    ------
    DataError
        Names the first row at fault.
    """
    check_matrix("logits", logits, shape)
    for rows in row_blocks(*shape):
        check_finite("logits", np.asarray(logits[rows], dtype=np.float64), rows.start)


def check_probabilities(probabilities: Scores, shape: tuple[int, int]) -> None:
    """Reject probabilities of another shape, or with a row that is not a probability distribution.

    Parameters
    ----------
    probabilities
        (n_samples, n_classes); may be memory-mapped.
    shape
        The shape expected.

    Raises
    ------
    DataError
        Names the first row at fault, and what it sums to.
    """
    check_matrix("probabilities", probabilities, shape)
    for rows in row_blocks(*shape):
        check_rows_sum_to_one(np.asarray(probabilities[rows], dtype=np.float64), rows.start)


def check_softmax(logits: Scores, probabilities: Scores) -> None:
    """Reject logits whose softmax differs from the probabilities: one of the two is of another model.

    Parameters
    ----------
    logits, probabilities
        (n_samples, n_classes); may be memory-mapped.

    Raises
    ------
    DataError
        Names the first row at fault and by how much it differs.
    """
    for rows in row_blocks(*logits.shape):
        expected = np.exp(log_softmax(np.asarray(logits[rows], dtype=np.float64)))
        check_agreement(np.asarray(probabilities[rows], dtype=np.float64), expected, logits[rows], rows.start)


def check_pair(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return targets and predictions as float64.

    Parameters
    ----------
    y_true, y_pred
        (n_samples,), or (n_samples, 1), which is flattened.

    Raises
    ------
    DataError
        If there is no sample, the shapes differ, or a value is not finite (with its row).
    """
    true, pred = finite_column("y_true", y_true), finite_column("y_pred", y_pred)
    if true.ndim != 1 or true.shape != pred.shape or true.size == 0:
        raise DataError(f"expected y_true and y_pred of one shape (n,), found {true.shape} and {pred.shape}")
    return true, pred
