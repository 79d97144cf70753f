"""Intervals of the mean of squared residuals, and of its ratio to that of other squares, as in R².

Squares have heavier tails than what is squared: those of Student's t with 3 degrees of freedom have no variance, and
most samples lack the squares that carry their mean. Where a distribution falls as x^−α, what lies beyond the largest
of n samples adds as much to the mean as α/(α − 1) more samples like it: 3 at α = 1.5, that of the squares of such a t.
The high end is that of the samples and these. With heavier tails no interval of a mean holds (Bahadur & Savage 1956).
"""

from dataclasses import replace

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.stats.groups import Groups
from mlx.stats.interval import Interval
from mlx.stats.mean_intervals import mean_interval, ratio_interval
from mlx.stats.status import Reason

MIN_SQUARES = 50
"""Fewest samples: of 30 with a t distribution of 3 degrees of freedom, intervals hold in 91 %."""

UNSEEN = 3
"""Further samples like the one with the largest square that the high end allows for."""

METHOD = "allows for residuals with tails up to those of t (3); conservative where they are lighter"


def mean_square_interval(squares: Floats, level: float, *, groups: Groups | None = None) -> Interval:
    """Interval of the mean of squares (n_samples,); parameters as of `mean_interval`."""
    if (found := _few(squares, groups)) is not None:
        return found
    found, (rows, more) = mean_interval(squares, level, groups=groups), _with_unseen(squares, groups)
    return _widened(found, mean_interval(squares[rows], level, groups=more))


def square_ratio_interval(squares: Floats, others: Floats, level: float, *, groups: Groups | None = None) -> Interval:
    """Interval of Σ squares / Σ others of the same samples, (n_samples,) each and at least 0."""
    if (found := _few(squares, groups)) is not None:
        return found
    found, (rows, more) = ratio_interval(squares, others, level, groups), _with_unseen(squares, groups)
    return _widened(found, ratio_interval(squares[rows], others[rows], level, more))


def share_with_larger(share: float, growth: float) -> float:
    """Return what x/(x + y), a share below 1, becomes with x as many times as large: at least the share."""
    return 1 / (1 + (1 / share - 1) / growth) if 0 < share < 1 else share


def _few(squares: Floats, groups: Groups | None) -> Interval | None:
    few = groups is None and squares.size < MIN_SQUARES
    return Interval.missing(Reason.TOO_FEW(MIN_SQUARES)) if few else None


def _widened(found: Interval, widened: Interval) -> Interval:
    if not found.why_missing.is_ok:
        return found
    return replace(found, high=max(found.high, widened.high), method=METHOD)


def _with_unseen(squares: Floats, groups: Groups | None) -> tuple[Integers, Groups | None]:
    """Rows of all samples and of the largest, or its group, `UNSEEN` times again; and the groups of these rows."""
    codes = np.arange(squares.size) if groups is None else groups.codes
    largest = np.flatnonzero(codes == np.argmax(np.bincount(codes, weights=squares)))
    rows = np.concatenate([np.arange(codes.size), np.tile(largest, UNSEEN)])
    if groups is None:
        return rows, None
    return rows, Groups(np.concatenate([codes, groups.count + np.repeat(np.arange(UNSEEN), largest.size)]))
