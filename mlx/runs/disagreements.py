"""Samples on which two models disagree: one is right and the other wrong, or closer than the other."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array, Floats, Indices
from mlx.pipeline.model_outputs import ModelOutputs
from mlx.runs.shared_samples import SharedOutputs


@dataclass(frozen=True)
class Predicted:
    """What a model predicts of the n samples that two runs share.

    Attributes
    ----------
    y_true, y_pred
        (n,), labels or values.
    confidence
        (n,), probability of the predicted class; None for a regression.
    right
        (n,), how well each is predicted: the probability of the true class, or minus the absolute error.
    """

    y_true: Array
    y_pred: Array
    confidence: Floats | None
    right: Floats

    @property
    def correct(self) -> Array:
        """Whether each class is predicted, (n,)."""
        return np.asarray(self.y_true == self.y_pred)


def predicted(shared: SharedOutputs) -> tuple[Predicted, Predicted]:
    """Return the predictions of both models on the samples that they are compared on."""
    first, second = (_of(one, rows) for one, rows in zip(shared.outputs, shared.rows, strict=True))
    return first, second


def _of(recorded: ModelOutputs, rows: Array) -> Predicted:
    y_true, y_pred = recorded.y_true[rows], recorded.y_pred[rows]
    if recorded.probabilities is None:
        error = np.abs(np.asarray(y_true, np.float64) - y_pred)
        return Predicted(y_true, y_pred, None, -error)
    probabilities, place = np.asarray(recorded.probabilities[rows], np.float64), np.arange(len(rows))
    return Predicted(y_true, y_pred, probabilities[place, y_pred], probabilities[place, y_true])


def better_predicted(one: Predicted, other: Predicted) -> Indices:
    """Return the samples that `one` predicts and `other` does not, or predicts more closely, the clearest first.

    The clearest are those with the largest gap of the probability of the true class, or of the absolute error; of
    equal ones the first in the data.
    """
    gap = one.right - other.right
    rows = np.flatnonzero(gap > 0 if one.confidence is None else one.correct & ~other.correct)
    return rows[np.argsort(-gap[rows], kind="stable")]
