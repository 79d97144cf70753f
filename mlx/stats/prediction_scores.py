"""Scores of single predictions: residuals of a probabilistic classifier for each sample."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import logsumexp

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import check_agreement, check_finite, check_rows_sum_to_one, row_blocks
from mlx.core.log_scores import log_of, log_softmax, surprise
from mlx.stats.row_scores import TINY, brier, entropy_from_log_probabilities, surprise_variance


@dataclass(frozen=True)
class PredictionScores:
    """One number a sample, each (n_samples,).

    Attributes
    ----------
    confidence
        Probability given to the predicted class, in [0, 1].
    entropy
        −Σ p log p in nats, in [0, ln n_classes]; lower is more certain.
    entropy_normalised
        Entropy / ln n_classes, in [0, 1].
    surprise
        −log p of the true class in nats, in [0, ∞]; ∞ where a stored probability is 0. Lower is better.
    excess_surprise
        Surprise − entropy: mean 0 for a calibrated model, above 0 where it is more often wrong than it says.
    brier
        Σ_k (p_k − [k = y])² = 1 − 2 p_y + Σ p², in [0, 2]; lower is better.
    raw
        1 − p_y, the true class's entry of the residual y − p, in [0, 1]; lower is better.
    pearson
        1/p_y − 1, the sample's share of Pearson's chi-squared, in [0, ∞]; lower is better.
    deviance
        −2 log p_y, in [0, ∞]; lower is better.
    surprise_variance
        Σ p log² p − H², the variance of the surprise if the model is right, in nats².
    excess_surprise_z
        Excess surprise over its standard deviation; mean 0 and variance 1 for a calibrated model; 0 where
        the model is certain and right.
    """

    confidence: Floats
    entropy: Floats
    entropy_normalised: Floats
    surprise: Floats
    excess_surprise: Floats
    brier: Floats
    raw: Floats
    pearson: Floats
    deviance: Floats
    surprise_variance: Floats
    excess_surprise_z: Floats


def prediction_scores(
    probabilities: Scores, logits: Scores | None, y_true: Integers, y_pred: Integers
) -> PredictionScores:
    """Score every prediction, in blocks of rows.

    Where there are logits everything is computed from them. Without, the surprise is that of the stored
    probabilities, as in `mlx.core.log_scores`; the rest is of rows scaled to sum to exactly 1.

    Parameters
    ----------
    probabilities, logits
        (n_samples, n_classes); may be memory-mapped.
    y_true, y_pred
        (n_samples,), class labels.

    Raises
    ------
    DataError
        For the first row that is not finite, not a distribution, or whose logits contradict it.
    """
    n_samples, n_classes = probabilities.shape
    columns = {field.name: np.empty(n_samples) for field in fields(PredictionScores)}
    for rows in row_blocks(n_samples, n_classes):
        log_p = log_probabilities(probabilities, logits, rows)
        of_truth = surprise(probabilities, logits, y_true, rows)
        for name, values in _score_block(log_p, of_truth, y_true[rows], y_pred[rows]).items():
            columns[name][rows] = values
    return PredictionScores(**columns)


def log_probabilities(probabilities: Scores, logits: Scores | None, rows: slice) -> Floats:
    """Logarithms of a block of rows of probabilities, from the logits where there are any; checks both."""
    p = np.asarray(probabilities[rows], dtype=np.float64)
    check_rows_sum_to_one(p, rows.start)
    if logits is None:
        return log_of_rows(p)
    block = np.asarray(logits[rows], dtype=np.float64)
    check_finite("logits", block, rows.start)
    log_p = log_softmax(block)
    check_agreement(p, np.exp(log_p), logits[rows], rows.start)
    return log_p


def log_of_rows(p: Floats) -> Floats:
    """Logarithms of rows (m, n_classes) scaled to sum to 1; of a probability near 1 from what the others leave of it.

    1 - 1e-20 is stored as 1: its logarithm of -1e-20, and an entropy that small, are in the other probabilities.
    """
    p = p / p.sum(axis=1, keepdims=True)
    logs = log_of(p)
    row, top = np.arange(len(p)), p.argmax(axis=1)
    near = p[row, top] > 0.5
    p[row, top] = 0.0
    logs[row[near], top[near]] = np.log1p(-p[near].sum(axis=1))
    return logs


def _score_block(log_p: Floats, surprises: Floats, y_true: Integers, y_pred: Integers) -> dict[str, Floats]:
    p = np.exp(log_p)
    entropy = entropy_from_log_probabilities(log_p)
    excess = surprises - entropy
    variance = surprise_variance(p, log_p, entropy)
    with np.errstate(over="ignore", divide="ignore"):  # what is beyond the largest number is infinite
        return {
            "confidence": p[np.arange(len(p)), y_pred],
            "entropy": entropy,
            "entropy_normalised": entropy / np.log(max(2, p.shape[1])),
            "surprise": surprises,
            "excess_surprise": excess,
            "brier": brier(p, y_true),
            "raw": -np.expm1(-surprises),
            "pearson": np.expm1(surprises),
            "deviance": 2 * surprises,
            "surprise_variance": variance,
            "excess_surprise_z": _standardized(excess, variance, log_p, entropy),
        }


def _standardized(excess: Floats, variance: Floats, log_p: Floats, entropy: Floats) -> Floats:
    """Excess over its standard deviation, 0 where it is 0; on the log scale where the variance is too small."""
    z = np.divide(excess, np.sqrt(variance), out=np.zeros_like(excess), where=excess != 0)
    tiny = np.flatnonzero((variance < TINY) & (excess != 0) & np.isfinite(excess))
    if tiny.size:
        with np.errstate(invalid="ignore"):  # −∞ + ∞ of a probability of 0, which adds nothing
            terms = log_p[tiny] + 2 * np.log(np.abs(log_p[tiny] + entropy[tiny, None]))
        terms[np.isnan(terms)] = -np.inf
        z[tiny] = excess[tiny] * np.exp(-logsumexp(terms, axis=1) / 2)
    return z
