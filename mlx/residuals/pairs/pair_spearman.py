"""Spearman correlation over pairs: exact for millions of pairs, streamed with a bound for billions.

Ranks have no closed form, so that all pairs are visited: O(n²·d). For up to `EXACT_PAIRS` they are ranked in
memory. Beyond, two passes over blocks of pairs count both variables in bins and correlate the bins'
midranks: where bins hold the share ε of the variance of ranks, the correlation is wrong by at most
√ε_s + √ε_m + √(ε_s ε_m). It describes, as `mlx.residuals.pairs.pair_correlations` does, and has no p-value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.association.layer import MIN_SAMPLES
from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS, PairStatistic, of_pairs
from mlx.residuals.pairs.pair_moments import PairGroup, PairMoments, group_moments, pair_group, why_undefined
from mlx.residuals.pairs.rank_bins import BinCounts, Bins, bins_from, rank_in_place
from mlx.residuals.similarity.directions import Directions, Rows, dense
from mlx.residuals.similarity.lift import CenteredDirections, swap_constant_terms
from mlx.results.questions import Question, Scope, Statistic
from mlx.results.tests import TestResult
from mlx.stats.correlation import merge_ties
from mlx.stats.interval import NAN, Interval
from mlx.stats.status import OK, Reason, Status

EXACT_PAIRS = 8_000_000
"""Ranking so many takes half a gigabyte and a few seconds."""

MAX_SAMPLES = 50_000
"""1.25 billion pairs, for which two passes take some minutes."""

MAX_BOUND = 0.5
"""An estimate with a larger bound says too little; and below it, ties inside bins can't break the bound."""

BOUND = "bound of what binning ranks can change; no confidence interval"
N_BINS = 1 << 18
SAMPLE_ROWS = 1500
TILE = (512, 512)

TASK_PAIRS = 10_000_000
"""Pairs of one task: half a second of work, of which a worker far away returns ten megabytes of counts."""


@dataclass(frozen=True)
class PairSpearman:
    """Spearman correlation over pairs of similarity with a function of two entropies; it only describes.

    Attributes
    ----------
    statistic
        One of `PAIR_STATISTICS`. A difference and its square have the same ranks.
    estimate
        In [−1, 1]; NaN where ``status`` says why.
    bound
        The estimate is at most this far from that of all pairs ranked; 0 where they were. Above `MAX_BOUND`
        there is no estimate.
    n, n_pairs
        Samples that have a direction, and their pairs.
    method
        ``"exact"`` or ``"binned ranks"``.
    status
        Why there is no estimate, if there is none.
    """

    statistic: PairStatistic
    estimate: float
    bound: float
    n: int
    n_pairs: int
    method: str
    status: Status


def pair_spearman(
    units: Directions,
    entropy: Floats,
    rows: Integers | None = None,
    *,
    statistic: PairStatistic = Statistic.MEAN_ENTROPY,
    exact_pairs: int = EXACT_PAIRS,
    max_samples: int = MAX_SAMPLES,
    n_bins: int = N_BINS,
    moments: PairMoments | None = None,
    map: OrderedMap = in_order,
) -> PairSpearman:
    """Correlate ranks over all pairs of samples.

    Parameters
    ----------
    units
        Directions of n_samples rows.
    entropy
        (n_samples,), in nats; entropies within 1e-12 of the largest of each other are tied.
    rows
        Those with a direction whose pairs count, such as a class; all by default.
    statistic
        Which function of two entropies.
    exact_pairs
        Up to so many pairs are ranked in memory.
    max_samples
        More samples have no estimate, and a status: their pairs would take too long.
    n_bins
        About so many bins a variable; the bound falls as 1/n_bins where they are filled evenly.
    moments
        Those of these pairs, where they are known.
    map
        How the two passes over blocks of pairs are made.
    """
    rows = units.defined if rows is None else rows
    n_pairs = rows.size * (rows.size - 1) // 2
    method = "exact" if n_pairs <= exact_pairs else "binned ranks"
    missing = PairSpearman(statistic, float("nan"), float("nan"), rows.size, n_pairs, method, OK)
    if rows.size > max_samples:
        return replace(missing, status=Reason.TOO_MANY_PAIRS(max_samples))
    if rows.size < MIN_SAMPLES:
        return replace(missing, status=Reason.TOO_FEW_SAMPLES(MIN_SAMPLES))
    group = pair_group(units, entropy, rows, map=map)
    moments = moments or group_moments(group, map=map)
    if not (status := why_undefined(moments, PAIR_STATISTICS.index(statistic))).is_ok:
        return replace(missing, status=status)
    group = replace(group, h=merge_ties(group.h, group.tie))
    estimate, bound = _exact(group, statistic) if method == "exact" else _binned(group, statistic, n_bins, map)
    if np.isnan(estimate):
        return replace(missing, status=Reason.SIDE_TIED("pairs"))
    if bound > MAX_BOUND:
        return replace(missing, bound=bound, status=Reason.BINS_TOO_COARSE(f"{bound:.2g}", MAX_BOUND))
    return replace(missing, estimate=float(np.clip(estimate, -1, 1)), bound=bound)


def ranked_pairs(found: PairSpearman) -> TestResult:
    """Return the result for the table of tests; the bound stands where others have an interval."""
    asked = TestResult(
        question=Question.SIMILARITY_ENTROPY_PAIR_RANKS,
        scope=Scope.ALL_PAIRS,
        statistic=found.statistic,
        estimate=found.estimate,
        n=found.n,
        n_pairs=found.n_pairs,
        status=found.status,
    )
    if not (found.status.is_ok and found.bound > 0):
        return asked
    low, high = max(-1.0, found.estimate - found.bound), min(1.0, found.estimate + found.bound)
    return asked.with_interval(Interval(low, high, NAN, BOUND))


def _tolerances(lifted: CenteredDirections, rows: Integers) -> tuple[float, float]:
    """What rounding leaves of products of lifted vectors, and of functions of two entropies of at most 1."""
    longest = 1.0
    if not lifted.units.is_sparse:
        squares = [lifted.own - 2 * block[:, -2].min() for _, block in lifted.blocks(rows)]
        longest = float(np.sqrt(max(squares)))
    epsilon = float(np.finfo(np.float64).eps)
    return 32 * epsilon * longest, 8 * epsilon


def _exact(group: PairGroup, statistic: PairStatistic) -> tuple[float, float]:
    n_pairs = group.rows.size * (group.rows.size - 1) // 2
    sides = np.empty((2, n_pairs))
    start = 0
    for values in _pairs(group, statistic):
        size = values[0].size
        sides[0, start : start + size], sides[1, start : start + size] = values
        start += size
    for side, tolerance in zip(sides, _tolerances(group.lifted, group.rows), strict=True):
        rank_in_place(side, tolerance)
    s, m = sides
    scale = float(np.sqrt(s @ s) * np.sqrt(m @ m))
    return float(s @ m) / scale if scale > 0 else float("nan"), 0.0


def _binned(group: PairGroup, statistic: PairStatistic, n_bins: int, map: OrderedMap) -> tuple[float, float]:
    chosen = np.unique(np.linspace(0, group.rows.size - 1, SAMPLE_ROWS).astype(np.intp))
    sample = list(_pairs(replace(group, rows=group.rows[chosen], h=group.h[chosen]), statistic))
    bins = [bins_from(np.concatenate(side), n_bins) for side in zip(*sample, strict=True)]
    of_s, of_m = (BinCounts(*side) for side in zip(bins, _tolerances(group.lifted, group.rows), strict=True))
    parts = _parts(group.rows.size)
    for found in map(_CountEntropies(group.h, statistic, of_m.bins, of_m.tolerance), parts):
        of_m.merge(found)
    ranks_m, total_m, loss_m = of_m.ranks()
    for found in map(_CountSimilarities(group, statistic, of_s.bins, of_s.tolerance, of_m.bins, ranks_m), parts):
        of_s.merge(found)
    ranks_s, total_s, loss_s = of_s.ranks()
    bound = float(np.sqrt(loss_s) + np.sqrt(loss_m) + np.sqrt(loss_s * loss_m))
    scale = float(np.sqrt(total_s) * np.sqrt(total_m))
    return float(ranks_s @ of_s.weights) / scale if scale > 0 else float("nan"), bound


@dataclass(frozen=True)
class _CountEntropies:
    """Counts the function of two entropies of the pairs of some stripes, which needs no similarities."""

    doing: ClassVar[str] = "counting pairs"
    h: Floats
    statistic: PairStatistic
    bins: Bins
    tolerance: float

    def __call__(self, tops: Sequence[int]) -> BinCounts:
        found = BinCounts(self.bins, self.tolerance)
        for top in tops:
            for here, there in _tiles(self.h.size, top):
                found.add(_above(_entropies(self.h, self.statistic, here, there), here, there))
        return found


@dataclass(frozen=True)
class _CountSimilarities:
    """Counts the similarities of the pairs of some stripes, and adds up the ranks of the other side in each bin."""

    doing: ClassVar[str] = "ranking pairs"
    group: PairGroup
    statistic: PairStatistic
    bins: Bins
    tolerance: float
    entropy_bins: Bins
    entropy_ranks: Floats

    def __call__(self, tops: Sequence[int]) -> BinCounts:
        found = BinCounts(self.bins, self.tolerance)
        for s, m in _pairs(self.group, self.statistic, tops):
            found.add(s, self.entropy_ranks.take(self.entropy_bins.of(m)))
        return found


def _parts(n: int) -> list[list[int]]:
    """Divide the stripes, by their first rows, into tasks of about `TASK_PAIRS` pairs."""
    tops = np.arange(0, n, TILE[0])
    before = np.cumsum(TILE[0] * (n - tops)) - TILE[0] * (n - tops)
    return [part.tolist() for part in np.split(tops, np.flatnonzero(np.diff(before // TASK_PAIRS)) + 1)]


def _pairs(
    group: PairGroup, statistic: PairStatistic, tops: Sequence[int] | None = None
) -> Iterator[tuple[Floats, Floats]]:
    """Similarities less a constant, and functions of entropies, of all pairs of a group, tile by tile.

    With ``tops``, of the pairs whose first sample is in one of the stripes of `TILE` rows that begin there.
    """
    for top in range(0, group.rows.size, TILE[0]) if tops is None else tops:
        yield from _stripe(group, statistic, top)


def _stripe(group: PairGroup, statistic: PairStatistic, top: int) -> Iterator[tuple[Floats, Floats]]:
    vectors = group.lifted.take(group.rows[top : top + TILE[0]])
    for here, there in _tiles(group.rows.size, top):
        s = _products(vectors, group.lifted.take(group.rows[there]))
        yield _above(s, here, there), _above(_entropies(group.h, statistic, here, there), here, there)


def _tiles(n: int, top: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the tiles of a stripe, none of which are beyond the n samples."""
    here = slice(top, min(top + TILE[0], n))
    for left in range(top, n, TILE[1]):
        yield here, slice(left, min(left + TILE[1], n))


def _entropies(h: Floats, statistic: PairStatistic, here: slice, there: slice) -> Floats:
    """Return a function of two entropies that has the ranks of ``statistic``, for a tile of pairs."""
    ranked = Statistic.ENTROPY_DIFFERENCE if statistic == Statistic.SQUARED_DIFFERENCE else statistic
    return of_pairs(ranked, h[here, None], h[there])


def _above(tile: Floats, here: slice, there: slice) -> Floats:
    """Return the values of a tile whose column is after their row, each pair once."""
    if there.start >= here.stop:
        return tile.ravel()
    return tile[np.arange(there.start, there.stop) > np.arange(here.start, here.stop)[:, None]]


def _products(vectors: Rows, others: Rows) -> Floats:
    """⟨w_i, w_j⟩ of lifted vectors (m, width) and (n, width), sparse ones without filling them."""
    if isinstance(vectors, np.ndarray):
        products: Floats = vectors @ swap_constant_terms(others).T
        return products
    return dense(vectors[:, :-2] @ others[:, :-2].T)
