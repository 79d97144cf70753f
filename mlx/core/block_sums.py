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
    return summed_each([function], [blocks], map=map)[0]


def summed_each(
    functions: Sequence[Callable[[slice], Sums]], blocks: Iterable[Iterable[slice]], *, map: OrderedMap = in_order
) -> list[Sums]:
    """Add up what each of several functions returns of its own blocks, as `summed` does, without waiting in between."""
    tasks = [(place, group) for place, own in enumerate(blocks) for group in in_groups(own)]
    found: list[Sums] = [()] * len(functions)
    for (place, _), sums in zip(tasks, map(_Sum(functions), tasks), strict=True):
        found[place] = _plus(found[place], sums) if found[place] else sums
    return found


def joined(function: Callable[[slice], Floats], blocks: Iterable[slice], *, map: OrderedMap = in_order) -> Floats:
    """Put together what `function` returns of the rows (…, m) of every block, in tasks of some blocks each."""
    return np.concatenate(list(map(_Join(function), in_groups(blocks))), axis=-1)


@dataclass(frozen=True)
class _Sum:
    functions: Sequence[Callable[[slice], Sums]]

    @property
    def doing(self) -> str:
        """What the tasks do."""
        return str(getattr(self.functions[0], "doing", ""))

    def __call__(self, task: tuple[int, Sequence[slice]]) -> Sums:
        place, blocks = task
        return reduce(_plus, (self.functions[place](block) for block in blocks))


@dataclass(frozen=True)
class _Join:
    function: Callable[[slice], Floats]

    @property
    def doing(self) -> str:
        """What the tasks do."""
        return str(getattr(self.function, "doing", ""))

    def __call__(self, blocks: Sequence[slice]) -> Floats:
        return np.concatenate([self.function(block) for block in blocks], axis=-1)


def _plus(one: Sums, other: Sums) -> Sums:
    return tuple(a + b for a, b in zip(one, other, strict=True))
