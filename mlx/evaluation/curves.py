"""ROC and precision–recall curves of every class against the rest, the areas under the former, average precision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array, Flags, Floats, Integers, Scores
from mlx.results.evaluation_tables import PrecisionRecallCurves, RocCurves
from mlx.stats.auroc import placements
from mlx.stats.average_precision import average_precision


@dataclass(frozen=True)
class ThresholdCounts:
    """How many samples reach each threshold, from the strictest to the laxest.

    Tied scores share one threshold, so no order of the samples can favor the model. The first entry is
    the threshold that nothing reaches (∞, 0 found).
    """

    thresholds: Floats
    true_positives: Floats
    false_positives: Floats


def threshold_counts(positive: Flags, scores: Floats) -> ThresholdCounts:
    """Cumulated hits and false alarms at every distinct score.

    Parameters
    ----------
    positive
        (n_samples,), whether the sample is of the class.
    scores
        (n_samples,), finite, higher meaning more likely of the class.
    """
    order = np.argsort(scores, kind="stable")[::-1]
    ranked = scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.cumsum(positive[order])[last_of_tie]
    return ThresholdCounts(
        thresholds=np.concatenate([[np.inf], ranked[last_of_tie]]),
        true_positives=np.concatenate([[0.0], hits]),
        false_positives=np.concatenate([[0.0], last_of_tie + 1.0 - hits]),
    )


def roc_points(counts: ThresholdCounts, max_points: int) -> tuple[Floats, Floats, Floats]:
    """At most ``max_points`` false and true positive rates and their thresholds, both ends included."""
    keep = _thin(len(counts.thresholds), max_points)
    false_positive_rate = counts.false_positives[keep] / counts.false_positives[-1]
    return false_positive_rate, counts.true_positives[keep] / counts.true_positives[-1], counts.thresholds[keep]


def precision_recall_points(counts: ThresholdCounts, max_points: int) -> tuple[Floats, Floats, Floats]:
    """At most ``max_points`` values of recall and precision and their thresholds, by rising recall.

    Precision where nothing is called positive is 1, as in scikit-learn.
    """
    keep = _thin(len(counts.thresholds), max_points)
    hits, called = counts.true_positives[keep], (counts.true_positives + counts.false_positives)[keep]
    precision = np.divide(hits, called, out=np.ones_like(hits), where=called > 0)
    return hits / counts.true_positives[-1], precision, counts.thresholds[keep]


def _thin(n_points: int, max_points: int) -> Integers:
    if n_points <= max_points:
        return np.arange(n_points)
    return np.round(np.linspace(0, n_points - 1, max_points)).astype(np.intp)


@dataclass(frozen=True)
class OneAgainstRest:
    """Every class against the rest.

    Attributes
    ----------
    areas
        n_classes areas under the ROC curve, NaN where undefined.
    influence
        (n_samples,), of every sample on the sum of the areas.
    average_precisions
        n_classes average precisions, NaN for a class without samples.
    precision_influence
        (n_samples,), of every sample on the sum of these, by the jackknife.
    roc, precision_recall
        The curves.
    """

    areas: tuple[float, ...]
    influence: Floats
    average_precisions: tuple[float, ...]
    precision_influence: Floats
    roc: RocCurves
    precision_recall: PrecisionRecallCurves


def one_against_rest(
    y_true: Integers, probabilities: Scores, class_names: Sequence[str], max_points: int
) -> OneAgainstRest:
    """Compute the curves of every class against the rest, at most ``max_points`` points each.

    Parameters
    ----------
    y_true
        (n_samples,), class labels.
    probabilities
        (n_samples, n_classes); may be memory-mapped.
    class_names
        n_classes names.
    max_points
        At least 2.
    """
    areas, influence = [], np.zeros(y_true.size)
    precisions, precision_influence = [], np.zeros(y_true.size)
    roc: dict[int, tuple[Floats, ...]] = {}
    precision_recall: dict[int, tuple[Floats, ...]] = {}
    for label in range(len(class_names)):
        positive, scores = y_true == label, np.asarray(probabilities[:, label], dtype=np.float64)
        counts, n_positive = threshold_counts(positive, scores), int(positive.sum())
        areas.append(np.nan)
        precisions.append(np.nan)
        if 0 < n_positive < positive.size:
            placed = placements(positive, scores)
            areas[-1] = placed.area
            influence += placed.influence(positive, placed.area)
            roc[label] = roc_points(counts, max_points)
        if n_positive > 0:
            averaged = average_precision(positive, scores)
            precisions[-1] = averaged.value
            precision_influence += averaged.influence
            precision_recall[label] = precision_recall_points(counts, max_points)
    curves = RocCurves(*_joined(roc, class_names)), PrecisionRecallCurves(*_joined(precision_recall, class_names))
    return OneAgainstRest(tuple(areas), influence, tuple(precisions), precision_influence, *curves)


def _joined(curves: dict[int, tuple[Floats, ...]], class_names: Sequence[str]) -> tuple[Array, ...]:
    """Return labels, names and the columns of the points of all curves."""
    labels = np.repeat(list(curves), [points[0].size for points in curves.values()]).astype(np.int64)
    names = np.array([*class_names], dtype=object)[labels]
    columns = [np.concatenate([np.empty(0), *(points[k] for points in curves.values())]) for k in range(3)]
    return (labels, names, *columns)
