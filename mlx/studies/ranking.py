"""The order of cells by a metric, with ties where no test of a pair decides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlx.results.comparison import LOWER_IS_BETTER, UNORDERED
from mlx.results.study import CellDifference, CellEstimate


@dataclass(frozen=True)
class Ranking:
    """The place of a cell by a metric.

    Attributes
    ----------
    cell
        Its name.
    rank
        By the estimate, 1 the best; equal estimates have the same.
    best, worst
        The places that the tests leave open: behind as many cells as are better, and before as many as are worse, by
        p-values adjusted for all pairs.
    tied
        The other cells of which no test says that they are better or worse.
    """

    cell: str
    rank: int
    best: int
    worst: int
    tied: tuple[str, ...]


def rank_cells(
    estimates: dict[str, float], differences: Sequence[CellDifference], level: float = 0.95
) -> tuple[Ranking, ...]:
    """Rank cells by one metric, best first.

    Parameters
    ----------
    estimates
        The metric by cell; one that is NaN is not ranked.
    differences
        Of all pairs of them, by this metric.
    level
        Pairs whose adjusted p-value is at most one less this are told apart.
    """
    known = {name: value for name, value in estimates.items() if value == value}
    better: dict[str, set[str]] = {name: set() for name in known}
    worse: dict[str, set[str]] = {name: set() for name in known}
    for pair in differences:
        if pair.metric in UNORDERED:
            return ()
        if {pair.first, pair.second} <= known.keys() and pair.p_holm <= round(1 - level, 12):
            gain = -pair.difference if pair.metric in LOWER_IS_BETTER else pair.difference
            ahead, behind = (pair.second, pair.first) if gain > 0 else (pair.first, pair.second)
            better[behind].add(ahead)
            worse[ahead].add(behind)
    sign = -1.0 if differences and differences[0].metric in LOWER_IS_BETTER else 1.0
    return tuple(
        Ranking(
            cell=name,
            rank=1 + sum(sign * other > sign * value for other in known.values()),
            best=1 + len(better[name]),
            worst=len(known) - len(worse[name]),
            tied=tuple(other for other in known if other != name and other not in better[name] | worse[name]),
        )
        for name, value in sorted(known.items(), key=lambda item: -sign * item[1])
    )


def with_ranks(cells: Sequence[CellEstimate], ranking: Sequence[Ranking]) -> tuple[CellEstimate, ...]:
    """Return the rows of a metric with the places of their cells."""
    places = {one.cell: one for one in ranking}
    return tuple(
        replace(row, rank=place.rank, rank_best=place.best, rank_worst=place.worst)
        if (place := places.get(row.cell))
        else row
        for row in cells
    )
