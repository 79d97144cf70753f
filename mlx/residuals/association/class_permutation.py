"""p-values of similarity and entropy within class, and of every class, each of which stops at a permutation of its own.

The classes share their permutations with the test within class. Beyond the largest number that this takes, of which a
family of many classes needs a hundred times as many, classes of one size are permuted alike: the test of each is as
valid, and in small ones without ties Spearman's statistic of a permutation is the same in all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.association.permutation import Group, Permute, added_up, permutables, sides_of, tests_of
from mlx.residuals.streams import Stream, stream
from mlx.stats.permutation import PermutationTest, least_that_reaches
from mlx.stats.permutation_chunks import OF_CLASSES, Chunk, Chunks, ChunksBySize, by_label
from mlx.stats.shifted_stratum import Permutable, n_visited
from mlx.stats.studentized import Stratum, permuted_alike, studentized

WITHIN = (0, 1)
"""Places of the tests within class, of Pearson and of Spearman, before those of every class."""


def class_p_values(
    groups: Mapping[int, Group],
    tested: Mapping[int, bool],
    limits: tuple[int, int],
    seed: int,
    *,
    many: bool,
    map: OrderedMap = in_order,
) -> tuple[list[PermutationTest], dict[int, list[PermutationTest]]]:
    """Test both correlations within class, and those of every class, by the same permutations.

    Parameters
    ----------
    groups
        The classes by label.
    tested
        Which of them are tested by themselves.
    limits
        Largest number of permutations of the test within class, and of a class.
    seed
        Of the permutations of each class.
    many
        Whether a nearly normal test is not permuted.
    map
        How chunks of permutations are drawn.
    """
    every = list(groups.values())
    first = {label: 2 + 2 * place for place, label in enumerate(groups)}
    sums = [group.stratum.observed() for group in every]
    own = np.stack([studentized(one)[:, 0] for one in sums])
    own[[not tested[label] for label in groups]] = np.nan
    observed = np.concatenate([studentized(added_up(every, sums))[:, 0], own.ravel()])
    draw = _Draws(groups, first, least_that_reaches(observed), limits[0], seed, map)
    each = np.repeat(limits, [2, 2 * len(groups)])
    sides = [pair for parts in (every, *([group] for group in every)) for pair in sides_of(parts)] if many else []
    found = tests_of(observed, draw, each, sides)
    return found[:2], {label: found[place : place + 2] for label, place in first.items()}


class _Draws:
    """Statistics (n_running, size) of the next permutations, as `sequential_tests` asks for them.

    Parameters
    ----------
    groups
        The classes by label.
    first
        The place of the first test of each.
    least
        From which value on the statistic of each test counts.
    together
        Permutations of every class by itself, before those of one size are permuted alike.
    seed, map
        As of `class_p_values`.
    """

    def __init__(
        self,
        groups: Mapping[int, Group],
        first: Mapping[int, int],
        least: Floats,
        together: int,
        seed: int,
        map: OrderedMap,
    ) -> None:
        self._groups, self._first, self._least = groups, first, least
        self._together, self._seed, self._map = together, seed, map
        self._chunks = Chunks(sum(n_visited(group.stratum.n) for group in groups.values()) // OF_CLASSES)
        self._alike = ChunksBySize({label: group.stratum.n for label, group in groups.items()})

    @cached_property
    def _permutables(self) -> dict[int, Permutable]:
        return permutables(self._groups, self._seed)

    def __call__(self, size: int, running: Integers) -> Floats:
        """Return the statistics of those that run."""
        tests, before = set(running.tolist()), min(self._together, size)
        self._together -= before
        parts = [self._each_by_itself(before, tests)] if before else []
        if size > before:
            parts.append(self._of_classes(self._permuted_alike(size - before, tests)))
        return np.concatenate([np.stack([part[test] for test in running]) for part in parts], axis=1)

    def _asked(self, tests: set[int]) -> list[int]:
        return [label for label, place in self._first.items() if tests & {*WITHIN, place, place + 1}]

    def _of_classes(self, sums: Mapping[int, Floats]) -> dict[int, Floats]:
        return {
            self._first[label] + which: one for label, own in sums.items() for which, one in enumerate(studentized(own))
        }

    def _reaching(self, spearman: int, tests: set[int]) -> float:
        return float(self._least[spearman]) if spearman in tests else np.inf

    def _each_by_itself(self, size: int, tests: set[int]) -> dict[int, Floats]:
        needed = {label: self._groups[label] for label in self._asked(tests)}
        permute = Permute(
            needed,
            {label: self._permutables[label] for label in needed},
            {label: self._reaching(self._first[label] + 1, tests) for label in needed},
            self._reaching(WITHIN[1], tests),
            self._seed,
            Stream.CLASS_PERMUTATION,
        )
        parts = by_label(self._map(permute, self._chunks.following(size)))
        found = self._of_classes(parts)
        if tests.isdisjoint(WITHIN):
            return found
        return found | dict(enumerate(studentized(added_up(list(needed.values()), list(parts.values())))))

    def _permuted_alike(self, size: int, tests: set[int]) -> dict[int, Floats]:
        labels = self._asked(tests)
        least = {label: self._reaching(self._first[label] + 1, tests) for label in labels}
        groups = {label: self._groups[label] for label in labels}
        permute = _PermuteAlike(groups, {label: self._permutables[label] for label in labels}, least, self._seed)
        return by_label(self._map(permute, self._alike.following(size, labels)))


@dataclass(frozen=True)
class _PermuteAlike:
    """Sums (2, 2, m) over classes of one size in a chunk of permutations that they share, by label."""

    doing: ClassVar[str] = "permuting entropies"
    groups: Mapping[int, Group]
    permutables: Mapping[int, Permutable]
    least: Mapping[int, float]
    seed: int

    def __call__(self, task: tuple[list[int], Chunk]) -> dict[int, Floats]:
        labels, chunk = task
        key = (self.seed, Stream.CLASSES_ALIKE, self.groups[labels[0]].stratum.n, chunk.index)
        strata = [own for label in labels if isinstance(own := self.permutables[label], Stratum)]
        if strata:
            return dict(zip(labels, chunk.of(partial(permuted_alike, strata), stream(*key)), strict=True))
        draw = {label: partial(self.permutables[label].permuted, least=self.least[label]) for label in labels}
        return {label: chunk.of(one, stream(*key)) for label, one in draw.items()}
