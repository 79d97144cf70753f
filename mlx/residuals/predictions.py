"""The predictions that a residuals analysis is about, checked once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Array, Flags, Integers, Scores
from mlx.core.checks import check_labels, check_matrix
from mlx.core.errors import DataError
from mlx.residuals.streams import Stream, stream
from mlx.results.sample_scores import SampleScores
from mlx.stats.gates import ValidationErrors, expected_errors
from mlx.stats.groups import Groups
from mlx.stats.prediction_scores import prediction_scores
from mlx.stats.quantile_residuals import quantile_residuals


@dataclass(frozen=True)
class Predictions:
    """Predictions of n_samples samples.

    Attributes
    ----------
    probabilities, logits
        (n_samples, n_classes), the latter or None.
    y_true, y_pred
        (n_samples,), labels.
    class_names
        n_classes names.
    index
        (n_samples,), what identifies each sample.
    validation
        How often the model is wrong on validation samples, or None.
    groups
        Which samples belong together; None where all are independent.
    """

    probabilities: Scores
    logits: Scores | None
    y_true: Integers
    y_pred: Integers
    class_names: Sequence[str]
    index: Array
    validation: ValidationErrors | None = None
    groups: Groups | None = None

    @property
    def error(self) -> Flags:
        """Whether each prediction is wrong."""
        return np.asarray(self.y_true != self.y_pred)

    @property
    def expected_errors(self) -> float:
        """How many errors validation predicts for these samples; without validation, the number there is."""
        return expected_errors(int(self.error.sum()), self.y_true.size, self.validation)

    def scores(self, seed: int) -> SampleScores:
        """Score every prediction; `seed` is that of the randomized quantile residuals."""
        scores = prediction_scores(self.probabilities, self.logits, self.y_true, self.y_pred)
        generator = stream(seed, Stream.QUANTILE)
        quantiles = quantile_residuals(self.probabilities, self.logits, self.y_true, generator=generator)
        columns = {field.name: getattr(scores, field.name) for field in fields(scores)}
        return SampleScores(
            index=self.index,
            y_true=self.y_true,
            y_pred=self.y_pred,
            correct=~self.error,
            residual_quantile=quantiles,
            **columns,
        )


def check_predictions(
    probabilities: Scores,
    logits: Scores | None,
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    class_names: Sequence[str],
    index: npt.ArrayLike,
    validation: ValidationErrors | None = None,
) -> Predictions:
    """Return predictions whose shapes and labels agree.

    Raises
    ------
    DataError
        There is no sample, a shape is wrong, or a label is not a class; names the first.
    """
    shape = (len(probabilities), len(class_names))
    if shape[0] == 0:
        raise DataError("residuals: expected at least one sample, found none")
    true, pred = check_labels("y_true", y_true, *shape), check_labels("y_pred", y_pred, *shape)
    check_matrix("probabilities", probabilities, shape)
    if logits is not None:
        check_matrix("logits", logits, shape)
    identity = np.asarray(index)
    if identity.shape != true.shape:
        raise DataError(f"index: expected shape {true.shape}, found {identity.shape}")
    return Predictions(probabilities, logits, true, pred, class_names, identity, validation)
