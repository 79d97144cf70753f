"""Pearson's correlation without each sample in turn, in closed form: the delete-one jackknife.

Deleting rows of the finished table of similarities and entropies would leave out that all similarities share the same
samples: its intervals are too narrow. Here a deleted sample is also missing from the similarity of every other sample
(`mlx.residuals.association.deletions`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order, within_task
from mlx.core.scale import exponent_of, in_unit
from mlx.residuals.association.deletions import LeaveOneOutSums, delete_each
from mlx.residuals.similarity.directions import Directions
from mlx.stats.correlation import in_own_unit

LARGEST = 4096
"""Rows or columns, whichever are fewer, of the largest matrix of products: beyond, delete tenths."""

TASK_VALUES = 1 << 22
"""Numbers of the classes of one task, or of one class that is larger."""

DIVIDED_VALUES, FEW = 1 << 26, 4
"""Numbers beyond which a class is divided into blocks, several tasks of them; with few classes, any large one is."""


def is_small_enough(units: Directions, classes: list[Integers]) -> bool:
    """Whether the matrices that this takes are of a moderate size."""
    return units.n_features <= LARGEST or all(rows.size <= LARGEST for rows in classes)


@dataclass(frozen=True)
class _DeleteEach:
    """`delete_each` of some small classes, each given with the entropies of its rows, one after the other."""

    units: Directions
    doing: ClassVar[str] = "deleting each sample"

    def __call__(self, classes: Sequence[tuple[Integers, Floats]]) -> list[LeaveOneOutSums]:
        return [delete_each(self.units, rows, entropy, map=within_task) for rows, entropy in classes]


def _delete_from(
    units: Directions, classes: Sequence[Integers], entropy: Floats, map: OrderedMap
) -> Iterator[tuple[int, LeaveOneOutSums]]:
    """Yield `delete_each` of each class of more than two with its place: large ones in blocks, others whole."""
    sizes = {place: rows.size * units.n_features for place, rows in enumerate(classes) if rows.size > 2}
    divided = DIVIDED_VALUES if len(sizes) >= FEW else TASK_VALUES
    large = [place for place, size in sizes.items() if size > divided]
    small = [place for place in sizes if place not in set(large)]
    ends = np.cumsum([sizes[place] for place in small])
    tasks = [part.tolist() for part in np.split(small, np.flatnonzero(np.diff(ends // TASK_VALUES)) + 1) if part.size]
    for place in large:
        yield place, delete_each(units, classes[place], entropy[classes[place]], map=map)
    made = map(_DeleteEach(units), ([(classes[place], entropy[classes[place]]) for place in task] for task in tasks))
    yield from zip(small, (one for ones in made for one in ones), strict=True)


def class_pearson(deletion: LeaveOneOutSums) -> Floats:
    """Correlation in one class without each of its samples (n,); NaN where nothing varies."""
    return _ratio(*deletion.centered())


def pooled_pearson(
    units: Directions, classes: list[Integers], entropy: Floats, similarity: Floats, *, map: OrderedMap = in_order
) -> tuple[Floats, Floats, list[Floats | None]]:
    """Correlation over all classes, and within class, without each sample.

    Parameters
    ----------
    units
        Directions of all samples.
    classes
        Rows of every class that has at least two.
    entropy, similarity
        Of all samples.
    map
        How classes, or blocks of their rows, are summed.

    Returns
    -------
    tuple
        Both correlations, a value a sample in the order of ``classes``, and that in every class; None for a class
        of two, which the deletion of one leaves without a similarity.
    """
    rows = np.concatenate(classes)
    unit = exponent_of(entropy[rows])
    a, y = similarity[rows] - 1, in_unit(entropy[rows], unit)
    y -= y.mean()
    center = float(a.mean())
    a -= center
    ends = np.cumsum([members.size for members in classes])
    parts = [np.stack([a[end - m.size : end], y[end - m.size : end]]) for m, end in zip(classes, ends, strict=True)]
    raw = np.array([_sums(part) for part in parts])
    about, inner = _within_classes(entropy, classes, parts)
    spans = [slice(end - members.size, end) for members, end in zip(classes, ends, strict=True)]
    pooled, within, alone = np.empty(rows.size), np.empty(rows.size), list[Floats | None]([None] * len(classes))

    def without(place: int, stay: Floats, inside: Floats) -> None:
        """Add what stays of a class, (6, m) and about its means (3, m), to the sums of all others."""
        n, x, y, xx, yy, xy = np.delete(raw, place, axis=0).sum(axis=0)[:, None] + stay
        pooled[spans[place]] = _ratio(xx - x**2 / n, yy - y**2 / n, xy - x * y / n)
        within[spans[place]] = _ratio(*(np.delete(about, place, axis=0).sum(axis=0)[:, None] + inside))

    for place in (place for place, members in enumerate(classes) if members.size <= 2):
        without(place, np.zeros((6, 1)), np.zeros((3, 1)))
    for place, deletion in _delete_from(units, classes, entropy, map):
        shifted = _shifted(deletion.in_unit(unit), center, float(parts[place][1].mean()))
        without(place, shifted, np.stack(deletion.in_unit(inner).centered()))
        alone[place] = class_pearson(deletion)
    return pooled, within, alone


def _sums(part: Floats) -> list[float]:
    x, y = part
    return [float(x.size), float(x.sum()), float(y.sum()), float(x @ x), float(y @ y), float(x @ y)]


def _within_classes(entropy: Floats, classes: list[Integers], parts: list[Floats]) -> tuple[Floats, int]:
    """Sums about the means of the classes (n_classes, 3), and the exponent of the unit of the entropies in them."""
    scaled = [in_own_unit(entropy[members]) for members in classes]
    unit = max(exponent for _, exponent in scaled)
    inner = [in_unit(y, unit - exponent) for y, exponent in scaled]
    return np.array([_centered_sums(np.stack([part[0], y])) for part, y in zip(parts, inner, strict=True)]), unit


def _centered_sums(part: Floats) -> list[float]:
    x, y = part - part.mean(axis=1, keepdims=True)
    return [float(x @ x), float(y @ y), float(x @ y)]


def _shifted(deletion: LeaveOneOutSums, center: float, mean_y: float) -> Floats:
    """Sums of a class about the center of all classes: number, x, y, x², y² and x·y, (6, n)."""
    m, q = deletion.n - 1, deletion.shift - center
    return np.stack(
        [
            np.full(deletion.n, float(m)),
            deletion.x + m * q,
            deletion.y + m * mean_y,
            deletion.xx + 2 * q * deletion.x + m * q**2,
            deletion.yy + 2 * mean_y * deletion.y + m * mean_y**2,
            deletion.xy + mean_y * deletion.x + q * deletion.y + m * q * mean_y,
        ]
    )


def _ratio(xx: Floats, yy: Floats, xy: Floats) -> Floats:
    scale = np.sqrt(xx.clip(0)) * np.sqrt(yy.clip(0))
    r: Floats = np.divide(xy, scale, out=np.full(xy.shape, np.nan), where=scale > 0)
    return r.clip(-1.0, 1.0)
