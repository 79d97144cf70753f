"""Which class is taken for which: the confusion counts and every metric that follows from them alone.

Conventions are scikit-learn's with ``zero_division=0``: a ratio with nothing in its denominator is 0;
macro averages run over the classes that occur in ``y_true`` or ``y_pred``; balanced accuracy over those
that occur in ``y_true``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.core.proportions import wilson_interval

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def confusion_counts(y_true: npt.NDArray[np.intp], y_pred: npt.NDArray[np.intp], n_classes: int) -> Counts:
    """Count (n_classes, n_classes) outcomes: the row is the true class, the column the predicted one."""
    cells = np.bincount(y_true * n_classes + y_pred, minlength=n_classes * n_classes)
    return cells.reshape(n_classes, n_classes).astype(np.int64)


@dataclass(frozen=True)
class ClassScores:
    """Per-class metrics, each (n_classes,); higher is better, in [0, 1]."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Counts
    predicted: Counts


def class_scores(confusion: Counts) -> ClassScores:
    """Precision, recall and F1 of every class from the confusion counts; 0 where undefined."""
    hits, support, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return ClassScores(
        precision=_ratio(hits, predicted),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, support + predicted),
        support=support,
        predicted=predicted,
    )


def _ratio(numerator: Counts, denominator: Counts) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)


def confusion_metrics(confusion: Counts) -> dict[str, float | int | None]:
    """Headline metrics from the counts: accuracy with its interval, balanced accuracy, macro averages."""
    scores = class_scores(confusion)
    n, hits = int(confusion.sum()), int(np.trace(confusion))
    low, high = wilson_interval(hits, n)
    seen = (scores.support + scores.predicted) > 0
    return {
        "n": n,
        "accuracy": hits / n,
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy": float(scores.recall[scores.support > 0].mean()),
        "macro_precision": float(scores.precision[seen].mean()),
        "macro_recall": float(scores.recall[seen].mean()),
        "macro_f1": float(scores.f1[seen].mean()),
    }
