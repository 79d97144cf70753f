"""What is recorded of the other parts of the data: training samples to fit on, validation samples to choose by."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlx.core.array_types import Array, Integers, Scores
from mlx.core.last_layer import LastLayer
from mlx.residuals.similarity.directions import Representation


@dataclass(frozen=True)
class RecordedPart:
    """Outputs and representations of the n samples of one part of the data.

    Attributes
    ----------
    layers
        Layer name → (n, n_features).
    probabilities, logits
        (n, n_classes), the latter or None.
    y_true, y_pred
        (n,), labels.
    index
        (n,), what identifies each sample.
    groups
        (n,), labels of which samples belong together; None where each is its own.
    """

    layers: Mapping[str, Representation]
    probabilities: Scores
    logits: Scores | None
    y_true: Integers
    y_pred: Integers
    index: Array
    groups: Array | None = None


@dataclass(frozen=True)
class OtherParts:
    """The training and validation part, and the last layer of the model; each is None where it is not recorded."""

    train: RecordedPart | None = None
    val: RecordedPart | None = None
    last_layer: LastLayer | None = None


NOTHING_ELSE = OtherParts()
"""For test samples alone."""
