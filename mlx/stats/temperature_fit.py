"""The temperature by which logits are divided so that the log loss is lowest (Guo et al. 2017)."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Integers, Scores
from mlx.core.checks import check_finite, check_labels, row_blocks
from mlx.core.log_scores import log_softmax
from mlx.stats.status import OK, Reason, Status

LOWEST, HIGHEST = 0.01, 100.0
"""Bounds of the temperature, and of its inverse."""


@dataclass(frozen=True)
class FittedTemperature:
    """A temperature T > 0; probabilities are the softmax of the logits divided by it.

    Attributes
    ----------
    temperature
        T; above 1 it softens the predictions.
    log_loss
        Mean of −log p of the true class with it, in nats.
    log_loss_unscaled
        The same at T = 1.
    status
        `OK`, or why the temperature is not that of lowest log loss.
    """

    temperature: float
    log_loss: float
    log_loss_unscaled: float
    status: Status = OK


def fit_temperature(logits: Scores, y_true: Integers) -> FittedTemperature:
    """Fit the temperature that minimizes the mean log loss of `logits` (n, n_classes) for labels ``y_true`` (n,).

    The log loss is convex in β = 1/T, which is the root of its derivative, the mean of Σ_k p_k z_k − z_y, on
    [0.01, 100]; without a minimum there, the temperature is at the bound and the status says so.

    Raises
    ------
    DataError
        A logit is not finite, or a label is no class.
    """
    from scipy.optimize import brentq

    labels = check_labels("y_true", y_true, *np.shape(logits))
    for rows in row_blocks(*np.shape(logits)):
        check_finite("logits", np.asarray(logits[rows], np.float64), rows.start)

    def slope(log_beta: float) -> float:
        return _loss_and_slope(logits, labels, np.exp(log_beta))[1]

    unscaled = _loss_and_slope(logits, labels, 1.0)[0]
    low, high = np.log(LOWEST), np.log(HIGHEST)
    at_low, at_high = slope(low), slope(high)
    if at_low == at_high == 0:  # every sample has equal logits
        return FittedTemperature(1.0, unscaled, unscaled, Reason.CONSTANT("logits"))
    if at_low >= 0:
        return _at_bound(logits, labels, LOWEST, unscaled)
    if at_high <= 0:
        return _at_bound(logits, labels, HIGHEST, unscaled)
    beta = float(np.exp(brentq(slope, low, high, xtol=1e-15, rtol=4 * np.finfo(float).eps)))
    return FittedTemperature(1 / beta, _loss_and_slope(logits, labels, beta)[0], unscaled)


def _at_bound(logits: Scores, labels: Integers, beta: float, unscaled: float) -> FittedTemperature:
    loss = _loss_and_slope(logits, labels, beta)[0]
    return FittedTemperature(1 / beta, loss, unscaled, Reason.TEMPERATURE_AT_BOUND(f"{1 / beta:g}"))


def _loss_and_slope(logits: Scores, labels: Integers, beta: float) -> tuple[float, float]:
    """Return the mean log loss at β, and its derivative."""
    loss = slope = 0.0
    for rows in row_blocks(*logits.shape):
        z = np.asarray(logits[rows], np.float64)
        z = z - z.max(axis=1, keepdims=True)
        log_p = log_softmax(beta * z)
        truth = np.arange(len(z)), labels[rows]
        loss -= float(log_p[truth].sum())
        slope += float((np.exp(log_p) * z).sum() - z[truth].sum())
    return loss / len(labels), slope / len(labels)
