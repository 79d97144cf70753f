"""What a model predicts for the validation samples: one half fits and selects, the other calibrates prediction sets."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Indices, Integers, Scores
from mlx.core.streams import stream

SEED = 0
"""Fixed: which half a sample is in depends on the validation samples alone, and is the same in every step."""


@dataclass(frozen=True)
class ValidationOutputs:
    """Outputs of a classifier for n validation samples.

    Attributes
    ----------
    probabilities
        (n, n_classes).
    logits
        (n, n_classes), or None.
    y_true
        (n,), labels.
    index
        (n,), what identifies each sample, such as its row in the raw data.
    chose_epoch
        Whether the validation loss also chose the epoch whose weights the model has; None if unknown.
    """

    probabilities: Scores
    logits: Scores | None
    y_true: Integers
    index: Indices
    chose_epoch: bool | None = None

    def fitting(self) -> "ValidationOutputs":
        """Return the half that fits and selects: temperatures, weights of scores."""
        return self.take(validation_halves(self.index)[0])

    def calibrating(self) -> "ValidationOutputs":
        """Return the half that calibrates prediction sets, and chose nothing else."""
        return self.take(validation_halves(self.index)[1])

    def take(self, rows: Integers) -> "ValidationOutputs":
        """Return the outputs for some of the samples, read into memory."""
        logits = None if self.logits is None else np.asarray(self.logits[rows])
        labels, index = np.asarray(self.y_true)[rows], np.asarray(self.index)[rows]
        return ValidationOutputs(np.asarray(self.probabilities[rows]), logits, labels, index, self.chose_epoch)


def validation_halves(index: Indices) -> tuple[Integers, Integers]:
    """Return the rows of the half that fits, and of the half that calibrates sets, which is the larger one of odd n.

    Rows are in ascending order. Which samples are in a half depends on their `index` (n,), not on their order.
    """
    in_order = np.argsort(index, kind="stable")
    drawn = in_order[stream(SEED).permutation(len(in_order))]
    middle = len(drawn) // 2
    return np.sort(drawn[:middle]), np.sort(drawn[middle:])
