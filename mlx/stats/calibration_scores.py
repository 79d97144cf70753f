"""Scores of single predictions beside their mean and variance if labels were drawn from the predicted probabilities.

A mean over samples is the log loss or the Brier score of the model; its distance from the mean of the expectations
measures calibration.
"""

from dataclasses import dataclass, fields

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import row_blocks
from mlx.core.log_scores import log_of, log_softmax, surprise
from mlx.stats.row_scores import brier, expected_surprise, surprise_variance


@dataclass(frozen=True)
class CalibrationScores:
    """One number a sample, each (n_samples,).

    Attributes
    ----------
    surprise
        −log p of the true class, in nats, in [0, ∞]; its mean is the log loss. Lower is better.
    entropy, surprise_variance
        Mean and variance of the surprise under the prediction: H = −Σ p log p and Σ p log² p − H².
    brier
        Σ_k (p_k − [k = y])², in [0, 2]. Lower is better.
    brier_expected, brier_variance
        Mean and variance of it under the prediction: 1 − Σ p² and 4·(Σ p³ − (Σ p²)²).
    rank
        Number of classes before the true one, in [0, n_classes − 1]: those of higher probability, and
        of equal ones those of higher label, as in scikit-learn's top-k accuracy.
    """

    surprise: Floats
    entropy: Floats
    surprise_variance: Floats
    brier: Floats
    brier_expected: Floats
    brier_variance: Floats
    rank: Floats


def calibration_scores(probabilities: Scores, logits: Scores | None, y_true: Integers) -> CalibrationScores:
    """Score every prediction, in blocks of rows, by its probabilities as they are stored.

    Surprises come from the logits where there are any: finite also for a confident mistake. Without logits, they are
    infinite where the stored probability of the true class is 0.

    Parameters
    ----------
    probabilities, logits
        (n_samples, n_classes), checked; may be memory-mapped.
    y_true
        (n_samples,), class labels.
    """
    columns = {field.name: np.empty(len(y_true)) for field in fields(CalibrationScores)}
    for rows in row_blocks(*probabilities.shape):
        p = np.asarray(probabilities[rows], dtype=np.float64)
        log_p = log_of(p) if logits is None else log_softmax(np.asarray(logits[rows], dtype=np.float64))
        scores = _block_scores(p, log_p, y_true[rows]) | {"surprise": surprise(probabilities, logits, y_true, rows)}
        for name, values in scores.items():
            columns[name][rows] = values
    return CalibrationScores(**columns)


def _block_scores(p: Floats, log_p: Floats, y_true: Integers) -> dict[str, Floats]:
    entropy, squares = expected_surprise(p, log_p), np.einsum("ik,ik->i", p, p)
    own = p[np.arange(len(p)), y_true][:, None]
    before = (p > own) | ((p == own) & (np.arange(p.shape[1]) > y_true[:, None]))
    return {
        "entropy": entropy,
        "surprise_variance": surprise_variance(p, log_p, entropy),
        "brier": brier(p, y_true),
        "brier_expected": 1 - squares,
        # As a sum of squares, so that it can't fall below 0 by rounding.
        "brier_variance": 4 * np.einsum("ik,ik->i", p, (p - squares[:, None]) ** 2),
        "rank": before.sum(axis=1),
    }
