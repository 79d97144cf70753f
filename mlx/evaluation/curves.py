"""ROC and precision–recall curves of one class against the rest, and the area under the former."""

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


def roc_auc(counts: ThresholdCounts) -> float | None:
    """Area under the ROC curve, in [0, 1], 0.5 for chance, higher is better.

    Equals the chance that a positive outscores a negative, ties counting half (Mann–Whitney by midranks).
    None if there is no positive or no negative.
    """
    n_positive, n_negative = counts.true_positives[-1], counts.false_positives[-1]
    if n_positive == 0 or n_negative == 0:
        return None
    area = np.trapezoid(counts.true_positives, counts.false_positives)
    return float(area / (n_positive * n_negative))


def roc_influence(positive: Flags, scores: Floats) -> Floats:
    """Influence (n_samples,) of every sample on the area: the mean of their squares, over n, is its variance.

    Source: DeLong, DeLong & Clarke-Pearson (1988). There must be two positives and two negatives at least.
    """
    n, ordered = positive.size, [np.sort(scores[positive == kind]) for kind in (False, True)]
    influence = np.empty(n)
    for kind in (False, True):
        own, others = scores[positive == kind], ordered[not kind]
        below, upto = (np.searchsorted(others, own, side) for side in ("left", "right"))
        share = (below + upto) / (2 * others.size)
        share = share if kind else 1 - share
        # Variances divide by one less than the number of samples, which a rare class makes felt.
        influence[positive == kind] = (share - share.mean()) * n / np.sqrt(own.size * (own.size - 1))
    return influence


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
