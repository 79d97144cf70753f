"""Sums over blocks of rows, and values of every row, computed as tasks of several blocks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.ordered_map import OrderedMap, in_groups, in_order

Sums = tuple[Floats, ...]
"""Arrays of the same shapes for every block."""


def summed(function: Callable[[slice], Sums], blocks: Iterable[slice], *, map: OrderedMap = in_order) -> Sums:
    """Add up what `function` returns of every block: in tasks of some blocks each, and then over the tasks in order."""
    return reduce(_plus, map(_Sum(function), in_groups(blocks)))


def joined(function: Callable[[slice], Floats], blocks: Iterable[slice], *, map: OrderedMap = in_order) -> Floats:
    """Put together what `function` returns of the rows (…, m) of every block, in tasks of some blocks each."""
    return np.concatenate(list(map(_Join(function), in_groups(blocks))), axis=-1)


@dataclass(frozen=True)
class _Sum:
    function: Callable[[slice], Sums]

    @property
    def doing(self) -> str:
        """What the tasks are at."""
        return str(getattr(self.function, "doing", ""))

    def __call__(self, blocks: Sequence[slice]) -> Sums:
        return reduce(_plus, (self.function(block) for block in blocks))


@dataclass(frozen=True)
class _Join:
    function: Callable[[slice], Floats]

    @property
    def doing(self) -> str:
        """What the tasks are at."""
        return str(getattr(self.function, "doing", ""))

    def __call__(self, blocks: Sequence[slice]) -> Floats:
        return np.concatenate([self.function(block) for block in blocks], axis=-1)


def _plus(one: Sums, other: Sums) -> Sums:
    return tuple(a + b for a, b in zip(one, other, strict=True))
