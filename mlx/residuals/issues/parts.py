"""What is known of the samples of each part of the data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlx.core.array_types import Array, Floats, Indices, Integers, Scores
from mlx.stats.calibrators import FittedCalibrator

ORDER = ("train", "val", "test")
"""The parts in the order in which a model sees them: of two equal samples, the later repeats the earlier."""


@dataclass(frozen=True)
class Part:
    """The recorded samples of one part of the data.

    Attributes
    ----------
    split
        Its name.
    index
        (n,), rows in the raw data.
    y_true, y_pred
        (n,), labels; or values of a regression.
    layer
        (n, d), the representation in the first layer, an array or ``csr_array``.
    probabilities, logits
        (n, n_classes); None of a regression, and logits also where the model has none.
    groups
        (n,), labels of which samples belong together; None where each is its own.
    """

    split: str
    index: Indices
    y_true: Array
    y_pred: Array
    layer: Any
    probabilities: Scores | None = None
    logits: Scores | None = None
    groups: Array | None = None

    @property
    def outputs(self) -> Array:
        """What the model says of each sample (n, …): logits, probabilities, or predicted values (n, 1)."""
        if self.probabilities is None:
            return self.y_pred[:, None]
        return self.probabilities if self.logits is None else self.logits

    def recalibrated(self, calibrator: FittedCalibrator | None) -> Floats:
        """Return the probabilities (n, n_classes) after recalibration; without a calibrator, as they are."""
        assert self.probabilities is not None, "a classification"
        if calibrator is None or calibrator.log_probabilities is None:
            return np.asarray(self.probabilities, np.float64)
        return np.exp(calibrator.log_probabilities(self.probabilities, self.logits))


@dataclass(frozen=True)
class EqualSamples:
    """Which raw samples are equal, and in which part each is.

    Attributes
    ----------
    group
        (n_raw,), the same number for equal samples.
    rows
        By part, the rows of all its samples, recorded or not.
    """

    group: Indices
    rows: Mapping[str, Indices]


@dataclass(frozen=True)
class TrainingEvidence:
    """What a training recorded of its own samples.

    Attributes
    ----------
    index, y_true, probabilities, logits
        Of cross-fitting: (n,), (n,) and (n, n_classes), outputs of models that were not trained on the sample; None
        without cross-fitting, and logits also where the model has none.
    margin_index, area_under_margin
        (m,) each, of the training dynamics; empty where none were recorded.
    """

    index: Indices | None = None
    y_true: Integers | None = None
    probabilities: Scores | None = None
    logits: Scores | None = None
    margin_index: Indices = field(default_factory=lambda: np.zeros(0, np.int64))
    area_under_margin: Floats = field(default_factory=lambda: np.zeros(0))


ReadInputs = Callable[[Indices], Array]
"""Returns the inputs (m, …) of raw rows (m,)."""


def stacked_layers(parts: Sequence[Part]) -> Any:
    """Return the representations of all parts as one matrix."""
    layers = [part.layer for part in parts]
    if isinstance(layers[0], np.ndarray):
        return np.concatenate([np.asarray(layer) for layer in layers])
    from scipy.sparse import vstack

    return vstack(layers, format="csr")
