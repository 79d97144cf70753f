"""Proper scores of predicted probabilities: log loss and Brier score. Lower is better."""

import numpy as np
import numpy.typing as npt

from mlx.core.checks import row_blocks

Scores = npt.NDArray[np.floating]
Labels = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


def log_loss_from_logits(logits: Scores, y_true: Labels) -> float:
    """Mean of −log softmax(logits)[y_true], in nats, in [0, ∞).

    Finite however sure and wrong the model is, which a probability rounded to 0 can't be.

    Parameters
    ----------
    logits
        (n_samples, n_classes), finite.
    y_true
        (n_samples,), class labels.
    """
    total = 0.0
    for rows in row_blocks(*logits.shape):
        block = np.asarray(logits[rows], dtype=np.float64)
        shifted = block - block.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        total += float((log_sum - _of_label(shifted, y_true[rows])).sum())
    return total / len(y_true)


def log_loss_from_probabilities(probabilities: Scores, y_true: Labels) -> float:
    """Mean of −log p(y_true), in nats; p is held at the rounding unit of its storage type or above.

    The floor is scikit-learn's convention: a stored 0 means "below what this type resolves beside 1", and
    an infinite loss would say nothing about the other samples.
    """
    floor = np.finfo(probabilities.dtype).eps
    total = 0.0
    for rows in row_blocks(*probabilities.shape):
        p = _of_label(np.asarray(probabilities[rows], dtype=np.float64), y_true[rows])
        total -= float(np.log(np.clip(p, floor, 1 - floor)).sum())
    return total / len(y_true)


def brier_score(probabilities: Scores, y_true: Labels) -> float:
    """Mean over samples of Σ_k (p_k − [k = y])² = 1 − 2 p_y + Σ p², in [0, 2] (Brier 1950)."""
    total = 0.0
    for rows in row_blocks(*probabilities.shape):
        gap = np.array(probabilities[rows], dtype=np.float64)
        gap[np.arange(len(gap)), y_true[rows]] -= 1
        total += float(np.einsum("ik,ik->", gap, gap))
    return total / len(y_true)


def probability_of(probabilities: Scores, labels: Labels) -> Floats:
    """Probability (n_samples,) given to each sample's ``labels`` entry."""
    return np.asarray(probabilities[np.arange(len(labels)), labels], dtype=np.float64)


def _of_label(block: Floats, labels: Labels) -> Floats:
    return np.asarray(np.take_along_axis(block, labels[:, None], axis=1)[:, 0], dtype=np.float64)
