"""Entropy, log loss and error detection with the logits divided by a temperature."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import row_blocks
from mlx.core.log_scores import log_softmax, surprise
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.results.classification_residuals import TemperaturePoint
from mlx.stats.correlation import merge_entropies, midranks
from mlx.stats.prediction_scores import log_probabilities
from mlx.stats.row_scores import entropy_from_log_probabilities, why_infinite
from mlx.stats.status import OK, Reason

TEMPERATURES = 2.0 ** np.linspace(-3, 3, 25)
"""From an eighth to eight; 1, in their middle, is the model as it is."""

UNCHANGED = len(TEMPERATURES) // 2
"""Place of a temperature of 1, where the log loss is that of the evaluation."""


def temperature_curve(
    probabilities: Scores,
    logits: Scores | None,
    y_true: Integers,
    y_pred: Integers,
    *,
    map: OrderedMap = in_order,
) -> tuple[TemperaturePoint, ...]:
    """Entropy, log loss and error detection at each of `TEMPERATURES` (Guo et al. 2017).

    The predicted class never changes. The lowest log loss is found on the samples that it is measured on:
    it says whether the model is over- or underconfident, and is no calibration to deploy.

    Parameters
    ----------
    probabilities, logits
        (n_samples, n_classes); without logits the logarithms of the probabilities take their place.
    y_true, y_pred
        (n_samples,), labels.
    map
        How blocks of rows are run.
    """
    blocks = row_blocks(*probabilities.shape)
    entropy, surprises = np.concatenate(list(map(_Scale(probabilities, logits, y_true), blocks)), axis=2)
    wrong = y_true != y_pred
    infinite = why_infinite(surprises[UNCHANGED])
    return tuple(
        TemperaturePoint(
            temperature=float(temperature),
            log_loss=float(total.mean()) if infinite.is_ok else float("nan"),
            entropy_mean=_mean(values),
            entropy_correct=_mean(values[~wrong]),
            entropy_wrong=_mean(values[wrong]),
            error_auroc=_auroc(wrong, values),
            status=OK if infinite.is_ok else Reason.INFINITE_LOG_LOSS(infinite),
        )
        for temperature, total, values in zip(TEMPERATURES, surprises, entropy, strict=True)
    )


@dataclass(frozen=True)
class _Scale:
    """Entropies and surprises (2, n_temperatures, m) of a block of rows."""

    doing: ClassVar[str] = "scaling logits"
    probabilities: Scores
    logits: Scores | None
    y_true: Integers

    def __call__(self, rows: slice) -> Floats:
        log_p = log_probabilities(self.probabilities, self.logits, rows)
        truth, found = (np.arange(len(log_p)), self.y_true[rows]), np.empty((2, len(TEMPERATURES), len(log_p)))
        for k, temperature in enumerate(TEMPERATURES):
            scaled = log_softmax(log_p / temperature)
            found[:, k] = entropy_from_log_probabilities(scaled), -scaled[truth]
        found[1, UNCHANGED] = surprise(self.probabilities, self.logits, self.y_true, rows)
        return found


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


def _auroc(wrong: np.ndarray, entropy: Floats) -> float:
    n_wrong, n = int(wrong.sum()), wrong.size
    if n_wrong in (0, n):
        return float("nan")
    ranks = midranks(merge_entropies(entropy))
    return float((ranks[wrong].sum() - n_wrong * (n_wrong + 1) / 2) / (n_wrong * (n - n_wrong)))
