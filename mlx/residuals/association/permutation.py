"""p-values of the correlation of similarity and entropy: studentized, by permutation of the entropies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import in_unit
from mlx.residuals.association.layer import Layer
from mlx.residuals.streams import Stream, stream
from mlx.stats.correlation import SIMILARITY_TOLERANCE, in_own_unit, merge_entropies, midranks
from mlx.stats.permutation import PermutationTest, least_that_reaches, sequential_tests
from mlx.stats.permutation_chunks import Chunk, Chunks
from mlx.stats.shifted_stratum import Permutable, n_visited, permutable
from mlx.stats.studentized import Stratum, is_nearly_normal, normal_p_value, studentized

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
class Permute:
    """Sums (2, 2, m) over groups permuted each by itself, by label, in one chunk of permutations.

    Attributes
    ----------
    groups
        By label.
    permutables
        What permutes each of them.
    least
        From which value on Spearman's statistic of each counts; below, its Σ φ² may be a lower bound.
    together
        The same of that of all groups together.
    seed, purpose
        Of the permutations.
    """

    doing: ClassVar[str] = "permuting entropies"
    groups: Mapping[int, Group]
    permutables: Mapping[int, Permutable]
    least: Mapping[int, float]
    together: float
    seed: int
    purpose: Stream

    def __call__(self, chunk: Chunk) -> dict[int, Floats]:
        """Permute each group; once more where all together may reach what counts."""
        found = {label: self._permuted(label, chunk, self.least[label]) for label in self.groups}
        if self.together < np.inf:
            both = studentized(added_up(list(self.groups.values()), list(found.values())))[1]
            if (near := np.abs(both) >= self.together).any():
                least = np.concatenate([np.full(chunk.skip, np.inf), np.where(near, 0.0, np.inf)])
                for label, before in found.items():
                    before[1][:, near] = self._permuted(label, chunk, least)[1][:, near]
        return found

    def _permuted(self, label: int, chunk: Chunk, least: Floats | float) -> Floats:
        draw = partial(self.permutables[label].permuted, least=least)
        return chunk.of(draw, stream(self.seed, self.purpose, label, chunk.index))


def pooled_p_values(
    group: Group, n_permutations: int, seed: int, *, many: bool, map: OrderedMap = in_order
) -> list[PermutationTest]:
    """Test both correlations over all samples; ``many`` says that a nearly normal test is not permuted."""
    observed = studentized(group.stratum.observed())[:, 0]
    chunks, least = Chunks(n_visited(group.stratum.n)), float(least_that_reaches(observed[1]))

    @cache
    def permute() -> Permute:  # takes time, and is not needed where the distribution is normal
        drawn = permutables({0: group}, seed)
        return Permute({0: group}, drawn, {0: least}, np.inf, seed, Stream.POOLED_PERMUTATION)

    def draw(size: int, running: Integers) -> Floats:
        parts = [found[0] for found in map(permute(), chunks.following(size))]
        return studentized(np.concatenate(parts, axis=-1))[running]

    return tests_of(observed, draw, np.full(2, n_permutations), sides_of([group]) if many else [])


def permutables(groups: Mapping[int, Group], seed: int) -> dict[int, Permutable]:
    """Return what permutes each group, by label."""
    return {
        label: permutable(group.stratum, stream(seed, Stream.SHIFTED_PARTS, label)) for label, group in groups.items()
    }


def sides_of(groups: list[Group]) -> list[tuple[Floats, Floats]]:
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
