"""Log-probabilities, and the surprise −log p of the true class: one definition for all that is built on it."""

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities (n, n_classes) of logits (n, n_classes), in nats, at most 0.

    The largest logit is taken out of the sum, log Σ e^z = z_max + log1p(Σ_others e^(z − z_max)), so that a
    top probability of 1 − 1e-20 keeps its logarithm of −1e-20.
    """
    top = logits.argmax(axis=1)[:, None]
    with np.errstate(over="ignore", under="ignore"):  # a difference of −∞ is a probability of 0, as it should be
        shifted = logits - np.take_along_axis(logits, top, axis=1)
        others = np.exp(shifted)
    np.put_along_axis(others, top, 0.0, axis=1)
    return np.asarray(shifted - np.log1p(others.sum(axis=1, keepdims=True)), dtype=np.float64)


def log_of(probabilities: Floats) -> Floats:
    """Logarithms of probabilities of any shape, as they are; −∞ of 0."""
    logs: Floats = np.log(probabilities, out=np.full_like(probabilities, -np.inf), where=probabilities > 0)
    return logs


def surprise(probabilities: Scores, logits: Scores | None, y_true: Integers, rows: slice) -> Floats:
    """Surprise −log p of the true class (m,) of a block of rows, in nats, in [0, ∞]; its mean is the log loss.

    From the logits through log-sum-exp where there are logits, from the probabilities as they are stored otherwise;
    nothing is clipped. It is ∞ where the stored probability is 0, and 0 where rounding has left it above 1.

    Parameters
    ----------
    probabilities, logits
        (n_samples, n_classes); may be memory-mapped.
    y_true
        (n_samples,), class labels.
    rows
        Which rows.
    """
    truth = np.arange(len(y_true[rows])), y_true[rows]
    if logits is None:
        log_p = log_of(np.asarray(probabilities[rows], dtype=np.float64)[truth])
    else:
        log_p = log_softmax(np.asarray(logits[rows], dtype=np.float64))[truth]
    found: Floats = np.maximum(-log_p, 0.0) + 0.0  # −0.0 becomes 0.0
    return found
