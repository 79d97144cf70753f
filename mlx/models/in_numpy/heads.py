"""Output heads: activations, losses with their gradients, and predicted classes, from the logits of the last layer."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, log_expit, softmax

from mlx.core.array_types import Floats, Integers

Loss = Callable[[Floats, Floats], tuple[Floats, Floats]]


def squared_error(logits: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Return the mean squared error of each row (m,), and its gradient with respect to the `logits` (m, K)."""
    gradient = logits - targets
    losses = np.einsum("ij,ij->i", gradient, gradient) / gradient.shape[1]
    gradient *= 2 / gradient.shape[1]
    return losses, gradient


def sigmoid_cross_entropy(logits: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Return the mean binary cross-entropy −t ln p − (1 − t) ln(1 − p) of each row, in nats, and its gradient.

    It is computed from the logits z as max(z, 0) − t z + ln(1 + e^−|z|), which neither overflows nor loses
    digits for p close to 0 or 1.
    """
    losses = np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))
    return losses.mean(axis=1), (expit(logits) - targets) / logits.shape[1]


def softmax_cross_entropy(logits: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Return the cross-entropy −Σ t ln p of each row, in nats, and its gradient p Σt − t, computed from the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    gradient = np.exp(shifted)
    total = gradient.sum(axis=1, keepdims=True)
    weight = targets.sum(axis=1, keepdims=True)
    losses = np.log(total[:, 0]) * weight[:, 0] - np.einsum("ij,ij->i", targets, shifted)
    gradient *= weight / total
    gradient -= targets
    return losses, gradient


LOSSES: dict[str, Loss] = {
    "none": squared_error,
    "sigmoid": sigmoid_cross_entropy,
    "softmax": softmax_cross_entropy,
}
"""The loss of each output activation, a function of logits and targets (m, K)."""

OUTPUT_ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "none": lambda logits: logits,
    "sigmoid": expit,
    "softmax": lambda logits: softmax(logits, axis=1),
}
"""The output activations, functions of the logits (m, K)."""


def n_units(output: str, n_classes: int) -> int:
    """The number of output units for `n_classes` classes: one for each class, but one sigmoid for two classes."""
    return 1 if (output, n_classes) == ("sigmoid", 2) else n_classes


def target_table(output: str, n_classes: int, label_smoothing: float = 0.0) -> Floats:
    """Return the targets (n_classes, units) of each class, with label smoothing as in Keras."""
    table = np.eye(n_classes)
    if n_units(output, n_classes) == 1:
        table = table[:, 1:]
    even = 0.5 if output == "sigmoid" else 1 / n_classes
    smoothed: Floats = table * (1 - label_smoothing) + even * label_smoothing
    return smoothed


def class_logits(output: str, logits: Floats) -> Floats:
    """Return logits (m, n_classes) whose softmax gives the class probabilities.

    One sigmoid for two classes is equivalent to the logits (0, z). Several sigmoids are one-against-rest
    probabilities; divided by their sum, they are class probabilities.
    """
    if output == "softmax":
        return logits
    if logits.shape[1] == 1:
        return np.concatenate([np.zeros_like(logits), logits], axis=1)
    against_rest: Floats = log_expit(logits)
    return against_rest


def predicted_classes(logits: Floats) -> Integers:
    """Return the most probable class (m,)."""
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).astype(np.intp)
    most_probable: Integers = logits.argmax(axis=1)
    return most_probable
