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
from mlx.residuals.pairs.pair_moments import PairGroup, group_moments, pair_group, why_undefined
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
TILE = (512, 1024)

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
    group = pair_group(units, entropy, rows)
    if not (status := why_undefined(group_moments(group, map=map), PAIR_STATISTICS.index(statistic))).is_ok:
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
    tolerances = _tolerances(group.lifted, group.rows)
    counted = [BinCounts(*side) for side in zip(bins, tolerances, strict=True)]
    parts = _parts(group.rows.size)
    for found in map(_Counts(group, statistic, bins, tolerances), parts):
        for side, more in zip(counted, found, strict=True):
            side.merge(more)
    (ranks_s, total_s, loss_s), (ranks_m, total_m, loss_m) = (side.ranks() for side in counted)
    product = sum(map(_RankProducts(group, statistic, bins, (ranks_s, ranks_m)), parts))
    bound = float(np.sqrt(loss_s) + np.sqrt(loss_m) + np.sqrt(loss_s * loss_m))
    scale = float(np.sqrt(total_s) * np.sqrt(total_m))
    return product / scale if scale > 0 else float("nan"), bound


@dataclass(frozen=True)
class _Counts:
    """Counts both variables of the pairs of some stripes."""

    doing: ClassVar[str] = "counting pairs"
    group: PairGroup
    statistic: PairStatistic
    bins: Sequence[Bins]
    tolerances: tuple[float, float]

    def __call__(self, tops: Sequence[int]) -> list[BinCounts]:
        found = [BinCounts(*side) for side in zip(self.bins, self.tolerances, strict=True)]
        for values in _pairs(self.group, self.statistic, tops):
            for side, value in zip(found, values, strict=True):
                side.add(value)
        return found


@dataclass(frozen=True)
class _RankProducts:
    """Sums the products of both ranks over the pairs of some stripes."""

    doing: ClassVar[str] = "ranking pairs"
    group: PairGroup
    statistic: PairStatistic
    bins: Sequence[Bins]
    ranks: tuple[Floats, Floats]

    def __call__(self, tops: Sequence[int]) -> float:
        total = 0.0
        for values in _pairs(self.group, self.statistic, tops):
            x, y = (r.take(b.of(v)) for r, b, v in zip(self.ranks, self.bins, values, strict=True))
            total += float(x @ y)
        return total


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
    statistic = Statistic.ENTROPY_DIFFERENCE if statistic == Statistic.SQUARED_DIFFERENCE else statistic
    rows, h, here = group.rows, group.h, slice(top, top + TILE[0])
    vectors = group.lifted.take(rows[here])
    for left in range(top, rows.size, TILE[1]):
        there = slice(left, left + TILE[1])
        s = _products(vectors, group.lifted.take(rows[there]))
        m = of_pairs(statistic, h[here, None], h[there])
        if left < top + len(s):
            above = np.arange(left, left + s.shape[1]) > np.arange(top, top + len(s))[:, None]
            yield s[above], m[above]
        else:
            yield s.ravel(), m.ravel()


def _products(vectors: Rows, others: Rows) -> Floats:
    """⟨w_i, w_j⟩ of lifted vectors (m, width) and (n, width), sparse ones without filling them."""
    if isinstance(vectors, np.ndarray):
        products: Floats = vectors @ swap_constant_terms(others).T
        return products
    return dense(vectors[:, :-2] @ others[:, :-2].T)
