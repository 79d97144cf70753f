"""Partial correlation of similarity and entropy given groups, such as whether the prediction was right."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks
from mlx.core.errors import DataError
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import NO_EXPONENT, exponent_of, in_unit, unit_sized
from mlx.residuals.association.by_group import SIGN_FLIPS
from mlx.residuals.association.permutation import p_method, tests_of
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.questions import CORRELATIONS, Question
from mlx.results.tests import TestResult
from mlx.stats.correlation import is_constant, midranks
from mlx.stats.cyclic_shifts import FEWEST, CyclicShifts
from mlx.stats.groups import Groups, sign_flip_tests
from mlx.stats.influence import rank_products
from mlx.stats.permutation import CACHE_BYTES, PermutationTest, permutations_for, random_orders
from mlx.stats.permutation_chunks import Chunk, Chunks
from mlx.stats.status import OK, Reason, no_interval
from mlx.stats.studentized import MANY_SAMPLES, Stratum, studentized

P_METHOD = "studentized, permutation of entropy within groups"

MIN_BEYOND_GROUPS = 3
"""Fewest samples beyond one a group for a partial correlation."""

RELATIVE_TOLERANCE = 1e-12
"""The spread of a group counts as nothing below this share of its largest value."""


def correlations_given_correctness(
    x: Floats,
    y: Floats,
    correct: npt.ArrayLike,
    *,
    layer: str = "",
    settings: ResidualsSettings,
    n_layers: int = 1,
    groups: Groups | None = None,
    map: OrderedMap = in_order,
) -> list[TestResult]:
    """Pearson and Spearman correlation of similarity and entropy given whether the prediction was right.

    Both columns are centered within every group, which is what regressing them on the groups leaves; for
    Spearman their midranks over all samples are. The p-value permutes y within groups, with a studentized
    statistic: it is exact where x and y are independent given the group, whatever the groups' sizes, centers and
    spreads, and has its size in large samples where they are uncorrelated.

    There is no interval here: an x that is a similarity shares samples, and needs the node bootstrap.

    Parameters
    ----------
    x, y
        (n_samples,), similarity and entropy; samples where either is NaN are left out.
    correct
        (n_samples,), what is held fixed; any labels of groups.
    layer
        Of the similarity, for the results.
    settings
        Seed and permutations.
    n_layers
        Layers whose tests are adjusted together.
    groups
        Samples that belong together, of whose sums the signs are flipped instead.
    map
        How chunks of permutations are drawn.

    Returns
    -------
    list of TestResult
        One a statistic.
    """
    labels = np.unique(np.asarray(correct), return_inverse=True)[1]
    if not x.shape == y.shape == labels.shape or x.ndim != 1:
        raise DataError(f"expected columns of one shape (n,), found {x.shape}, {y.shape} and {labels.shape}")
    rows = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    x, y, labels = x[rows], y[rows], np.unique(labels[rows], return_inverse=True)[1]
    asked = _asked(layer, rows.size, settings.seed)
    if rows.size - (int(labels.max(initial=-1)) + 1) < MIN_BEYOND_GROUPS:
        return [replace(test, status=Reason.TOO_FEW_BEYOND_GROUPS(MIN_BEYOND_GROUPS)) for test in asked]
    ranks = midranks(x), midranks(y)
    left_x, left_y = (_columns_within(v, r, labels) for v, r in zip((x, y), ranks, strict=True))
    for column, left in (("x", left_x), ("y", left_y)):
        if not left[0].any():
            return [replace(test, status=Reason.CONSTANT_WITHIN_GROUPS(column)) for test in asked]
    if groups is None:
        by_x = labels[np.argsort(ranks[0], kind="stable")]
        tests = _tests(Stratum.of(left_x, left_y, *ranks), by_x, settings, n_layers, map)
    else:
        tests = _tests_by_group(left_x, left_y, ranks, groups.take(rows), settings, n_layers)
    few = OK if groups is None else groups.take(rows).why_too_few
    why = no_interval(Reason.SHARED_SAMPLES()) if few.is_ok else Reason.NO_TEST(few)
    methods = [p_method(test, P_METHOD) if groups is None else SIGN_FLIPS for test in tests]
    return [
        replace(one, estimate=r, status=why).with_p(test.p, method, test.n_permutations)
        for one, r, test, method in zip(asked, _cosines(left_x, left_y), tests, methods, strict=True)
    ]


def _asked(layer: str, n: int, seed: int) -> list[TestResult]:
    question = Question.SIMILARITY_ENTROPY_GIVEN_CORRECTNESS
    return [TestResult(question=question, layer=layer, statistic=one, n=n, seed=seed) for one in CORRELATIONS]


def _tests_by_group(
    x: Floats, y: Floats, ranks: tuple[Floats, Floats], groups: Groups, settings: ResidualsSettings, n_layers: int
) -> list[PermutationTest]:
    """Test both correlations of centered values and ranks (2, n) by sign flips; of too few groups, none."""
    if not groups.why_too_few.is_ok:
        return [PermutationTest(float("nan"), 0)] * len(x)
    products = np.stack([x[0] * y[0], rank_products(x[1], y[1], ranks)])
    limit = permutations_for(len(CORRELATIONS) * n_layers, least=settings.n_permutations)
    return sign_flip_tests(products, groups, limit, stream(settings.seed, Stream.PARTIAL_PERMUTATION))


Orders = Iterator[tuple[slice, Integers]]


@dataclass(frozen=True)
class _PermuteWithin:
    """Sums (2, 2, m) of one chunk of permutations of y within groups, which are the samples (n,) of equal labels."""

    doing: ClassVar[str] = "permuting entropies among correct and wrong predictions"
    stratum: Stratum
    labels: Integers
    seed: int

    def __call__(self, chunk: Chunk) -> Floats:
        n, found = self.labels.size, np.empty((2, 2, chunk.size))
        by_group = np.argsort(self.labels, kind="stable")
        members = np.split(by_group, np.cumsum(np.bincount(self.labels))[:-1])
        rows = max(1, CACHE_BYTES // (8 * n))
        groups = [self._of_group(label, own, chunk, rows) for label, own in enumerate(members)]
        back = np.argsort(np.concatenate([own for own, _ in groups]))
        for parts in zip(*(drawn for _, drawn in groups), strict=True):
            orders = np.concatenate([orders for _, orders in parts], axis=1)
            by_x = np.take(orders, back, axis=1, out=np.empty_like(orders), mode="clip")
            found[..., parts[0][0]] = self.stratum.sums(by_x)
        return found[..., chunk.skip :]

    def _of_group(self, label: int, members: Integers, chunk: Chunk, rows: int) -> tuple[Integers, Orders]:
        """Return the samples (n,) of a group, and places of their y under permutation (m, n), some rows at a time."""
        generator = stream(self.seed, Stream.PARTIAL_PERMUTATION, label, chunk.index)
        places, block = self.stratum.places[members], 8 * rows * members.size
        if members.size <= FEWEST:
            return members, random_orders(members.size, chunk.size, generator, values=places, block_bytes=block)
        shifts = CyclicShifts.of(members.size, stream(self.seed, Stream.SHIFTED_PARTS, label))
        drawn = shifts.draw(chunk.size, generator)
        blocks = row_blocks(chunk.size, members.size, block)
        return members[shifts.samples], ((where, shifts.by_part(drawn[where], places)) for where in blocks)


def _tests(
    stratum: Stratum, labels: Integers, settings: ResidualsSettings, n_layers: int, map: OrderedMap
) -> list[PermutationTest]:
    """Test both correlations by permutations of y within groups, whose labels (n,) are in the order of x."""
    observed = studentized(stratum.observed())[:, 0]
    chunks, permute = Chunks(labels.size), _PermuteWithin(stratum, labels, settings.seed)

    def draw(size: int, running: Integers) -> Floats:
        return studentized(np.concatenate(list(map(permute, chunks.following(size))), axis=-1))[running]

    limit = permutations_for(len(CORRELATIONS) * n_layers, least=settings.n_permutations)
    sides = list(zip(stratum.x, stratum.y, strict=True)) if labels.size > MANY_SAMPLES else []
    return tests_of(observed, draw, np.full(2, limit), sides)


def _columns_within(values: Floats, ranks: Floats, labels: Integers) -> Floats:
    """Values and ranks (2, n), centered within every group."""
    return np.stack([_values_within(values, labels), *_within(ranks[None] / (ranks.size + 1), labels)])


def _cosines(x: Floats, y: Floats) -> list[float]:
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y))
    return [float(np.clip(one @ other, -1.0, 1.0)) for one, other in zip(x, y, strict=True)]


def _values_within(values: Floats, labels: Integers) -> Floats:
    """Values (n,), sorted by group, less the mean of their group, in the unit of the largest; 0 in a constant group."""
    parts = []
    for members in np.split(values, np.flatnonzero(np.diff(labels)) + 1):
        scaled = unit_sized(members)
        left = scaled - scaled.mean()
        constant = is_constant(scaled, RELATIVE_TOLERANCE)
        parts.append((np.zeros_like(left), NO_EXPONENT) if constant else (left, exponent_of(members)))
    unit = max(exponent for _, exponent in parts)
    return unit_sized(np.concatenate([in_unit(left, unit - exponent) for left, exponent in parts]))


def _within(columns: Floats, labels: Integers) -> Floats:
    sizes = np.bincount(labels)
    means = np.stack([np.bincount(labels, weights=column) / sizes for column in columns])
    result: Floats = columns - means[:, labels]
    return result
