"""The false positive rate at a threshold that finds 95 % of the positives, with an interval for both of its causes."""

import numpy as np
from scipy.special import betaincinv, gammaln

from mlx.core.array_types import Flags, Floats
from mlx.stats.interval import Interval

MISSED = 20
"""One positive in so many is missed: 1 - 0.95."""

METHOD = "quantiles over the binomial rank of the threshold among positives and a Beta distribution of the rate at it"
GRID = 200


def fpr_at_95(positive: Flags, score: Floats) -> float:
    """Share of negatives that score at least as high as the threshold that finds 95 % of the positives.

    The threshold is the largest score that at least 95 % of the positives reach. Lower is better.

    Parameters
    ----------
    positive
        (n_samples,), both kinds must occur.
    score
        (n_samples,), finite.
    """
    found = np.sort(score[positive])
    return float((score[~positive] >= found[found.size // MISSED]).mean())


def fpr_interval(positive: Flags, score: Floats, level: float) -> Interval:
    """Interval of the false positive rate at the population's own threshold.

    How many of the m positives lie below that threshold is Binomial(m, 0.05); between two positives, the threshold is
    at either with equal weight. At a threshold that c of the k negatives reach, the rate is Beta(c + ½, k − c + ½).
    """
    found, others = np.sort(score[positive]), np.sort(score[~positive])
    m, k = found.size, others.size
    below = np.arange(m + 1)
    log_share = gammaln(m + 1) - gammaln(below + 1) - gammaln(m - below + 1)
    weights = np.exp(log_share - below * np.log(MISSED) + (m - below) * np.log1p(-1 / MISSED))
    kept = weights > 1e-7
    above = k - np.searchsorted(others, found, side="left")
    reached = np.concatenate([[k], above, [0]])  # thresholds below all positives, at each of them, and above all
    ends = np.concatenate([reached[below[kept]], reached[below[kept] + 1]])
    counts, place = np.unique(ends, return_inverse=True)
    mass = np.bincount(place, weights=np.tile(weights[kept], 2))
    share = (np.arange(GRID) + 0.5) / GRID
    rates = betaincinv(counts[:, None] + 0.5, k - counts[:, None] + 0.5, share).ravel()
    order = np.argsort(rates)
    masses = np.repeat(mass, GRID)[order]
    upto = np.cumsum(masses) / masses.sum()
    low, high = (float(rates[order][np.searchsorted(upto, end)]) for end in ((1 - level) / 2, (1 + level) / 2))
    return Interval(low, high, level, METHOD)
