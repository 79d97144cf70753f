"""Draws parts of given sizes from rows: at random, with every class divided alike, or whole groups."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.core.apportion import apportion
from mlx.core.array_types import Counts, Indices
from mlx.core.errors import DataError
from mlx.preprocessing.groups import draw_groups

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows to draw from.

    Attributes
    ----------
    n
        How many there are.
    labels
        (n,) classes 0 … K − 1, of which each part gets its share; None where none are kept.
    class_names
        K names.
    groups
        (n,) codes 0 … G − 1 of what stays together; None where each row is drawn on its own.
    """

    n: int
    labels: Indices | None
    class_names: Sequence[str] = ()
    groups: Indices | None = None

    def take(self, rows: Indices) -> "Rows":
        """Return the rows at `rows` alone."""
        groups = None if self.groups is None else np.unique(self.groups[rows], return_inverse=True)[1]
        return Rows(len(rows), None if self.labels is None else self.labels[rows], self.class_names, groups)


def draw(rows: Rows, sizes: Sequence[int], names: Sequence[str], rng: np.random.Generator) -> Codes:
    """Divide `rows` into ``len(sizes) + 1`` parts; return the part of each, (n,), the last one being the rest.

    Parameters
    ----------
    sizes
        Rows of each part but the last; groups are divided to sizes near them.
    names
        Of all parts, for messages.

    Raises
    ------
    DataError
        A part would be empty, or a class or the number of groups is too small to give each part one.
    """
    counts = np.array([*sizes, rows.n - sum(sizes)])
    if counts.min() < 1:
        listed = ", ".join(f"{count} {name}" for name, count in reversed(list(zip(names, counts, strict=True))))
        raise DataError(
            f"split: expected at least one sample in each part, found {rows.n} samples divided into {listed}; use "
            "more samples or other fractions"
        )
    if rows.groups is not None:
        return draw_groups(rows.groups, rows.labels, counts, names, rng)
    if rows.labels is not None:
        return _draw_by_class(rows.labels, rows.class_names, counts, names, rng)
    codes = np.full(rows.n, len(sizes), np.int64)
    order = rng.permutation(rows.n)
    for part, (first, last) in enumerate(zip(np.cumsum(counts) - counts, np.cumsum(counts), strict=True)):
        codes[order[first:last]] = part
    return codes


def _draw_by_class(
    y: Indices, class_names: Sequence[str], counts: Counts, names: Sequence[str], rng: np.random.Generator
) -> Codes:
    n_parts, available = len(counts), np.bincount(y, minlength=len(class_names))
    for name, count in zip(class_names, available, strict=True):
        if count < n_parts:
            raise DataError(
                f"split.stratify: expected at least {n_parts} samples of each class, one for each part, found "
                f"{count} of class '{name}'; use more samples or stratify: false"
            )
    for name, total in reversed(list(zip(names, counts, strict=True))):
        if total < len(class_names):
            raise DataError(
                f"split.stratify: expected the {name} part to hold a sample of each of {len(class_names)} "
                f"classes, found a part of {total} samples; use more samples, other fractions or stratify: false"
            )
    taken = np.zeros((n_parts, len(class_names)), np.int64)
    for part in range(n_parts - 1):
        taken[part] = apportion(int(counts[part]), available, available - taken.sum(axis=0) - (n_parts - 1 - part))
    taken[-1] = available - taken.sum(axis=0)
    codes = np.empty(len(y), np.int64)
    for label in range(len(class_names)):
        codes[rng.permutation(np.flatnonzero(y == label))] = np.repeat(np.arange(n_parts), taken[:, label])
    return codes
