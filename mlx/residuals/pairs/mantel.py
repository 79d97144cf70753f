"""Mantel tests of correlations over pairs, against their permutation distribution.

Pairs share samples, so samples are permuted, not pairs (Mantel 1967). Permuting entropies leaves the means
and variances over pairs as they are, and only Σ s_ij m_ij is recomputed: for the mean entropy it is a
product of two vectors, which makes this test that of a sample's mean similarity to all others against its
entropy; for the other functions O(n·d) from the sums of `mlx.residuals.similarity.sums`, without the n × n matrices,
or O(n²) from these where there are few samples, or fewer than features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.core.scale import in_unit
from mlx.residuals.pairs.entropy_pairs import DEGREES, PAIR_STATISTICS, PairStatistic
from mlx.residuals.pairs.pair_correlations import pair_correlation
from mlx.residuals.pairs.pair_moments import (
    EMPTY,
    Center,
    PairGroup,
    PairMoments,
    center_of,
    group_moments,
    pair_group,
    products_about,
)
from mlx.residuals.similarity.directions import Directions
from mlx.residuals.similarity.lift import swap_constant_terms
from mlx.residuals.streams import Stream, stream
from mlx.results.tests import Scope, TestResult
from mlx.stats.permutation import permutation_p_value, random_orders

P_METHODS = {
    Scope.ALL_PAIRS: "Mantel: permutation of entropy",
    Scope.SAME_CLASS: "Mantel: permutation of entropy within predicted class",
    Scope.WITHIN_CLASS: "Mantel: permutation of entropy within predicted class",
    Scope.CLASS: "Mantel: permutation of entropy",
}


@dataclass(frozen=True)
class _Permuted:
    """Moments of a group, and its centered Σ s_ij m_ij (n_statistics, n_permutations) under permutation."""

    moments: PairMoments
    products: Floats

    def beside(self, other: "_Permuted", *, centered: bool) -> "_Permuted":
        """Put two groups together, each permuted in itself."""
        moments = self.moments.beside(other.moments, centered=centered)
        one, two = self.in_unit(moments.exponent), other.in_unit(moments.exponent)
        between = moments.product - one.moments.product - two.moments.product
        return _Permuted(moments, one.products + two.products + between[:, None])

    def in_unit(self, exponent: int) -> "_Permuted":
        """Return the same with entropies in units of 2^exponent."""
        step = (exponent - self.moments.exponent) * DEGREES[:, None]
        return _Permuted(self.moments.in_unit(exponent), in_unit(self.products, step))

    def about(self, group: PairGroup, center: Center) -> "_Permuted":
        """Return the same with entropies less another mean than that of the group."""
        products = products_about(self.in_unit(center.exponent).products, group.shift_from(center))
        return _Permuted(group.moments_about(center, self.moments), products)


def mantel(
    units: Directions,
    entropy: Floats,
    *,
    statistics: Sequence[PairStatistic] = ("mean_entropy",),
    n_permutations: int,
    seed: int,
) -> list[TestResult]:
    """Test each statistic over all pairs of samples that have a direction.

    Parameters
    ----------
    units
        Directions of n_samples rows.
    entropy
        (n_samples,), in nats.
    statistics
        Which functions of two entropies. ``"mean_entropy"`` alone costs O(n) a permutation, others O(n·d).
    n_permutations, seed
        How many permutations, and where they are drawn from.
    """
    rows = units.defined
    found, _ = _permuted(
        units, entropy, rows, center_of(entropy, rows), statistics, n_permutations, _generator(seed, 0)
    )
    return _tests(Scope.ALL_PAIRS, found, statistics)


def mantel_by_class(
    units: Directions,
    entropy: Floats,
    y_pred: Integers,
    n_classes: int,
    *,
    statistics: Sequence[PairStatistic] = ("mean_entropy",),
    n_permutations: int,
    seed: int,
) -> list[TestResult]:
    """Test pairs of one class together, as they are and centered by class, and those of every class.

    Parameters are those of `mantel`, with the predicted labels (n_samples,) in 0 … n_classes − 1.
    """
    found = units.defined
    center = center_of(entropy, found)
    together = apart = _Permuted(EMPTY, np.zeros((len(PAIR_STATISTICS), n_permutations)))
    by_class: list[TestResult] = []
    for label in range(n_classes):
        rows = found[y_pred[found] == label]
        own, shared = _permuted(units, entropy, rows, center, statistics, n_permutations, _generator(seed, 1 + label))
        by_class += _tests(Scope.CLASS, own, statistics, label, predicted=(y_pred == label).any())
        together = together.beside(shared, centered=False)
        apart = apart.beside(own, centered=True)
    return [
        *_tests(Scope.SAME_CLASS, together, statistics),
        *_tests(Scope.WITHIN_CLASS, apart, statistics),
        *by_class,
    ]


def _generator(seed: int, label: int) -> np.random.Generator:
    return stream(seed, Stream.PAIR_PERMUTATION, label)


def _permuted(
    units: Directions,
    entropy: Floats,
    rows: Integers,
    center: Center,
    statistics: Sequence[PairStatistic],
    n_permutations: int,
    generator: np.random.Generator,
) -> tuple[_Permuted, _Permuted]:
    """Permute a group with its entropies centered at its own mean, and at that of all."""
    products = np.zeros((len(PAIR_STATISTICS), n_permutations))
    if rows.size < 2:
        nothing = _Permuted(replace(EMPTY, n=rows.size), products)
        return nothing, nothing
    group = pair_group(units, entropy, rows)
    moments = group_moments(group)
    to_others = _to_others(group)
    only_mean = set(statistics) <= {"mean_entropy"}
    gram = None if only_mean or not _is_short(group) else _gram(group)
    for where, orders in random_orders(rows.size, n_permutations, generator):
        if only_mean:
            products[0, where] = to_others.take(orders) @ group.h / 2
        elif gram is not None:
            products[:, where] = _products_from_gram(group, gram, orders)
        else:
            products[:, where] = np.transpose([group.products(group.rows[order]) for order in orders])
    own = _Permuted(moments, products)
    return own, own.about(group, center)


def _is_short(group: PairGroup) -> bool:
    """Say whether permuting the matrix of all products is less work than going through the directions again."""
    return group.rows.size <= min(max(group.lifted.width, FEW_ROWS), MOST_IN_GRAM)


FEW_ROWS = 256
"""Up to so many rows, the many small steps of a pass through the directions take longer than n² numbers (from 200 at
16 features to 300 at 128)."""

MOST_IN_GRAM = 4096
"""Rows of the largest matrix of products that is kept: 128 MiB."""


def _gram(group: PairGroup) -> Floats:
    """Products (n, n) of all pairs of lifted vectors, 0 for a sample with itself."""
    if group.lifted.units.is_sparse:  # what the lift adds to them says nothing
        directions = sparse.csr_array(group.lifted.units.take(group.rows))
        products: Floats = (directions @ directions.T).toarray()
    else:
        lifted = np.asarray(group.lifted.take(group.rows))
        products = lifted @ swap_constant_terms(lifted).T
    np.fill_diagonal(products, 0.0)
    return products


def _products_from_gram(group: PairGroup, gram: Floats, orders: Integers) -> Floats:
    """Centered Σ_{i<j} s_ij m_ij (4, n_orders), as `PairGroup.products`, in O(n²) an order."""
    permuted = np.empty(orders.shape)
    np.put_along_axis(permuted, orders, np.broadcast_to(group.h, orders.shape), axis=1)
    to_all, total = gram.sum(axis=1), float(gram.sum()) / 2
    mean = permuted @ to_all / 2
    product = np.einsum("bn,bn->b", permuted @ gram, permuted) / 2
    gaps = np.abs(np.subtract.outer(group.h, group.h))
    difference = np.array([np.vdot(gram[np.ix_(order, order)], gaps) / 2 for order in orders])
    squared_difference = permuted**2 @ to_all - 2 * product
    products = np.stack([mean, difference, product, squared_difference])
    products -= (total * group.of_entropy.own_mean)[:, None]
    return products


def _to_others(group: PairGroup) -> Floats:
    """Sum of a sample's similarities to all others (n,), less their mean."""
    lifted = group.lifted
    total = np.zeros(lifted.width)
    for _, block in lifted.blocks(group.rows):
        total += block.sum(axis=0)
    found = np.concatenate([block @ swap_constant_terms(total) for _, block in lifted.blocks(group.rows)])
    centered: Floats = found - found.mean()
    return centered


def _tests(
    scope: Scope,
    group: _Permuted,
    statistics: Sequence[PairStatistic],
    label: int | None = None,
    *,
    predicted: bool = True,
) -> list[TestResult]:
    tests = []
    for statistic in statistics:
        index, moments = PAIR_STATISTICS.index(statistic), group.moments
        found = replace(
            pair_correlation(scope, statistic, moments, label, predicted=predicted),
            n_permutations=group.products.shape[1],
        )
        if found.status.is_ok:
            scale = np.sqrt(moments.square_s) * np.sqrt(moments.square[index])
            p = permutation_p_value(found.estimate, group.products[index] / scale)
            found = found.with_p(p, P_METHODS[scope], found.n_permutations)
        tests.append(found)
    return tests


def with_p_values(correlations: Sequence[TestResult], tests: Sequence[TestResult]) -> list[TestResult]:
    """Return correlations over pairs with the p-values of those that were tested."""
    made = {(test.scope, test.label, test.statistic): test for test in tests}
    found = []
    for one in correlations:
        test = made.get((one.scope, one.label, one.statistic), one)
        found.append(replace(one, p=test.p, p_method=test.p_method, n_permutations=test.n_permutations))
    return found
