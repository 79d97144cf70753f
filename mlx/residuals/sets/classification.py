"""Prediction sets of a classifier, calibrated on its uncalibrated outputs for validation samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers, Scores
from mlx.core.checks import check_labels, check_matrix, row_blocks
from mlx.residuals.predictions import Predictions
from mlx.residuals.sets.coverage import Sets, covered_groups
from mlx.residuals.settings import ConformalSettings, ResidualsSettings
from mlx.results.prediction_sets import Looked, Looks, SampleSets, SetCoverage, SetMethod, suffixes_of
from mlx.stats.conformal import Threshold, threshold
from mlx.stats.prediction_scores import log_probabilities
from mlx.stats.set_scores import aps_scores, lac_scores, own_scores, raps_scores, uniform_of
from mlx.stats.status import Reason
from mlx.stats.validation_outputs import ValidationOutputs

SCORES: dict[str, Callable[[Floats, Floats], Floats]] = {
    SetMethod.LAC: lambda log_p, _: lac_scores(log_p),
    SetMethod.APS: lambda log_p, u: aps_scores(np.exp(log_p), u),
    SetMethod.RAPS: lambda log_p, u: raps_scores(np.exp(log_p), u),
}
"""Scores of classes by method, of log-probabilities, both (m, n_classes), and a uniform number a sample (m,)."""


@dataclass(frozen=True)
class PredictionSets:
    """The coverage of the sets of each alpha, and the set of each sample by the suffix of its columns."""

    coverage: tuple[SetCoverage, ...] = ()
    samples: tuple[tuple[str, SampleSets], ...] = ()


def prediction_sets(
    predictions: Predictions,
    validation: ValidationOutputs,
    looks: Sequence[Looks],
    settings: ResidualsSettings,
) -> PredictionSets:
    """Make the sets of ``settings.conformal`` for test samples, and measure whom they cover.

    Parameters
    ----------
    predictions
        Of the n test samples.
    validation
        Outputs for the validation samples, one half of which calibrates the sets.
    looks
        Groups of test samples by factors and slices; classes and predicted classes are looked at in any case.
    settings
        Method, seed of the uniform numbers of APS and RAPS, and confidence.

    Raises
    ------
    DataError
        A row of validation outputs can't be used.
    """
    conformal, k = settings.conformal, predictions.probabilities.shape[1]
    check_matrix("validation: probabilities", validation.probabilities, (len(validation.y_true), k))
    check_labels("validation: y_true", validation.y_true, len(validation.y_true), k)
    half = validation.calibrating()
    own, labels = _own_scores(half, conformal.method, settings.seed), np.asarray(half.y_true)
    rows: list[SetCoverage] = []
    samples = []
    for alpha, suffix in zip(conformal.alpha, suffixes_of(conformal.alpha), strict=True):
        thresholds = _thresholds(own, labels, k, alpha, class_conditional=conformal.class_conditional)
        limits = np.broadcast_to([one.value for one in thresholds], k)
        sizes, covered = _sets(predictions, limits, conformal, settings.seed)
        if not any(one.status.is_ok for one in thresholds):
            sizes, held = np.full(sizes.shape, np.nan), np.full(sizes.shape, np.nan)
        else:
            held = covered.astype(np.float64)
        samples.append((suffix, SampleSets(sizes, held)))
        rows += covered_groups(
            Sets(alpha, covered, sizes, thresholds, predictions.y_true if conformal.class_conditional else None),
            [*_looks_by_class(predictions), *looks],
            SetCoverage(
                alpha=alpha,
                method=SetMethod(conformal.method),
                class_conditional=conformal.class_conditional,
                kind=Looked.ALL,
                n=0,
                n_calibration=0,
            ),
            level=settings.confidence,
            groups=predictions.groups,
            chosen_by_validation=validation.chose_epoch,
        )
    return PredictionSets(tuple(rows), tuple(samples))


def _thresholds(
    own: Floats, labels: Integers, n_classes: int, alpha: float, *, class_conditional: bool
) -> tuple[Threshold, ...]:
    """Return the threshold of all classes, or one for each."""
    parts = [own[labels == k] for k in range(n_classes)] if class_conditional else [own]
    return tuple(threshold(part, alpha) if part.size else _no_threshold(alpha) for part in parts)


def _no_threshold(alpha: float) -> Threshold:
    """Return the threshold without a calibration sample; its status is that of a single one."""
    status = threshold(np.zeros(1), alpha).status
    return Threshold(1, float("inf"), 0, status if not status.is_ok else Reason.FULL_SETS(1))


def _own_scores(half: ValidationOutputs, method: str, seed: int) -> Floats:
    own = np.empty(len(half.y_true))
    u = uniform_of(half.index, seed)
    for rows in row_blocks(*half.probabilities.shape):
        scores = _scores(half.probabilities, half.logits, u, method, rows)
        own[rows] = own_scores(scores, half.y_true[rows])
    return own


def _scores(probabilities: Scores, logits: Scores | None, u: Floats, method: str, rows: slice) -> Floats:
    return SCORES[method](log_probabilities(probabilities, logits, rows), u[rows])


def _sets(predictions: Predictions, limits: Floats, conformal: ConformalSettings, seed: int) -> tuple[Floats, Flags]:
    """Return the size of the set of each test sample (n,), and whether it holds the true class (n,)."""
    n = predictions.y_true.size
    sizes, covered = np.empty(n), np.empty(n, bool)
    u = uniform_of(np.asarray(predictions.index), seed)
    for rows in row_blocks(*predictions.probabilities.shape):
        scores = _scores(predictions.probabilities, predictions.logits, u, conformal.method, rows)
        held = scores <= limits
        sizes[rows] = held.sum(axis=1)
        covered[rows] = held[np.arange(len(held)), predictions.y_true[rows]]
    return sizes, covered


def _looks_by_class(predictions: Predictions) -> list[Looks]:
    """Return the test samples of each class, and those predicted as each."""
    return [
        (kind, name, "", np.flatnonzero(values == label))
        for kind, values in ((Looked.CLASS, predictions.y_true), (Looked.PREDICTED, predictions.y_pred))
        for label, name in enumerate(predictions.class_names)
    ]
