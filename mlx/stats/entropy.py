"""Predictive entropy, exact where the softmax is saturated."""

import numpy as np
from scipy.special import entr

from mlx.core.array_types import Floats
from mlx.core.log_scores import log_softmax

TINY = 1e-290
"""Probabilities below this lose digits as they near the smallest number there is."""


def entropy_from_log_probabilities(log_p: Floats) -> Floats:
    """Entropy −Σ p log p (n,) in nats, in [0, ln n_classes]; 0 is certain, higher is less so.

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


def entropy_from_logits(logits: Floats) -> Floats:
    """Softmax entropy (n,) of logits (n, n_classes), in nats; saturated logits give 0, never NaN."""
    return entropy_from_log_probabilities(log_softmax(logits))


def entropy_from_probabilities(probabilities: Floats) -> Floats:
    """Entropy (n,) of probabilities (n, n_classes) in nats; rows are scaled to sum to exactly 1."""
    p = probabilities / probabilities.sum(axis=1, keepdims=True)
    entropy: Floats = entr(p).sum(axis=1)
    return entropy.clip(0.0, np.log(p.shape[1]))
