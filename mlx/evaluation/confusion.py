"""Which class is taken for which: the confusion counts and every metric that follows from them alone.

Conventions are scikit-learn's with ``zero_division=0``: a ratio with nothing in its denominator is 0;
macro averages run over the classes that occur in ``y_true`` or ``y_pred``; balanced accuracy over those
that occur in ``y_true``.
"""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Counts, Floats, Integers
from mlx.core.checks import row_blocks


def confusion_counts(y_true: Integers, y_pred: Integers, n_classes: int) -> Counts:
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


def confusion_metrics(confusion: Counts) -> dict[str, float]:
    """Metrics that follow from the counts alone, each but kappa and Matthews in [0, 1]; higher is better.

    ``accuracy``, ``balanced_accuracy``; precision, recall and F1 as ``macro_`` (plain) and ``weighted_`` (by
    support) means; ``cohen_kappa``, accuracy beyond that of chance with these margins, in [−1, 1];
    ``matthews_corrcoef``, the correlation of true and predicted class, in [−1, 1]. Where their denominator is
    0 the last two are 0, as in scikit-learn: every prediction, or every label, is of one class.
    """
    row, column = np.nonzero(confusion)
    cells = confusion[row, column][None].astype(np.float64)
    return {name: float(values[0]) for name, values in metrics_of_cells(row, column, cells, len(confusion)).items()}


def metrics_of_cells(row: Integers, column: Integers, cells: Floats, n_classes: int) -> dict[str, Floats]:
    """Compute `confusion_metrics` of many tables with the same empty cells at once.

    Parameters
    ----------
    row, column
        (n_cells,), the true and the predicted class of each cell that may be filled.
    cells
        (n_tables, n_cells), counts; every table has the same total.
    n_classes
        Classes in the whole table.

    Returns
    -------
    dict
        Name → (n_tables,).
    """
    support, predicted = _marginal(row, cells, n_classes), _marginal(column, cells, n_classes)
    on = row == column
    hits = _marginal(row[on], cells[:, on], n_classes)
    n, right = cells.sum(axis=1), hits.sum(axis=1)
    precision, recall = _ratios(hits, predicted), _ratios(hits, support)
    f1 = _ratios(2 * hits, support + predicted)
    seen, known = support + predicted > 0, support > 0
    found = {"accuracy": right / n, "balanced_accuracy": (recall * known).sum(axis=1) / known.sum(axis=1)}
    for name, scores in (("precision", precision), ("recall", recall), ("f1", f1)):
        found[f"macro_{name}"] = (scores * seen).sum(axis=1) / seen.sum(axis=1)
        found[f"weighted_{name}"] = (scores * support).sum(axis=1) / n
    expected = (support * predicted).sum(axis=1)
    covariance = right * n - expected
    left, above = n * n - (support**2).sum(axis=1), n * n - (predicted**2).sum(axis=1)
    found["cohen_kappa"] = _ratios(covariance, n * n - expected)
    found["matthews_corrcoef"] = _ratios(covariance, np.sqrt(left * above))
    return found


def _marginal(labels: Integers, cells: Floats, n_classes: int) -> Floats:
    if labels.size == 0:
        return np.zeros((len(cells), n_classes))
    order = np.argsort(labels, kind="stable")
    present, starts = np.unique(labels[order], return_index=True)
    result = np.zeros((len(cells), n_classes))
    result[:, present] = np.add.reduceat(cells[:, order], starts, axis=1)
    return result


def _ratios(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)


def bootstrap_errors(confusion: Counts, *, n_bootstrap: int, generator: np.random.Generator) -> dict[str, float]:
    """Standard errors of `confusion_metrics`, from resampled samples, that is from multinomial cells.

    Costs as much as the table has filled cells, however many samples stand in them.
    """
    row, column = np.nonzero(confusion)
    counts = confusion[row, column]
    replicates: dict[str, list[Floats]] = {}
    for block in row_blocks(n_bootstrap, 8 * max(counts.size, len(confusion))):
        size = block.stop - block.start
        cells = generator.multinomial(int(counts.sum()), counts / counts.sum(), size=size).astype(np.float64)
        for name, values in metrics_of_cells(row, column, cells, len(confusion)).items():
            replicates.setdefault(name, []).append(values)
    return {name: float(np.concatenate(values).std(ddof=1)) for name, values in replicates.items()}
