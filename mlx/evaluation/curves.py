"""ROC and precision–recall curves of one class against the rest."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers


@dataclass(frozen=True)
class ThresholdCounts:
    """What "call it positive from this score on" finds, from the strictest threshold to the laxest.

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


def roc_points(counts: ThresholdCounts, max_points: int) -> dict[str, Floats]:
    """At most ``max_points`` points of the ROC curve, both ends included, by falling threshold."""
    keep = _thin(len(counts.thresholds), max_points)
    return {
        "false_positive_rate": counts.false_positives[keep] / counts.false_positives[-1],
        "true_positive_rate": counts.true_positives[keep] / counts.true_positives[-1],
        "threshold": counts.thresholds[keep],
    }


def precision_recall_points(counts: ThresholdCounts, max_points: int) -> dict[str, Floats]:
    """At most ``max_points`` points of the precision–recall curve, by rising recall.

    Precision where nothing is called positive is 1, as in scikit-learn.
    """
    keep = _thin(len(counts.thresholds), max_points)
    hits, called = counts.true_positives[keep], (counts.true_positives + counts.false_positives)[keep]
    return {
        "recall": hits / counts.true_positives[-1],
        "precision": np.divide(hits, called, out=np.ones_like(hits), where=called > 0),
        "threshold": counts.thresholds[keep],
    }


def _thin(n_points: int, max_points: int) -> Integers:
    if n_points <= max_points:
        return np.arange(n_points)
    return np.round(np.linspace(0, n_points - 1, max_points)).astype(np.intp)
