"""Divides whole groups of rows over parts, with the classes shared out as evenly as the groups allow."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Counts, Floats, Indices
from mlx.core.errors import DataError

PLACED_ONE_BY_ONE = 2000
"""The largest groups, each of which goes where it fits best; the others are small enough to be dealt out in turn."""

ROUND = 50
"""Groups, about, that are dealt out in a round."""


def draw_groups(
    groups: Indices, labels: Indices | None, counts: Counts, names: Sequence[str], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return the part of each row, (n,), with all rows of a group in one part.

    Groups are taken from the largest to the smallest, equal ones in random order, and each part gets its share of
    every size and class on the way, so that no part has the large ones only. The largest are placed one by one, the
    many others in rounds of groups alike in class and size. O(n log n).

    Parameters
    ----------
    groups
        (n,) codes 0 … G − 1.
    labels
        (n,) classes 0 … K − 1; None where only the sizes of the parts are kept.
    counts
        Wanted rows of each part.
    names
        Of the parts, for messages.

    Raises
    ------
    DataError
        There are fewer groups than parts.
    """
    sizes = np.bincount(groups)
    if len(sizes) < len(counts):
        raise DataError(
            f"split.group: expected at least {len(counts)} groups, one for each of {', '.join(names)}, found "
            f"{len(sizes)}; use a finer group, or another split.method"
        )
    shuffled = rng.permutation(len(sizes))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    large, small = order[:PLACED_ONE_BY_ONE], order[PLACED_ONE_BY_ONE:]
    classes = np.zeros(len(groups), np.int64) if labels is None else labels
    totals, shares = np.bincount(classes), counts / counts.sum()
    part_of = np.empty(len(sizes), np.int64)
    part_of[large], lacking = _place(_composition(groups, classes, large, len(totals)), shares, totals)
    if len(small):
        alike = small if labels is None else small[np.argsort(_kinds(groups, classes, totals)[small], kind="stable")]
        part_of[alike] = _deal(sizes[alike], np.maximum(lacking + shares * sizes[small].sum(), 0))
    for part in range(len(counts)):  # one that is wanted so small that every group overshoots it
        if not (part_of == part).any():
            members = np.bincount(part_of, minlength=len(counts))
            part_of[next(group for group in order[::-1] if members[part_of[group]] > 1)] = part
    return part_of[groups]


def _composition(groups: Indices, classes: Indices, chosen: Indices, n_classes: int) -> Counts:
    """Return the rows of each class in the chosen groups, (chosen, K)."""
    place = np.full(int(groups.max()) + 1, len(chosen), np.int64)
    place[chosen] = np.arange(len(chosen))
    cells = np.bincount(place[groups] * n_classes + classes, minlength=(len(chosen) + 1) * n_classes)
    return cells.reshape(-1, n_classes)[: len(chosen)]


def _place(composition: Counts, shares: Floats, totals: Counts) -> tuple[Indices, Floats]:
    """Return the part of each group in turn, and the rows that each part lacks afterwards of its share.

    A group goes to the part that lacks most of its classes, each in proportion to the rows of that class, of all
    groups up to this one.
    """
    weight = 1 / np.maximum(totals, 1) ** 2.0
    parts = np.empty(len(composition), np.int64)
    lacking = np.zeros((len(shares), len(totals)))
    for i, rows in enumerate(composition):
        lacking += np.outer(shares, rows)
        parts[i] = part = int(np.argmax(lacking @ (weight * rows)))
        lacking[part] -= rows
    return parts, lacking.sum(axis=1)


def _kinds(groups: Indices, classes: Indices, totals: Counts) -> Floats:
    """Return a number for each group, (G,), by which groups of like classes are neighbors: their mean class rank.

    A rank is the middle of a class among all rows that are sorted by class, so that a group's mean is the more
    telling the more of its rows are of one class.
    """
    rank = (np.cumsum(totals) - totals / 2) / totals.sum()
    return np.bincount(groups, weights=rank[classes]) / np.bincount(groups)


def _deal(sizes: Counts, wanted: Floats) -> Indices:
    """Return the part of each group, in their order: in each round, the parts get their shares of the rows."""
    middle = np.cumsum(sizes) - sizes / 2
    rounds = max(1, len(sizes) // ROUND)
    place = middle * (rounds / sizes.sum()) % 1
    edges = np.cumsum(wanted / wanted.sum())[:-1]
    return np.asarray(np.searchsorted(edges, place, side="right"), np.int64)
