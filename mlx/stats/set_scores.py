"""Scores of classes by which prediction sets are made: a set contains the classes whose score is at most a threshold.

LAC (Sadinle, Lei and Wasserman 2019), APS (Romano, Sesia and Candès 2020), RAPS (Angelopoulos et al. 2021).
`mlx.stats.conformal` has the threshold.
"""

import numpy as np

from mlx.core.array_types import Floats, Indices, Integers
from mlx.core.streams import stream

PENALTY, FREE_RANKS = 0.01, 5
"""λ and k_reg of RAPS."""

BLOCK = 1 << 20
"""Uniform numbers drawn at once: rows of raw data may be many more than samples."""


def lac_scores(log_probabilities: Floats) -> Floats:
    """Return 1 − p (n, n_classes) of log-probabilities (n, n_classes), exact also where p is close to 1."""
    return -np.expm1(log_probabilities)


def aps_scores(probabilities: Floats, u: Floats) -> Floats:
    """Return the sum of all larger probabilities plus u times the class's own, (n, n_classes).

    Parameters
    ----------
    probabilities
        (n, n_classes).
    u
        (n,), from 0 to 1, one for each sample: `uniform_of`.
    """
    larger, _ = _above(probabilities)
    return np.asarray(larger + u[:, None] * probabilities)


def raps_scores(probabilities: Floats, u: Floats, *, penalty: float = PENALTY, free_ranks: int = FREE_RANKS) -> Floats:
    """Return APS scores plus ``penalty * max(0, rank - free_ranks)``, where the largest probability has rank 1."""
    larger, n_larger = _above(probabilities)
    return np.asarray(larger + u[:, None] * probabilities + penalty * np.maximum(0, n_larger + 1 - free_ranks))


def _above(probabilities: Floats) -> tuple[Floats, Integers]:
    """Return the sum and the number of the probabilities in a row that are larger than each, (n, n_classes)."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    places = np.broadcast_to(np.arange(ranked.shape[1]), ranked.shape)
    is_first = np.diff(ranked, axis=1, prepend=np.inf) != 0  # of those that are equal
    first = np.maximum.accumulate(np.where(is_first, places, 0), axis=1)
    sums, counts = np.empty_like(ranked), np.empty(ranked.shape, np.intp)
    np.put_along_axis(sums, order, np.take_along_axis(before, first, axis=1), axis=1)
    np.put_along_axis(counts, order, first, axis=1)
    return sums, counts


def uniform_of(index: Indices, seed: int) -> Floats:
    """Return a uniform number (n,) for each sample of these row numbers (n,): the same in any set of samples."""
    generator, order = stream(seed), np.argsort(index, kind="stable")
    ascending, found = index[order], np.empty(len(index))
    for start in range(0, int(index.max(initial=-1)) + 1, BLOCK):
        first, last = np.searchsorted(ascending, (start, start + BLOCK))
        found[order[first:last]] = generator.random(BLOCK)[ascending[first:last] - start]
    return found


def own_scores(scores: Floats, y_true: Integers) -> Floats:
    """Return the score (n,) of the true class, by which a threshold is calibrated."""
    return np.asarray(scores[np.arange(len(y_true)), y_true])
