"""Everything the ``evaluate`` step reports of a classifier, from its scores on the test set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import check_labels
from mlx.core.errors import DataError
from mlx.evaluation.calibration import RELIABILITY_COLUMNS, equal_mass_reliability_table, reliability_table
from mlx.evaluation.checks import check_logits, check_probabilities, check_softmax
from mlx.evaluation.confusion import class_scores, confusion_counts
from mlx.evaluation.curves import precision_recall_points, roc_points, threshold_counts
from mlx.evaluation.decomposition import decompose_brier
from mlx.evaluation.headline import Metrics, area_metrics, calibration_metrics, counted_metrics, scored_metrics
from mlx.evaluation.settings import EvaluationSettings
from mlx.stats.auroc import placements
from mlx.stats.calibration_scores import calibration_scores

CLASS_COLUMNS = ("class", "name", "precision", "recall", "f1", "support", "predicted", "roc_auc", "status")
ROC_COLUMNS = ("class", "name", "false_positive_rate", "true_positive_rate", "threshold")
PRECISION_RECALL_COLUMNS = ("class", "name", "recall", "precision", "threshold")


TABLE_COLUMNS = {
    "per_class": CLASS_COLUMNS,
    "roc": ROC_COLUMNS,
    "precision_recall": PRECISION_RECALL_COLUMNS,
    "reliability": RELIABILITY_COLUMNS,
    "reliability_equal_mass": RELIABILITY_COLUMNS,
}
"""Columns of every table, for a file that has its header and no rows."""


@dataclass(frozen=True)
class ClassificationEvaluation:
    """The evaluation of a classifier.

    Attributes
    ----------
    metrics
        Headline scalars and the ends of their intervals; None where undefined (``roc_auc`` with a single
        class in the test set) or where no interval covers (`mlx.evaluation.headline`).
    classes
        One row a class, always all classes, `CLASS_COLUMNS`; ``status`` explains every 0 or blank that is
        a convention and not a measurement.
    confusion
        Counts (n_classes, n_classes), row true, column predicted.
    roc, precision_recall
        Curves of each class against the rest, by falling threshold; a class for which the curve is
        undefined has no rows.
    reliability, reliability_equal_mass
        One row a confidence bin, of equal width or of equally many samples.
    """

    metrics: Metrics
    classes: pd.DataFrame
    confusion: npt.NDArray[np.int64]
    roc: pd.DataFrame
    precision_recall: pd.DataFrame
    reliability: pd.DataFrame
    reliability_equal_mass: pd.DataFrame


def evaluate_classification(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    probabilities: Scores,
    *,
    logits: Scores | None = None,
    class_names: Sequence[str],
    settings: EvaluationSettings,
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

    Raises
    ------
    DataError
        If there is no sample, a shape is wrong, a label is no class, or a row of scores can't be used.
    """
    shape = (int(np.shape(y_true)[0]) if np.ndim(y_true) else 0, len(class_names))
    if shape[0] == 0:
        raise DataError("evaluation: there are no test samples")
    true = check_labels("y_true", y_true, *shape)
    pred = check_labels("y_pred", y_pred, *shape)
    check_probabilities(probabilities, shape)
    if logits is not None:
        check_logits(logits, shape)
        check_softmax(logits, probabilities)
    confusion = confusion_counts(true, pred, shape[1])
    areas, influence, roc, precision_recall = _one_against_rest(true, probabilities, class_names, settings.curve_points)
    confidence = np.asarray(probabilities[np.arange(true.size), pred], dtype=np.float64)
    reliability = tuple(
        table(confidence, true == pred, n_bins=settings.n_bins)
        for table in (reliability_table, equal_mass_reliability_table)
    )
    scores = calibration_scores(probabilities, logits, true)
    metrics = counted_metrics(confusion, settings) | scored_metrics(scores, shape[1], settings)
    parts = vars(decompose_brier(probabilities, true, n_bins=settings.n_bins))
    metrics |= {f"brier_{name}": part for name, part in parts.items()}
    metrics |= area_metrics(areas, influence, confusion.sum(axis=1), settings)
    metrics |= calibration_metrics(confidence, scores, (reliability[0], reliability[1]), settings)
    classes = _class_table(confusion, areas, class_names)
    return ClassificationEvaluation(metrics, classes, confusion, roc, precision_recall, *reliability)


def _one_against_rest(
    true: Integers, probabilities: Scores, names: Sequence[str], max_points: int
) -> tuple[list[float | None], Floats, pd.DataFrame, pd.DataFrame]:
    areas: list[float | None] = []
    influence = np.zeros(true.size)
    roc, precision_recall = [_empty(ROC_COLUMNS)], [_empty(PRECISION_RECALL_COLUMNS)]
    for label, name in enumerate(names):
        scores = np.asarray(probabilities[:, label], dtype=np.float64)
        positive, identity = true == label, {"class": label, "name": name}
        counts = threshold_counts(positive, scores)
        areas.append(None)
        if 0 < counts.true_positives[-1] < true.size:
            placed = placements(positive, scores)
            areas[-1] = placed.area
            influence += placed.influence(positive, placed.area)
            roc.append(pd.DataFrame(identity | roc_points(counts, max_points)))
        if counts.true_positives[-1] > 0:
            precision_recall.append(pd.DataFrame(identity | precision_recall_points(counts, max_points)))
    return areas, influence, _stack(roc), _stack(precision_recall)


def _empty(columns: Sequence[str]) -> pd.DataFrame:
    kinds = {"class": "int64", "name": "object"}
    return pd.DataFrame({c: pd.Series(dtype=kinds.get(c, "float64")) for c in columns})


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    # pandas warns when it joins an empty table, so that one stands in only where there is nothing else.
    return pd.concat(tables[1:], ignore_index=True) if len(tables) > 1 else tables[0]


def _class_table(confusion: npt.NDArray[np.int64], areas: list[float | None], names: Sequence[str]) -> pd.DataFrame:
    scores = class_scores(confusion)
    status = [
        _class_status(int(support), int(predicted), int(confusion.sum()))
        for support, predicted in zip(scores.support, scores.predicted, strict=True)
    ]
    return pd.DataFrame(
        {
            "class": np.arange(len(names)),
            "name": list(names),
            "precision": scores.precision,
            "recall": scores.recall,
            "f1": scores.f1,
            "support": scores.support,
            "predicted": scores.predicted,
            "roc_auc": np.array(areas, dtype=np.float64),
            "status": status,
        },
        columns=list(CLASS_COLUMNS),
    )


def _class_status(support: int, predicted: int, n: int) -> str:
    if support == 0:
        return "not in the test set" if predicted else "not in the test set, never predicted"
    if support == n:
        return "the only class in the test set"
    return "ok" if predicted else "never predicted"
