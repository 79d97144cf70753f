"""Influence functions of rank statistics: standard errors in closed form, without resampling.

The influence of a sample is n times the change of the statistic that its weight brings about; the root of
the mean square, over √n, is the standard error that a bootstrap approaches. A similarity brings a second
part: sample j also belongs to the class mean that every classmate's similarity is measured against, and
moves all of them. That part is exact up to the density of the scores, which is smoothed. Where classes are
diffuse it is most of the variance: an interval without it held 0.65 to 0.88 at a nominal 0.95.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.stats.correlation import midranks

GRID = 4096
"""Points at which a density of scores is smoothed."""


@dataclass(frozen=True)
class EstimateWithInfluence:
    """A statistic with the influence of each sample.

    Attributes
    ----------
    estimate
        The statistic.
    influence
        (n_samples,), mean 0.
    gradient
        Computes (n_samples,), n times the derivative by each score (the last argument of the statistic).
    """

    estimate: float
    influence: Floats
    gradient: Callable[[], Floats]


def spearman(x: Floats, score: Floats) -> EstimateWithInfluence:
    """Spearman correlation of x and score, each (n_samples,) and not constant, ties by midranks."""
    n = x.size
    rank_x, rank_y = midranks(x) / n, midranks(score) / n
    rank_x, rank_y = rank_x - rank_x.mean(), rank_y - rank_y.mean()
    product, by_product = _rank_covariance(rank_x, rank_y)
    square_x, by_x = _rank_covariance(rank_x, rank_x)
    square_y, by_y = _rank_covariance(rank_y, rank_y)
    scale = np.sqrt(square_x * square_y)
    rho = float(np.clip(product / scale, -1.0, 1.0))
    influence = by_product / scale - rho / 2 * (by_x / square_x + by_y / square_y)

    def gradient() -> Floats:
        slopes: Floats = (rank_x * smoothed(score, np.ones(n)) - smoothed(score, rank_x)) / scale
        return slopes

    return EstimateWithInfluence(rho, influence, gradient)


def correlation_ratio(groups: Integers, score: Floats) -> EstimateWithInfluence:
    """η², the share of the variance of score (n_samples,) that lies between groups (n_samples,), in [0, 1]."""
    sizes = np.maximum(np.bincount(groups), 1)
    within = score - (np.bincount(groups, weights=score) / sizes)[groups]
    total = score - score.mean()
    inside, everything = float(within @ within) / score.size, float(total @ total) / score.size
    ratio = inside / everything
    influence = -(within**2 - ratio * total**2) / everything
    return EstimateWithInfluence(1 - ratio, influence, lambda: np.asarray(-2 * (within - ratio * total) / everything))


def rank_products(x: Floats, y: Floats, orders: tuple[Floats, Floats] | None = None) -> Floats:
    """Influence (n_samples,) on the sum of products of centered ranks x and y, each (n_samples,), which is its sum.

    A sample adds its own product, and changes the ranks of all others, on average by nothing. ``orders`` are the values
    that were ranked, or the ranks before they were centered by class; by default x and y have their order.
    """
    of_x, of_y = (x, y) if orders is None else orders
    others = _mean_above(of_x, y) + _mean_above(of_y, x)
    result: Floats = x * y + others - others.mean()
    return result


def _rank_covariance(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Covariance of centered ranks (as shares of n) and its influences, the ranks' own included."""
    influence = x * y + _mean_above(x, y) + _mean_above(y, x)
    return float(x @ y) / x.size, influence - influence.mean()


def _mean_above(values: Floats, weights: Floats) -> Floats:
    """Mean over samples j of weight j times [value j > value i], ties counting half: (n_samples,)."""
    ranked = np.argsort(values, kind="stable")
    cumulated = np.concatenate([[0.0], np.cumsum(weights[ranked])])
    ordered = values[ranked]
    first, last = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    result: Floats = (cumulated[-1] - (cumulated[first] + cumulated[last]) / 2) / values.size
    return result


def smoothed(score: Floats, weights: Floats) -> Floats:
    """Weighted Gaussian density (1/n) Σ_j w_j k(s_i − s_j) at every score, (n_samples,).

    Silverman's bandwidth (1986), on a grid with linear binning: O(n).
    """
    n = score.size
    quartiles = np.quantile(score, [0.25, 0.75])
    spread = float(score.std())
    if quartiles[1] > quartiles[0]:
        spread = min(spread, float(quartiles[1] - quartiles[0]) / 1.349)
    bandwidth = 0.9 * spread * n**-0.2
    low, step = float(score.min()), float(np.ptp(score)) / (GRID - 1)
    if step == 0 or bandwidth == 0:
        return np.zeros(n)
    place = (score - low) / step
    left = np.minimum(place.astype(np.intp), GRID - 2)
    share = place - left
    grid = np.bincount(left, weights=weights * (1 - share), minlength=GRID)
    grid += np.bincount(left + 1, weights=weights * share, minlength=GRID)
    # A grid padded to twice its length, so that what the transform wraps around is added to zeros.
    frequency = 2 * np.pi * np.fft.rfftfreq(2 * GRID)
    kernel = np.exp(-0.5 * (frequency * min(bandwidth / step, GRID / 6)) ** 2)
    density = np.fft.irfft(np.fft.rfft(grid, 2 * GRID) * kernel)[:GRID] / (n * step)
    result: Floats = density[left] * (1 - share) + density[left + 1] * share
    return result
