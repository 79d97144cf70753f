"""Four functions of the entropies of a pair, and their sums over all pairs in O(n) of sorted entropies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from mlx.core.array_types import Floats
from mlx.results.questions import Statistic

PairStatistic: TypeAlias = Literal[
    Statistic.MEAN_ENTROPY, Statistic.ENTROPY_DIFFERENCE, Statistic.ENTROPY_PRODUCT, Statistic.SQUARED_DIFFERENCE
]

PAIR_STATISTICS: tuple[PairStatistic, ...] = get_args(PairStatistic)
"""In the order of all arrays (4,); each is defined by `of_pairs`."""

DEGREES = np.array([1, 1, 2, 2])
"""Power of the entropies' unit that each function comes in."""


@dataclass(frozen=True)
class EntropyPairs:
    """Moments over pairs i < j of the four functions, each (4,) in the order of `PAIR_STATISTICS`.

    Attributes
    ----------
    shift
        What the functions add to each entropy.
    own_mean, mean
        Mean over the pairs, without and with the shift.
    square
        Sum of squared deviations from it.
    row_square
        Σ_i (Σ_{j≠i} m_ij)² where m_ij are the deviations: how much of them comes from single samples.
    """

    shift: float
    own_mean: Floats
    mean: Floats
    square: Floats
    row_square: Floats


def of_pairs(statistic: PairStatistic, h: Floats, k: Floats) -> Floats:
    """(h + k)/2, |h − k|, h·k or (h − k)² of entropies less their mean, which broadcast."""
    match statistic:
        case Statistic.MEAN_ENTROPY:
            return (h + k) / 2
        case Statistic.ENTROPY_DIFFERENCE:
            return np.abs(h - k)
        case Statistic.ENTROPY_PRODUCT:
            return h * k
        case Statistic.SQUARED_DIFFERENCE:
            return (h - k) ** 2


def entropy_pairs(h: Floats, shift: float) -> EntropyPairs:
    """Sum over all pairs of n ≥ 2 samples.

    Parameters
    ----------
    h
        (n,), entropies less their mean, ascending.
    shift
        The mean of these samples less the mean of all.
    """
    n, n_pairs = h.size, h.size * (h.size - 1) / 2
    squares = h * h
    h1, h2, h3, h4 = float(h.sum()), float(squares.sum()), float(squares @ h), float(squares @ squares)
    del squares
    total, row_square = np.empty(4), np.empty(4)
    for place, rows in enumerate(_row_sums(h, h1, h2)):  # one after the other, as each is as long as the entropies
        total[place] = rows.sum() / 2
        if PAIR_STATISTICS[place] == Statistic.ENTROPY_PRODUCT:
            rows += shift * ((n - 2) * h + h1)
        rows -= rows.mean()
        row_square[place] = np.einsum("n,n->", rows, rows)
    raw = np.array([((n - 2) * h2 + h1**2) / 4, n * h2 - h1**2, (h2**2 - h4) / 2, n * h4 - 4 * h3 * h1 + 3 * h2**2])
    square = raw - total**2 / n_pairs
    # (h + δ)(k + δ) = hk + 2δ (h + k)/2 + δ²
    shared = (h2 * h1 - h3) / 2 - total[0] * total[2] / n_pairs
    square[2] += 4 * shift * shared + 4 * shift**2 * square[0]
    own_mean = total / n_pairs
    mean = own_mean.copy()
    mean[2] += 2 * shift * mean[0] + shift**2
    mean[0] += shift
    return EntropyPairs(shift, own_mean, mean, square.clip(0.0), row_square)


def _row_sums(h: Floats, h1: float, h2: float) -> Iterator[Floats]:
    """Sum of each function over the others of every sample (n,), from sorted entropies with Σ h and Σ h²."""
    n = h.size
    yield ((n - 2) * h + h1) / 2
    yield (np.arange(n) * 2 - n) * h + h1 - 2 * (np.cumsum(h) - h)
    yield h * (h1 - h)
    yield n * (h * h) - 2 * h * h1 + h2
