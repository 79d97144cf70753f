"""p-values of the correlation of similarity and entropy: studentized, by permutation of the entropies.

The classes share their permutations with the test within class, and each test stops at a permutation of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import in_unit
from mlx.residuals.association.layer import Layer
from mlx.residuals.streams import Stream, stream
from mlx.stats.correlation import SIMILARITY_TOLERANCE, in_own_unit, merge_entropies, midranks
from mlx.stats.permutation import PermutationTest, sequential_tests
from mlx.stats.permutation_chunks import Chunk, Chunks
from mlx.stats.studentized import BOUND_MARGIN, Stratum, is_nearly_normal, normal_p_value, studentized

WITHIN = (0, 1)
"""Places of the tests within class, of Pearson and of Spearman, before those of every class."""

NORMAL = 0
"""Permutations of a p-value that is from the normal distribution."""


def p_method(test: PermutationTest, permuted: str) -> str:
    """Return how a p-value was obtained: as ``permuted`` says, or from the normal distribution."""
    return "studentized, normal" if test.n_permutations == NORMAL else permuted


@dataclass(frozen=True)
class Group:
    """Samples whose entropies are permuted: a class, or all.

    Attributes
    ----------
    stratum
        Similarities and entropies, as they are and as ranks; ranks are shares of n + 1, so that a large class does
        not dominate by its larger ranks.
    exponent
        Entropies are in units of 2^exponent, so that none is too small to be squared.
    """

    stratum: Stratum
    exponent: int

    def in_unit(self, sums: Floats, exponent: int) -> Floats:
        """Return sums (2, 2, m) of the stratum with entropies in units of 2^exponent."""
        step = exponent - self.exponent
        return in_unit(sums, np.array([[step, 2 * step], [0, 0]])[..., None])


def group_of(layer: Layer, rows: Integers) -> Group:
    """Return the samples in ``rows`` as a group."""
    similarity, (entropy, exponent) = layer.similarity[rows], in_own_unit(layer.entropy[rows])
    ranks = midranks(similarity, SIMILARITY_TOLERANCE), midranks(merge_entropies(layer.entropy[rows]))
    x, y = (np.stack([v, r / (rows.size + 1)]) for v, r in zip((similarity, entropy), ranks, strict=True))
    x, y = (v - v.mean(axis=1, keepdims=True) for v in (x, y))
    return Group(Stratum.of(x, y, *ranks), exponent)


def added_up(groups: list[Group], parts: list[Floats]) -> Floats:
    """Sums (2, 2, m) over groups that are permuted each by itself."""
    exponent = max(group.exponent for group in groups)
    total: Floats = np.sum([group.in_unit(part, exponent) for group, part in zip(groups, parts, strict=True)], axis=0)
    return total


def correlations(groups: list[Group]) -> tuple[Floats, Floats]:
    """Pearson's and Spearman's (2,) over groups centered each by itself, NaN where a side is tied; and Σ x² (2,)."""
    exponent = max(group.exponent for group in groups)
    squares = [group.stratum.squares for group in groups]
    steps = [np.array([2 * (exponent - group.exponent), 0]) for group in groups]
    xx = np.sum([x for x, _ in squares], axis=0)
    yy = np.sum([in_unit(y, step) for (_, y), step in zip(squares, steps, strict=True)], axis=0)
    scale = np.sqrt(xx) * np.sqrt(yy)
    total = added_up(groups, [group.stratum.observed() for group in groups])[:, 0, 0]
    r: Floats = np.divide(total, scale, out=np.full(2, np.nan), where=scale > 0)
    return r.clip(-1, 1), xx


@dataclass(frozen=True)
class _Permute:
    """Sums (2, 2, m) over groups permuted each by itself, by label, in one chunk of permutations.

    ``least`` has the observed statistic of Spearman of each label, below which a bound of Σ φ² may do.
    """

    doing: ClassVar[str] = "permuting entropies"
    groups: Mapping[int, Group]
    least: Mapping[int, float]
    seed: int
    purpose: Stream

    def __call__(self, chunk: Chunk) -> dict[int, Floats]:
        return {
            label: chunk.of(
                partial(group.stratum.permuted, least=self.least[label]),
                stream(self.seed, self.purpose, label, chunk.index),
            )
            for label, group in self.groups.items()
        }


def pooled_p_values(
    group: Group, n_permutations: int, seed: int, *, many: bool, map: OrderedMap = in_order
) -> list[PermutationTest]:
    """Test both correlations over all samples; ``many`` says that a nearly normal test is not permuted."""
    observed = studentized(group.stratum.observed())[:, 0]
    chunks = Chunks(group.stratum.n)
    permute = _Permute({0: group}, {0: abs(float(observed[1]))}, seed, Stream.POOLED_PERMUTATION)

    def draw(size: int, running: Integers) -> Floats:
        parts = [found[0] for found in map(permute, chunks.following(size))]
        return studentized(np.concatenate(parts, axis=-1))[running]

    return tests_of(observed, draw, np.full(2, n_permutations), _sides([group]) if many else [])


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
    chunks, bounds_decide = Chunks(sum(group.stratum.n for group in every)), True

    def drawn(asked: list[Chunk], running: set[int], *, exact: bool) -> dict[int, Floats]:
        needed = {
            label: group
            for label, group in groups.items()
            if running & {WITHIN[0], WITHIN[1], first[label], first[label] + 1}
        }
        own = {label: abs(float(observed[first[label] + 1])) for label in needed if first[label] + 1 in running}
        least = {label: 0.0 if exact else own.get(label, np.inf) for label in needed}
        parts = list(map(_Permute(needed, least, seed, Stream.CLASS_PERMUTATION), asked))
        return {label: np.concatenate([part[label] for part in parts], axis=-1) for label in needed}

    def draw(size: int, running: Integers) -> Floats:
        nonlocal bounds_decide
        asked, tests, shared = list(chunks.following(size)), set(running.tolist()), running[0] <= WITHIN[1]
        parts = drawn(asked, tests, exact=not bounds_decide and WITHIN[1] in tests)
        together = studentized(added_up(every, list(parts.values()))) if shared else np.empty((0, size))
        if (
            bounds_decide
            and WITHIN[1] in tests
            and (np.abs(together[1]) >= abs(observed[1]) * (1 - BOUND_MARGIN)).any()
        ):
            bounds_decide = False  # from now on, as they rarely do for one block and not for the next
            parts = drawn(asked, tests, exact=True)
            together = studentized(added_up(every, list(parts.values())))
        found = dict(enumerate(together))
        found |= {first[label] + which: studentized(one)[which] for label, one in parts.items() for which in (0, 1)}
        return np.stack([found[test] for test in running])

    each = np.repeat(limits, [2, 2 * len(groups)])
    sides = [pair for parts in (every, *([group] for group in every)) for pair in _sides(parts)] if many else []
    found = tests_of(observed, draw, each, sides)
    return found[:2], {label: found[place : place + 2] for label, place in first.items()}


def _sides(groups: list[Group]) -> list[tuple[Floats, Floats]]:
    """Both sides, centered by group, of Pearson's correlation and of Spearman's."""
    exponent = max(group.exponent for group in groups)
    steps = [np.array([[exponent - group.exponent], [0]]) for group in groups]
    x = np.concatenate([group.stratum.x for group in groups], axis=1)
    y = np.concatenate([in_unit(g.stratum.y, step) for g, step in zip(groups, steps, strict=True)], axis=1)
    return list(zip(x, y, strict=True))


def tests_of(
    observed: Floats,
    draw: Callable[[int, Integers], Floats],
    limits: Integers,
    sides: Sequence[tuple[Floats, Floats]],
) -> list[PermutationTest]:
    """Test by the normal distribution where `sides`, of many samples, allow it, and by permutation otherwise."""
    normal = np.array([is_nearly_normal(*pair) for pair in sides] or np.zeros(observed.size, dtype=bool))
    found = sequential_tests(np.where(normal, np.nan, observed), draw, limits)
    for test in np.flatnonzero(normal & ~np.isnan(observed)):
        found[test] = PermutationTest(normal_p_value(float(observed[test])), NORMAL)
    return found
