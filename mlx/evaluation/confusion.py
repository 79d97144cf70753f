"""Which class is taken for which: the confusion counts and every metric that follows from them alone.

Conventions are scikit-learn's with ``zero_division=0``: a ratio with nothing in its denominator is 0;
macro averages run over the classes that occur in ``y_true`` or ``y_pred``; balanced accuracy over those
that occur in ``y_true``.
"""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Counts, Floats, Integers


def confusion_counts(y_true: Integers, y_pred: Integers, n_classes: int) -> Counts:
    """Count the outcomes.

    Parameters
    ----------
    y_true, y_pred
        (n_samples,), labels below ``n_classes``.
    n_classes
        Number of classes.

    Returns
    -------
    Counts
        (n_classes, n_classes); the row is the true class, the column the predicted one.
    """
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
    hits, support, predicted = margins(confusion)
    return ClassScores(
        precision=_ratio(hits, predicted),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, support + predicted),
        support=support,
        predicted=predicted,
    )


def margins(confusion: Counts) -> tuple[Counts, Counts, Counts]:
    """Return the right predictions, the samples, and the predictions of every class, (n_classes,) each."""
    return np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)


def _ratio(numerator: Counts | Floats, denominator: Counts | Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)


def confusion_metrics(hits: Counts | Floats, support: Counts | Floats, predicted: Counts | Floats) -> dict[str, float]:
    """Metrics that follow from the counts alone, each but kappa and Matthews in [0, 1]; higher is better.

    ``accuracy``, ``balanced_accuracy``; precision, recall and F1 as ``macro_`` (plain) and ``weighted_`` (by
    support) means; ``cohen_kappa``, accuracy beyond that of chance with these margins, in [−1, 1];
    ``matthews_corrcoef``, the correlation of true and predicted class, in [−1, 1]. Where their denominator is
    0 the last two are 0, as in scikit-learn: every prediction, or every label, is of one class.

    Parameters
    ----------
    hits, support, predicted
        (n_classes,), diagonal, row sums and column sums of the table; counts, or any multiple of them.
    """
    hits, support, predicted = (values.astype(np.float64) for values in (hits, support, predicted))
    n, right = support.sum(), hits.sum()
    scores = {
        "precision": _ratio(hits, predicted),
        "recall": _ratio(hits, support),
        "f1": _ratio(2 * hits, support + predicted),
    }
    n_seen, n_known = int((support + predicted > 0).sum()), int((support > 0).sum())
    found = {"accuracy": right / n, "balanced_accuracy": scores["recall"].sum() / n_known}
    for name, values in scores.items():
        found[f"macro_{name}"] = values.sum() / n_seen
        found[f"weighted_{name}"] = (values * support).sum() / n
    expected = (support * predicted).sum()
    covariance = right * n - expected
    left, above = n * n - (support**2).sum(), n * n - (predicted**2).sum()
    found["cohen_kappa"] = covariance / (n * n - expected) if n * n > expected else 0.0
    found["matthews_corrcoef"] = covariance / np.sqrt(left * above) if left * above > 0 else 0.0
    return {name: float(value) for name, value in found.items()}
