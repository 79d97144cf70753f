"""Predictive entropy and log-probabilities, exact where the softmax is saturated."""

import numpy as np
from scipy.special import entr

from mlx.core.checks import Floats


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities (n, n_classes) of logits (n, n_classes), in nats, at most 0.

    The largest logit is taken out of the sum, log Σ e^z = z_max + log1p(Σ_others e^(z − z_max)), so that a
    top probability of 1 − 1e-20 keeps its logarithm of −1e-20.
    """
    top = logits.argmax(axis=1)[:, None]
    with np.errstate(over="ignore"):  # a difference of −∞ is a probability of 0, as it should be
        shifted = logits - np.take_along_axis(logits, top, axis=1)
    others = np.exp(shifted)
    np.put_along_axis(others, top, 0.0, axis=1)
    return np.asarray(shifted - np.log1p(others.sum(axis=1, keepdims=True)), dtype=np.float64)


def entropy_from_log_probabilities(log_p: Floats) -> Floats:
    """Entropy −Σ p log p (n,) in nats, in [0, ln n_classes]; 0 is certain, higher is less so.

    A log-probability of −∞ counts as p log p = 0, its limit.
    """
    p = np.exp(log_p)
    terms = np.multiply(p, log_p, out=np.zeros_like(p), where=p > 0)
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
