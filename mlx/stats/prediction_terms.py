"""What single predicted distributions are scored: surprise and Brier score, and what each expects of itself.

A mean over samples is the log loss or the Brier score of the model. Beside each score stand its mean and
variance under the prediction itself, that is if the labels were drawn from the predicted probabilities: the
gap between a score and its expectation tells whether the probabilities can be believed.
"""

from dataclasses import dataclass, fields

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import row_blocks
from mlx.core.log_scores import log_of, log_softmax, surprise


@dataclass(frozen=True)
class PredictionTerms:
    """One number a sample, each (n_samples,).

    Attributes
    ----------
    surprise
        −log p of the true class, in nats, in [0, ∞]; its mean is the log loss. Lower is better.
    entropy, surprise_variance
        Mean and variance of the surprise under the prediction: H = −Σ p log p and Σ p log² p − H².
    brier
        Σ_k (p_k − [k = y])² = 1 − 2 p_y + Σ p², in [0, 2] (Brier 1950). Lower is better.
    brier_expected, brier_variance
        Mean and variance of it under the prediction: 1 − Σ p² and 4·(Σ p³ − (Σ p²)²).
    rank
        How many classes stand before the true one, in [0, n_classes − 1]: those of higher probability, and
        of equal ones those of higher label, as in scikit-learn's top-k accuracy.
    """

    surprise: Floats
    entropy: Floats
    surprise_variance: Floats
    brier: Floats
    brier_expected: Floats
    brier_variance: Floats
    rank: Floats


def prediction_terms(probabilities: Scores, logits: Scores | None, y_true: Integers) -> PredictionTerms:
    """Score every prediction, in blocks of rows.

    Surprises come from the logits where there are any: finite however sure and wrong the model is. Without, from
    the probabilities as they are stored: infinite where that of the true class is 0.

    Parameters
    ----------
    probabilities, logits
        (n_samples, n_classes), checked; may be memory-mapped.
    y_true
        (n_samples,), class labels.
    """
    columns = {field.name: np.empty(len(y_true)) for field in fields(PredictionTerms)}
    for rows in row_blocks(*probabilities.shape):
        p = np.asarray(probabilities[rows], dtype=np.float64)
        log_p = log_of(p) if logits is None else log_softmax(np.asarray(logits[rows], dtype=np.float64))
        found = _block_terms(p, log_p, y_true[rows]) | {"surprise": surprise(probabilities, logits, y_true, rows)}
        for name, values in found.items():
            columns[name][rows] = values
    return PredictionTerms(**columns)


def _block_terms(p: Floats, log_p: Floats, y_true: Integers) -> dict[str, Floats]:
    row = np.arange(len(p))
    finite = np.where(p > 0, log_p, 0.0)  # p log p → 0
    entropy = -np.einsum("ik,ik->i", p, finite)
    deviation = np.where(p > 0, finite + entropy[:, None], 0.0)
    own, squares = p[row, y_true][:, None], np.einsum("ik,ik->i", p, p)
    before = (p > own) | ((p == own) & (np.arange(p.shape[1]) > y_true[:, None]))
    gap = p.copy()
    gap[row, y_true] -= 1
    return {
        "entropy": entropy,
        "surprise_variance": np.einsum("ik,ik,ik->i", p, deviation, deviation),
        "brier": np.einsum("ik,ik->i", gap, gap),
        "brier_expected": 1 - squares,
        # As a sum of squares, so that it can't fall below 0 by rounding.
        "brier_variance": 4 * np.einsum("ik,ik->i", p, (p - squares[:, None]) ** 2),
        "rank": before.sum(axis=1),
    }


def probability_of(probabilities: Scores, labels: Integers) -> Floats:
    """Probability (n_samples,) given to each sample's ``labels`` entry."""
    return np.asarray(probabilities[np.arange(len(labels)), labels], dtype=np.float64)
