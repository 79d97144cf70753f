"""Mantel tests of correlations over pairs, against their permutation distribution.

Pairs share samples, so samples are permuted, not pairs (Mantel 1967). Permuting entropies leaves the means
and variances over pairs as they are, and only Σ s_ij m_ij is recomputed: for the mean entropy it is a
product of two vectors, which makes this test that of a sample's mean similarity to all others against its
entropy; for the other functions O(n·d) from the sums of `mlx.residuals.similarity.sums`, without the n × n matrices,
or O(n²) from these where there are few samples, or fewer than features.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import in_unit
from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS, PairStatistic
from mlx.residuals.pairs.pair_correlations import pair_correlation
from mlx.residuals.pairs.pair_moments import PairMoments, center_of
from mlx.residuals.pairs.permuted_pairs import (
    MEAN,
    Deck,
    PermuteMeansAlike,
    Together,
    permuted,
)
from mlx.residuals.similarity.directions import Directions
from mlx.results.questions import Scope
from mlx.results.tests import TestResult
from mlx.stats.permutation import sequential_tests
from mlx.stats.permutation_chunks import OF_CLASSES, Chunks, ChunksBySize, by_label
from mlx.stats.studentized import MANY_SAMPLES, is_nearly_normal

P_METHODS = {
    Scope.ALL_PAIRS: "Mantel: permutation of entropy",
    Scope.SAME_CLASS: "Mantel: permutation of entropy within predicted class",
    Scope.WITHIN_CLASS: "Mantel: permutation of entropy within predicted class",
    Scope.CLASS: "Mantel: permutation of entropy",
}
P_NORMAL = "Mantel: normal, with the variance over permutations of entropy"

Permutations = Mapping[PairStatistic, int]
"""Which functions of two entropies are tested, and the largest number of permutations of each."""


def mantel(
    units: Directions,
    entropy: Floats,
    *,
    permutations: Permutations,
    seed: int,
    moments: PairMoments | None = None,
    map: OrderedMap = in_order,
) -> list[TestResult]:
    """Test each statistic over all pairs of samples that have a direction.

    Parameters
    ----------
    units
        Directions of n_samples rows.
    entropy
        (n_samples,), in nats.
    permutations
        By statistic. ``"mean_entropy"`` alone costs O(n) a permutation, others O(n·d).
    seed
        Of the permutations.
    moments
        Those of all these pairs, where they are known.
    map
        How chunks of permutations are drawn.
    """
    rows = units.defined
    center, chunks = center_of(entropy, rows), Chunks(rows.size)
    deck = Deck.of(units, entropy, rows, center, seed, moments=moments, map=map)

    def draw(size: int, running: list[_Asked]) -> list[Floats]:
        (drawn,) = permuted([deck], [{one.index for one in running}], chunks.following(size), map)
        return [drawn[one.index] for one in running]

    target = _Target(Scope.ALL_PAIRS, deck.moments, [deck])
    return _tests([target], [permutations], draw, many=rows.size > MANY_SAMPLES)


def mantel_by_class(
    units: Directions,
    entropy: Floats,
    y_pred: Integers,
    n_classes: int,
    *,
    permutations: Permutations,
    of_class: Permutations,
    seed: int,
    moments: Sequence[PairMoments] | None = None,
    map: OrderedMap = in_order,
) -> list[TestResult]:
    """Test pairs of one class together, as they are and centered by class, and those of every class.

    Parameters are those of `mantel`, with the predicted labels (n_samples,) in 0 … n_classes − 1, and ``of_class``
    for the tests of every class, which share their permutations with those of all. ``moments`` are those of
    every class.
    """
    found = units.defined
    center = center_of(entropy, found)
    decks = [
        Deck.of(units, entropy, found[y_pred[found] == label], center, seed, 1 + label, moments=known, map=map)
        for label, known in enumerate(moments or [None] * n_classes)
    ]
    together = {
        scope: Together.of(decks, centered=scope is Scope.WITHIN_CLASS)
        for scope in (Scope.SAME_CLASS, Scope.WITHIN_CLASS)
    }
    predicted = np.bincount(y_pred, minlength=n_classes) > 0
    targets = [
        *(_Target(scope, both.moments, decks) for scope, both in together.items()),
        *(
            _Target(Scope.CLASS, deck.moments, [deck], label, bool(predicted[label]))
            for label, deck in enumerate(decks)
        ),
    ]
    draw = _DrawByClass(decks, together, found.size, permutations.get(PAIR_STATISTICS[MEAN], 0), map)
    each = [permutations, permutations, *[of_class] * n_classes]
    return _tests(targets, each, draw, many=found.size > MANY_SAMPLES)


class _DrawByClass:
    """Permutes within classes; tests of all classes together take what is drawn for every class.

    Beyond `left` permutations, which the tests of all classes take, classes of one size are permuted alike for the mean
    entropy.
    """

    def __init__(
        self, decks: list[Deck], together: Mapping[Scope, Together], n_samples: int, left: int, map: OrderedMap
    ) -> None:
        self._decks, self._together, self._left, self._map = decks, together, left, map
        self._chunks = Chunks(n_samples // OF_CLASSES)
        self._alike = ChunksBySize({label: deck.to_others.size for label, deck in enumerate(decks)})

    def __call__(self, size: int, running: list["_Asked"]) -> list[Floats]:
        """Return the products (size,) of each running test under the next permutations."""
        before = min(self._left, size)
        self._left -= before
        parts = [self._each_by_itself(before, running)] if before else []
        if size > before:
            parts.append(self._means_alike(size - before, running))
        return [np.concatenate(one) for one in zip(*parts, strict=True)]

    def _each_by_itself(self, size: int, running: list["_Asked"]) -> list[Floats]:
        needed = defaultdict[int | None, set[int]](set)
        for one in running:
            needed[one.target.label].add(one.index)
        shared = needed[None]
        wanted = [shared | needed[label] for label in range(len(self._decks))]
        drawn = permuted(self._decks, wanted, self._chunks.following(size), self._map)
        of_all = {scope: both.products(drawn) for scope, both in self._together.items()} if shared else {}
        parts = (of_all[x.target.scope] if x.target.label is None else drawn[x.target.label] for x in running)
        return [own[one.index] for own, one in zip(parts, running, strict=True)]

    def _means_alike(self, size: int, running: list["_Asked"]) -> list[Floats]:
        labels = [one.label_of_mean for one in running]
        others = [one for one, label in zip(running, labels, strict=True) if label is None]
        rest = iter(self._each_by_itself(size, others) if others else [])
        asked = self._alike.following(size, [label for label in labels if label is not None])
        found = by_label(self._map(PermuteMeansAlike(self._decks), asked))
        return [next(rest) if label is None else found[label] for label in labels]


@dataclass(frozen=True)
class _Target:
    """Pairs that are tested: their scope, moments with the products of the data, and groups permuted for them."""

    scope: Scope
    moments: PairMoments
    decks: list[Deck]
    label: int | None = None
    predicted: bool = True

    def result(self, statistic: PairStatistic) -> TestResult:
        """Return the correlation before it is tested."""
        return pair_correlation(self.scope, statistic, self.moments, self.label, predicted=self.predicted)

    def normal_p_value(self) -> float:
        """p-value of the mean entropy from the normal distribution; NaN where few samples carry the sum."""
        moments = self.moments
        decks = [deck for deck in self.decks if deck.group is not None]
        x = np.concatenate([deck.to_others for deck in decks])
        y = np.concatenate([in_unit(deck.entropies, moments.exponent - deck.moments.exponent) for deck in decks])
        if not is_nearly_normal(x, y):
            return float("nan")
        observed, error = abs(float(moments.product[MEAN])), float(np.sqrt(moments.chance[MEAN]))
        # What the means of classes contribute, pairs predicted alike as they are, stays under permutation.
        mean = float(moments.product[MEAN]) - float(x @ y) / 2
        return float(ndtr((-observed - mean) / error) + ndtr((mean - observed) / error))


@dataclass(frozen=True)
class _Asked:
    """One statistic of one target."""

    target: _Target
    index: int

    @property
    def label_of_mean(self) -> int | None:
        """The class whose mean entropy this is."""
        return self.target.label if self.index == MEAN else None


def _tests(
    targets: list[_Target],
    permutations: list[Permutations],
    draw: Callable[[int, list[_Asked]], list[Floats]],
    *,
    many: bool,
) -> list[TestResult]:
    """Test the statistics of every target, as ``permutations`` says; without permutations of the mean where normal."""
    asked = [
        _Asked(target, PAIR_STATISTICS.index(statistic))
        for target, each in zip(targets, permutations, strict=True)
        for statistic in each
    ]
    results = [one.target.result(PAIR_STATISTICS[one.index]) for one in asked]
    moments = [one.target.moments for one in asked]
    scales = [np.sqrt(m.square_s) * np.sqrt(m.square[one.index]) for m, one in zip(moments, asked, strict=True)]
    normal = np.array([
        one.target.normal_p_value() if many and one.index == MEAN and result.status.is_ok else np.nan
        for one, result in zip(asked, results, strict=True)
    ])  # fmt: skip
    permuted = np.isnan(normal) & [result.status.is_ok for result in results]
    scale = np.where(permuted, scales, 1.0)

    def statistics(size: int, running: Integers) -> Floats:
        return np.stack(draw(size, [asked[test] for test in running])) / scale[running, None]

    observed = np.where(permuted, [m.product[one.index] for m, one in zip(moments, asked, strict=True)], np.nan)
    limits = np.array([limit for each in permutations for limit in each.values()])
    found = []
    for result, p, test in zip(results, normal, sequential_tests(observed / scale, statistics, limits), strict=True):
        permutation = result.with_p(test.p, P_METHODS[result.scope], test.n_permutations)
        found.append(permutation if np.isnan(p) else result.with_p(float(p), P_NORMAL))
    return found


def with_p_values(correlations: Sequence[TestResult], tests: Sequence[TestResult]) -> list[TestResult]:
    """Return correlations over pairs with the p-values of those that were tested."""
    made = {(test.scope, test.label, test.statistic): test for test in tests}
    found = []
    for one in correlations:
        test = made.get((one.scope, one.label, one.statistic), one)
        found.append(replace(one, p=test.p, p_method=test.p_method, n_permutations=test.n_permutations))
    return found
