"""The samples of one part of the data in one layer, read in blocks, and what is added up or computed of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, ClassVar, TypeVar

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap, in_groups
from mlx.core.scale import in_unit

T = TypeVar("T", bound="Any")


@dataclass(frozen=True)
class LayerPart:
    """n samples in one layer.

    Attributes
    ----------
    values
        (n, n_features), dense; may be memory-mapped.
    logits
        (n, n_classes), or None.
    y_true, y_pred
        (n,), labels.
    exponent
        Values are read in units of 2^exponent, in which no square over- or underflows; the same of all parts.
    """

    values: Scores
    logits: Scores | None
    y_true: Integers
    y_pred: Integers
    exponent: int = 0

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.y_true)

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.values.shape[1])

    def read(self, rows: slice) -> Floats:
        """Return rows (m, n_features) in double precision."""
        block = self.values[rows]
        return in_unit(block, self.exponent) if self.exponent else np.asarray(block, dtype=np.float64)

    def read_logits(self, rows: slice) -> Floats:
        """Return the logits (m, n_classes) of the same rows, which must be there."""
        assert self.logits is not None, "asked only of models with logits"
        return np.asarray(self.logits[rows], dtype=np.float64)

    def add_up(self, summed: Callable[["LayerPart", slice], T], map: OrderedMap) -> T:
        """Add up what `summed` makes of blocks of rows, in groups of blocks and in order."""
        blocks = row_blocks(self.size, self.width)
        total: T = reduce(add, map(_Sum(summed, self), in_groups(blocks)))
        return total

    def each(self, score: Callable[["LayerPart", slice], Floats], map: OrderedMap) -> Floats:
        """Compute a number of every sample (n,), a block of rows a task."""
        return np.concatenate(list(map(_Apply(score, self), row_blocks(self.size, self.width))))


@dataclass(frozen=True)
class _Sum:
    doing: ClassVar[str] = "fitting scores"
    summed: Callable[[LayerPart, slice], Any]
    part: LayerPart

    def __call__(self, blocks: Sequence[slice]) -> Any:
        return reduce(add, (self.summed(self.part, rows) for rows in blocks))


@dataclass(frozen=True)
class _Apply:
    doing: ClassVar[str] = "scoring samples"
    score: Callable[[LayerPart, slice], Floats]
    part: LayerPart

    def __call__(self, rows: slice) -> Floats:
        return self.score(self.part, rows)


def sums_by_label(values: Floats, labels: Integers, n_labels: int) -> Floats:
    """Sums (n_labels, n_features) of rows (m, n_features) by label."""
    sums = np.zeros((n_labels, values.shape[1]))
    order = np.argsort(labels, kind="stable")
    present, starts = np.unique(labels[order], return_index=True)
    if present.size:
        sums[present] = np.add.reduceat(values[order], starts, axis=0)
    return sums
