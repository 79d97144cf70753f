"""Area under the ROC curve: its value, and the influence of every sample on it."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.stats.influence import EstimateWithInfluence, smoothed


@dataclass(frozen=True)
class Placements:
    """Where each sample stands among those of the other kind, ties counting half (DeLong et al. 1988).

    Attributes
    ----------
    above
        (n_positive,), share of the negatives that score below each positive.
    below
        (n_negative,), share of the positives that score above each negative.
    area
        AUROC, in [0, 1]: the mean of either, rounded once; ``above.mean()`` can differ in the last digit.
    """

    above: Floats
    below: Floats
    area: float

    def influence(self, positive: Flags, area: float) -> Floats:
        """Influence (n_samples,) of every sample on the area: the mean of their squares, over n, is its variance."""
        n, found = positive.size, np.empty(positive.size)
        for kind, placed in ((positive, self.above), (~positive, self.below)):
            # DeLong's variances divide by one less than the number of samples, which matters where it is small.
            found[kind] = (placed - area) * n / np.sqrt(placed.size * max(1, placed.size - 1))
        return found


def placements(positive: Flags, score: Floats) -> Placements:
    """Place every sample among those of the other kind, in O(n log n).

    Parameters
    ----------
    positive
        (n_samples,), both kinds must occur.
    score
        (n_samples,), finite.
    """
    positives, negatives = score[positive], score[~positive]
    above = _twice_number_below(positives, negatives)
    below = 1 - _twice_number_below(negatives, positives) / (2 * positives.size)
    area = int(above.sum()) / (2 * positives.size * negatives.size)
    return Placements(above / (2 * negatives.size), below, area)


def _twice_number_below(own: Floats, others: Floats) -> Integers:
    ordered = np.sort(others)
    return np.searchsorted(ordered, own, "left") + np.searchsorted(ordered, own, "right")


def auroc(positive: Flags, score: Floats) -> EstimateWithInfluence:
    """Chance that a positive scores above a negative, ties counting half, with the influence of every sample.

    Parameters
    ----------
    positive
        (n_samples,), both kinds must occur.
    score
        (n_samples,), finite.
    """
    n, n_positive = positive.size, int(positive.sum())
    placed = placements(positive, score)
    area = float(placed.above.mean())

    def gradient() -> Floats:
        positives, negatives = (smoothed(score, kind.astype(np.float64)) for kind in (positive, ~positive))
        slopes: Floats = np.where(positive, negatives, -positives) * n * n / (n_positive * (n - n_positive))
        return slopes

    return EstimateWithInfluence(area, placed.influence(positive, area), gradient)
