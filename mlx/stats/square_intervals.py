"""Intervals of the mean of squared residuals, and of its ratio to that of other squares, as in R².

Squares have heavier tails than what is squared: those of Student's t with 3 degrees of freedom have no variance, and
most samples lack the squares that carry their mean. Where a distribution falls as x^−α, what lies beyond the largest
of n samples adds as much to the mean as α/(α − 1) more samples like it: 3 at α = 1.5, that of the squares of such a t.
The high end is that of the samples and these, with α by Hill (1975). No interval of a mean holds for all distributions
(Bahadur & Savage 1956): a sample without any of the rare values that carry it doesn't show that it lacks them.
"""

from collections.abc import Callable
from dataclasses import replace
from math import ceil

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.stats.groups import Groups
from mlx.stats.interval import Interval
from mlx.stats.mean_intervals import mean_interval, ratio_interval
from mlx.stats.status import Reason

MIN_SQUARES = 50
"""Fewest samples: of 30 with a t distribution of 3 degrees of freedom, intervals hold in 91 %."""

MOST_UNSEEN = 9
"""Most samples like the one with the largest square that the high end allows for, as 9/8 for the exponent would."""

METHOD = "allows for larger residuals than those of the sample, by its tails; conservative where these are light"


def mean_square_interval(squares: Floats, level: float, *, groups: Groups | None = None) -> Interval:
    """Interval of the mean of squares (n_samples,); parameters as of `mean_interval`."""

    def mean(rows: Integers | slice, by: Groups | None) -> Interval:
        return mean_interval(squares[rows], level, groups=by)

    return _with_larger_squares(mean, squares, groups)


def square_ratio_interval(squares: Floats, others: Floats, level: float, *, groups: Groups | None = None) -> Interval:
    """Interval of Σ squares / Σ others of the same samples, (n_samples,) each and at least 0."""

    def ratio(rows: Integers | slice, by: Groups | None) -> Interval:
        return ratio_interval(squares[rows], others[rows], level, by)

    return _with_larger_squares(ratio, squares, groups)


def share_with_larger(share: float, growth: float) -> float:
    """Return what x/(x + y), a share below 1, becomes with x as many times as large: at least the share."""
    return 1 / (1 + (1 / share - 1) / growth) if 0 < share < 1 else share


def _with_larger_squares(
    interval: Callable[[Integers | slice, Groups | None], Interval], squares: Floats, groups: Groups | None
) -> Interval:
    """Return the interval of all samples, its high end that with the squares that they may lack."""
    if groups is None and squares.size < MIN_SQUARES:
        return Interval.missing(Reason.TOO_FEW(MIN_SQUARES))
    found = interval(slice(None), groups)
    if not found.why_missing.is_ok:
        return found
    return replace(found, high=max(found.high, interval(*_with_unseen(squares, groups)).high), method=METHOD)


def _with_unseen(squares: Floats, groups: Groups | None) -> tuple[Integers, Groups | None]:
    """Rows of all samples and of the largest, or its group, some times again; and the groups of these rows."""
    codes, sums = (np.arange(squares.size), squares) if groups is None else (groups.codes, groups.sums(squares))
    largest, unseen = np.flatnonzero(codes == np.argmax(sums)), _unseen(sums)
    rows = np.concatenate([np.arange(codes.size), np.tile(largest, unseen)])
    if groups is None:
        return rows, None
    return rows, Groups(np.concatenate([codes, groups.count + np.repeat(np.arange(unseen), largest.size)]))


def _unseen(sums: Floats) -> int:
    """Return α/(α − 1), rounded up, with Hill's estimate of α from the 2√n largest of n sums that are at least 0."""
    k = round(2 * np.sqrt(sums.size))
    largest = np.sort(sums)[::-1][: k + 1]
    if largest[k] == 0:
        return MOST_UNSEEN
    inverse = float(np.log(largest[:k] / largest[k]).mean())
    return MOST_UNSEEN if inverse >= 1 - 1 / MOST_UNSEEN else ceil(1 / (1 - inverse))
