"""Scores of failure of the outputs alone; higher means more likely wrong."""

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from mlx.core.array_types import Floats, Scores
from mlx.core.checks import row_blocks
from mlx.results.failure_scores import MAXIMUM_PROBABILITY
from mlx.stats.prediction_scores import log_probabilities
from mlx.stats.row_scores import entropy_from_log_probabilities


def _one_less_maximum(log_p: Floats) -> Floats:
    """1 − max p (m,), which keeps its digits where the maximum is near 1."""
    return np.asarray(-np.expm1(log_p.max(axis=1)), dtype=np.float64)


def _one_less_margin(log_p: Floats) -> Floats:
    """1 − (p₁ − p₂) (m,), of the two largest probabilities."""
    if log_p.shape[1] < 2:
        return _one_less_maximum(log_p)
    second = np.exp(np.partition(log_p, -2, axis=1)[:, -2])
    return _one_less_maximum(log_p) + second


def _negative_maximum(logits: Floats) -> Floats:
    return np.asarray(-logits.max(axis=1), dtype=np.float64)


def _energy(logits: Floats) -> Floats:
    """−log Σ exp z (m,) (Liu et al. 2020)."""
    return np.asarray(-logsumexp(logits, axis=1), dtype=np.float64)


OF_PROBABILITIES: dict[str, Callable[[Floats], Floats]] = {
    MAXIMUM_PROBABILITY: _one_less_maximum,
    "margin": _one_less_margin,
    "entropy": entropy_from_log_probabilities,
}
"""Scores of the logarithms of probabilities (m, n_classes)."""

OF_LOGITS: dict[str, Callable[[Floats], Floats]] = {"max_logit": _negative_maximum, "energy": _energy}
"""Scores of logits (m, n_classes), which are missing where the model has none."""


def output_scores(probabilities: Scores, logits: Scores | None) -> dict[str, Floats]:
    """Compute every score of outputs (n_samples, n_classes): by name, (n_samples,).

    Raises
    ------
    DataError
        For the first row that is not finite, not a distribution, or whose logits contradict it.
    """
    known = OF_PROBABILITIES if logits is None else OF_PROBABILITIES | OF_LOGITS
    found = {name: np.empty(len(probabilities)) for name in known}
    for rows in row_blocks(*probabilities.shape):
        log_p = log_probabilities(probabilities, logits, rows)
        for name, score in OF_PROBABILITIES.items():
            found[name][rows] = score(log_p)
        if logits is not None:
            block = np.asarray(logits[rows], dtype=np.float64)
            for name, score in OF_LOGITS.items():
                found[name][rows] = score(block)
    return found
