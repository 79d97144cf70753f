"""Labels that contradict confident predictions, by confident learning (Northcutt, Jiang and Chuang 2021).

The rule is the filter ``confident_learning`` of cleanlab. The probabilities have to be of a model that was not trained
on the samples.
"""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers, Scores
from mlx.core.checks import check_labels
from mlx.core.streams import stream

TOLERANCE = 1e-6
"""A probability counts as confident from this far below the threshold of its class, which is at least twice this; a
label so close to the most probable class is not flagged."""

DRAWS = 200
"""Draws of labels for the number that flawless labels would have."""


@dataclass(frozen=True)
class LabelIssues:
    """Which of n labels are likely wrong.

    Attributes
    ----------
    flagged
        (n,), whether each label is.
    suggested
        (n,), the class that the prediction is confident of; the label itself where there is no confident class.
    thresholds
        (n_classes,), mean probability of a class among the samples with its label; ∞ of a class without samples.
    """

    flagged: Flags
    suggested: Integers
    thresholds: Floats


def label_issues(probabilities: Scores, labels: Integers) -> LabelIssues:
    """Flag labels (n,) by `probabilities` (n, n_classes).

    A prediction is confident of the classes k with p_k ≥ t_k − 1e-6; of several, of the most probable class of all. A
    label is flagged where the prediction is confident of another class, and another class is more probable than the
    label by 1e-6.

    Raises
    ------
    DataError
        A label is no class.
    """
    p = np.asarray(probabilities, np.float64)
    given = check_labels("labels", labels, *p.shape)
    totals = np.bincount(given, weights=p[np.arange(len(p)), given], minlength=p.shape[1])
    counts = np.bincount(given, minlength=p.shape[1])
    thresholds = np.divide(totals, counts, out=np.full(p.shape[1], np.inf), where=counts > 0)
    confident = p >= np.maximum(thresholds, 2 * TOLERANCE) - TOLERANCE
    number = confident.sum(axis=1)
    guess = np.where(number > 1, p.argmax(axis=1), confident.argmax(axis=1))
    suggested = np.where(number > 0, guess, given)
    favoring = p.copy()
    favoring[np.arange(len(p)), given] += TOLERANCE
    return LabelIssues((suggested != given) & (favoring.argmax(axis=1) != given), suggested, thresholds)


def flawless_count(probabilities: Scores, *, seed: int, draws: int = DRAWS) -> float:
    """Return how many labels would be flagged on average if labels were drawn from `probabilities` (n, n_classes).

    The thresholds are those of each draw. The probabilities have to be calibrated for the number to mean something.
    """
    p = np.asarray(probabilities, np.float64)
    ends = np.cumsum(p, axis=1)
    ends /= ends[:, -1:]
    total = 0
    for draw in range(draws):
        u = stream(seed, draw).random((len(p), 1))
        total += int(label_issues(p, (u >= ends[:, :-1]).sum(axis=1)).flagged.sum())
    return total / draws
