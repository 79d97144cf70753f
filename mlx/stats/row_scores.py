"""Scores of a block of predicted distributions, one number a row."""

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.stats.status import OK, Reason, Status

TINY = 1e-290
"""Probabilities below this lose digits as they near the smallest number there is."""


def entropy_from_log_probabilities(log_p: Floats) -> Floats:
    """Entropy −Σ p log p (m,) in nats, in [0, ln n_classes]; 0 is certain, higher is less so.

    A log-probability of −∞ counts as p log p = 0, its limit.
    """
    with np.errstate(under="ignore"):
        p = np.exp(log_p)
        terms = np.multiply(p, log_p, out=np.zeros_like(p), where=p > 0)
        tiny = (p < TINY) & (log_p > -np.inf)
        # p log p = −e^(log p + log(−log p)), hundreds of times larger than p, has digits where p has none left.
        terms[tiny] = -np.exp(log_p[tiny] + np.log(-log_p[tiny]))
    entropy: Floats = -terms.sum(axis=1)
    return entropy.clip(0.0, np.log(log_p.shape[1]))


def expected_surprise(p: Floats, log_p: Floats) -> Floats:
    """Σ p (−log p) (m,) in nats, of probabilities as they are stored: the entropy, where their logarithms agree."""
    expected: Floats = -np.einsum("ik,ik->i", p, np.where(p > 0, log_p, 0.0))
    return expected


def surprise_variance(p: Floats, log_p: Floats, entropy: Floats) -> Floats:
    """Σ p (log p + H)² (m,), which is Σ p log² p − H² without its cancellation."""
    deviation = np.add(log_p, entropy[:, None], out=np.zeros_like(p), where=p > 0)
    variance: Floats = np.einsum("ik,ik,ik->i", p, deviation, deviation)
    return variance


def brier(p: Floats, y_true: Integers) -> Floats:
    """Σ_k (p_k − [k = y])² (m,), in [0, 2] (Brier 1950); squares of the gaps have no cancellation."""
    gap = p.copy()
    gap[np.arange(len(p)), y_true] -= 1
    scores: Floats = np.einsum("ik,ik->i", gap, gap)
    return scores


def why_infinite(surprises: Floats) -> Status:
    """Why the mean of surprises (n,) is infinite, with the number of samples behind it; `OK` where it is not."""
    n = int(np.isinf(surprises).sum())
    if n == 0:
        return OK
    return Reason.PROBABILITY_ZERO(*(("1 sample has", "its") if n == 1 else (f"{n} samples have", "their")))
