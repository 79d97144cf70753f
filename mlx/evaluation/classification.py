"""Everything the ``evaluate`` step reports of a classifier, from its scores on the test set."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Counts, Integers, Scores
from mlx.core.checks import check_labels
from mlx.core.errors import DataError
from mlx.evaluation.calibration import calibration_errors, equal_mass_bins, equal_width_bins
from mlx.evaluation.calibration_tests import excess_surprise_test, spiegelhalter_test
from mlx.evaluation.checks import check_logits, check_probabilities, check_softmax
from mlx.evaluation.confusion import class_scores, confusion_counts
from mlx.evaluation.curves import OneAgainstRest, one_against_rest
from mlx.evaluation.decomposition import decompose_brier
from mlx.evaluation.design import Design
from mlx.evaluation.intervals import (
    confusion_estimates,
    mean_area,
    mean_average_precision,
    mean_brier,
    mean_surprise,
    top_k_accuracy,
)
from mlx.evaluation.recalibration import Scored, recalibrate
from mlx.evaluation.settings import EvaluationSettings
from mlx.results.evaluation import ClassificationEvaluation, ClassificationMetrics
from mlx.results.evaluation_tables import ClassEvaluation
from mlx.stats.calibration_scores import CalibrationScores, calibration_scores
from mlx.stats.gates import ValidationErrors
from mlx.stats.grouping import given_groups, names_of
from mlx.stats.groups import Groups
from mlx.stats.status import OK, Reason, Status
from mlx.stats.validation_outputs import ValidationOutputs


def evaluate_classification(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    probabilities: Scores,
    *,
    logits: Scores | None = None,
    class_names: Sequence[str],
    settings: EvaluationSettings,
    validation: ValidationErrors | None = None,
    validation_outputs: ValidationOutputs | None = None,
    groups: npt.ArrayLike | None = None,
) -> ClassificationEvaluation:
    """Evaluate predictions on a test set.

    Parameters
    ----------
    y_true, y_pred
        (n_samples,), integer labels that index ``class_names``.
    probabilities
        (n_samples, n_classes), rows summing to 1; may be memory-mapped.
    logits
        (n_samples, n_classes) before the softmax; where given, log loss is computed from them.
    class_names
        n_classes names.
    settings
        Bins, curve resolution, resamples and confidence.
    validation
        How often the model is wrong on validation samples, if known: decides which intervals are given.
    validation_outputs
        What the model predicts for them, if known: ``settings.recalibration`` is fitted to one half of them.
    groups
        (n_samples,), labels of which samples belong together and are not independent; a sample without a label (None,
        NaN) is a group by itself. ``settings.groups`` is their name in the result.

    Raises
    ------
    DataError
        If there is no sample, a shape is wrong, a label is no class, or a row of scores can't be used.
    SettingsError
        ``settings.groups`` names groups that are not given.
    """
    true, pred = _checked(y_true, y_pred, probabilities, logits, len(class_names))
    by = given_groups(settings.groups, groups, true.size)
    confusion = confusion_counts(true, pred, len(class_names))
    curves = one_against_rest(true, probabilities, class_names, settings.curve_points)
    confidence = np.asarray(probabilities[np.arange(true.size), pred], dtype=np.float64)
    by_width, by_mass = (
        bins(confidence, true == pred, n_bins=settings.n_bins) for bins in (equal_width_bins, equal_mass_bins)
    )
    scores = calibration_scores(probabilities, logits, true)
    design = Design.of(confusion, true, settings, validation, by)
    parts = vars(decompose_brier(probabilities, true, n_bins=settings.n_bins))
    numbers: dict[str, Any] = {f"brier_{name}": part for name, part in parts.items()}
    recalibration = None
    if validation_outputs is not None and settings.recalibration:
        before = Scored(true == pred, confidence, scores.surprise, scores.brier, by_width)
        known: dict[str, Any] = {"validation": validation_outputs, "settings": settings, "design": design}
        recalibration, found = recalibrate(before, probabilities, logits, true, **known)
        numbers |= found
    numbers |= confusion_estimates(confusion, true, pred, design)
    numbers |= calibration_errors(confidence, by_width, by_mass, settings, by_group=by is not None)
    expected_errors = float(np.maximum(1 - confidence, 0.0).sum())
    metrics = _metrics(scores, curves, design, expected_errors, by, settings, numbers)
    classes = _classes(confusion, curves, class_names)
    tables = (classes, confusion, curves.roc, curves.precision_recall, by_width, by_mass)
    return ClassificationEvaluation(metrics, *tables, recalibration)


def _metrics(
    scores: CalibrationScores,
    curves: OneAgainstRest,
    design: Design,
    expected_errors: float,
    by: Groups | None,
    settings: EvaluationSettings,
    numbers: Mapping[str, Any],
) -> ClassificationMetrics:
    """Add the scores that are means of samples or of classes to the other `numbers`."""
    return ClassificationMetrics(
        n=len(scores.surprise),
        confidence=settings.confidence,
        **names_of(settings.groups, by),
        log_loss=mean_surprise(scores.surprise, design),
        brier=mean_brier(scores.brier, design),
        top_5_accuracy=top_k_accuracy(scores, design),
        roc_auc=mean_area(curves.areas, curves.influence, design),
        average_precision=mean_average_precision(curves.average_precisions, curves.precision_influence, design),
        **numbers,
        spiegelhalter=spiegelhalter_test(scores, expected_errors, by),
        excess_surprise=excess_surprise_test(scores, expected_errors, by),
    )


def _checked(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, probabilities: Scores, logits: Scores | None, n_classes: int
) -> tuple[Integers, Integers]:
    """Return the labels, checked like the scores."""
    shape = (int(np.shape(y_true)[0]) if np.ndim(y_true) else 0, n_classes)
    if shape[0] == 0:
        raise DataError("evaluation: there are no test samples")
    true, pred = check_labels("y_true", y_true, *shape), check_labels("y_pred", y_pred, *shape)
    check_probabilities(probabilities, shape)
    if logits is not None:
        check_logits(logits, shape)
        check_softmax(logits, probabilities)
    return true, pred


def _classes(confusion: Counts, curves: OneAgainstRest, class_names: Sequence[str]) -> tuple[ClassEvaluation, ...]:
    scores, n = class_scores(confusion), int(confusion.sum())
    return tuple(
        ClassEvaluation(
            label=label,
            name=name,
            precision=float(scores.precision[label]),
            recall=float(scores.recall[label]),
            f1=float(scores.f1[label]),
            support=int(scores.support[label]),
            predicted=int(scores.predicted[label]),
            roc_auc=curves.areas[label],
            average_precision=curves.average_precisions[label],
            status=_status(int(scores.support[label]), int(scores.predicted[label]), n),
        )
        for label, name in enumerate(class_names)
    )


def _status(support: int, predicted: int, n: int) -> Status:
    if support == 0:
        return Reason.NOT_TESTED() if predicted else Reason.NOT_TESTED_NOR_PREDICTED()
    if support == n:
        return Reason.ONLY_CLASS_TESTED()
    return OK if predicted else Reason.NEVER_PREDICTED()
