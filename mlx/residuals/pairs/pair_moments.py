"""Means and centered sums over all pairs of a group of samples, in O(n·d²) time and O(d²) memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order, within_task
from mlx.core.scale import NO_EXPONENT, exponent_of, in_unit
from mlx.residuals.association.layer import MIN_SAMPLES
from mlx.residuals.pairs.entropy_pairs import DEGREES, PAIR_STATISTICS, EntropyPairs, entropy_pairs
from mlx.residuals.pairs.similarity_pairs import squared_products
from mlx.residuals.similarity.directions import Directions
from mlx.residuals.similarity.lift import CenteredDirections, lift_each, swap_constant_terms
from mlx.residuals.similarity.sums import PairSums, pair_sums, pair_sums_each
from mlx.stats.correlation import ENTROPY_TOLERANCE, SIMILARITY_TOLERANCE, in_own_unit
from mlx.stats.status import OK, Reason, Status

BLOCK_BYTES = 1 << 20
"""Small enough for a core's cache."""

ROUNDING = 1e-13
"""A sum of squared deviations smaller than this beside the squares it is the rest of, is rounding: similarities
are constant. Centered directions never come near; sparse ones do where sd(s) is below 3e-7 of the mean."""


@dataclass(frozen=True)
class PairMoments:
    """Means and centered sums over the pairs of one group of samples; those of several add to their union.

    The last four are (4,), by statistic.

    Attributes
    ----------
    n, n_pairs
        Samples and pairs.
    exponent
        Entropies are in units of 2^exponent: of about the largest of the group, whose powers stay in range.
    tie
        Entropies this close are equal.
    distance, square_s, row_square_s
        Mean of 1 − s, which keeps the digits that s near 1 loses, sum of squared deviations, and sum over
        samples of the squared sum of theirs.
    mean, square, product
        Mean of the function of entropies, sum of squared deviations, and of products with those of s.
    chance
        Variance of ``product`` when entropies are permuted in the group.
    """

    n: int
    n_pairs: int
    exponent: int
    tie: float
    distance: float
    square_s: float
    row_square_s: float
    mean: Floats
    square: Floats
    product: Floats
    chance: Floats

    def in_unit(self, exponent: int) -> "PairMoments":
        """Return the same with entropies in units of 2^exponent."""
        step = (exponent - self.exponent) * DEGREES
        return replace(
            self,
            exponent=exponent,
            tie=float(in_unit(self.tie, exponent - self.exponent)),
            mean=in_unit(self.mean, step),
            square=in_unit(self.square, 2 * step),
            product=in_unit(self.product, step),
            chance=in_unit(self.chance, 2 * step),
        )

    def beside(self, other: "PairMoments", *, centered: bool) -> "PairMoments":
        """Put the pairs of two groups together; ``centered`` leaves out what their means differ by."""
        if other.n_pairs == 0 or self.n_pairs == 0:
            return other if self.n_pairs == 0 else self
        exponent = max(self.exponent, other.exponent)
        one, other = self.in_unit(exponent), other.in_unit(exponent)
        n_pairs = one.n_pairs + other.n_pairs
        weight = 0.0 if centered else one.n_pairs * other.n_pairs / n_pairs
        gap_s, gap = one.distance - other.distance, other.mean - one.mean
        return PairMoments(
            n=one.n + other.n,
            n_pairs=n_pairs,
            exponent=exponent,
            tie=max(one.tie, other.tie),
            distance=one.distance - gap_s * other.n_pairs / n_pairs,
            square_s=one.square_s + other.square_s + weight * gap_s**2,
            row_square_s=one.row_square_s + other.row_square_s,
            mean=one.mean + gap * other.n_pairs / n_pairs,
            square=one.square + other.square + weight * gap**2,
            product=one.product + other.product + weight * gap_s * gap,
            chance=one.chance + other.chance,
        )


EMPTY = PairMoments(0, 0, NO_EXPONENT, 0.0, 0.0, 0.0, 0.0, *np.zeros((4, len(PAIR_STATISTICS))))


@dataclass(frozen=True)
class Center:
    """Where the entropies of several groups together are centered: ``mean``, in units of 2^exponent."""

    mean: float
    exponent: int


def center_of(entropy: Floats, rows: Integers) -> Center:
    """Return the mean entropy of the given rows of all (n_samples,)."""
    exponent = exponent_of(entropy[rows])
    return Center(float(in_unit(entropy[rows], exponent).mean()) if rows.size else 0.0, exponent)


@dataclass(frozen=True)
class PairGroup:
    """Samples whose pairs are summed, in the order of their entropies.

    Attributes
    ----------
    lifted, rows
        Directions, centered at the mean of the group, and which n of them are the group.
    h, exponent
        (n,), entropies less their mean, ascending, in units of 2^exponent; all 0 where they are constant.
    center
        Their mean.
    tie
        Values of ``h`` this close are equal.
    """

    lifted: CenteredDirections
    rows: Integers
    h: Floats
    exponent: int
    center: Center
    tie: float

    @cached_property
    def of_entropy(self) -> EntropyPairs:
        """Moments of the functions of entropies."""
        return entropy_pairs(self.h, 0.0)

    def products(self, rows: Integers) -> Floats:
        """Centered Σ_{i<j} s_ij m_ij (4,) if these were the rows in the order of their entropies."""
        sums = pair_sums(self.lifted, rows, self.h, with_gram=False, map=within_task)
        return _products(sums, self.lifted.own, self.of_entropy)[1]

    def moments_about(self, center: Center, moments: PairMoments) -> PairMoments:
        """Return the moments of the group, of which those about its own mean are known, about another mean."""
        unit = center.exponent
        shift = self.shift_from(center)
        of_entropy = entropy_pairs(in_unit(self.h, unit - self.exponent), shift)
        return replace(
            moments.in_unit(unit),
            tie=float(in_unit(ENTROPY_TOLERANCE, unit - self.center.exponent)),
            mean=of_entropy.mean,
            square=of_entropy.square,
            product=products_about(moments.in_unit(unit).product, shift),
            chance=_chance(moments, of_entropy),
        )

    def shift_from(self, center: Center) -> float:
        """Mean of the group less another mean, in the unit of that."""
        return float(in_unit(self.center.mean, center.exponent - self.center.exponent)) - center.mean


def products_about(products: Floats, shift: float) -> Floats:
    """Σ s_ij m_ij (4, …) once ``shift`` is added to every entropy: (h + δ)(k + δ) = hk + 2δ (h + k)/2 + δ²."""
    moved = products.copy()
    moved[2] += 2 * shift * moved[0]
    return moved


def pair_group(
    units: Directions,
    entropy: Floats,
    rows: Integers,
    *,
    block_bytes: int = BLOCK_BYTES,
    map: OrderedMap = in_order,
) -> PairGroup:
    """Sort the given rows, at least one, by their entropies, of which there are (n_samples,)."""
    return pair_groups(units, entropy, [rows], block_bytes=block_bytes, map=map)[0]


def pair_groups(
    units: Directions,
    entropy: Floats,
    groups: Sequence[Integers],
    *,
    block_bytes: int = BLOCK_BYTES,
    map: OrderedMap = in_order,
) -> list[PairGroup]:
    """Return the `pair_group` of each group of rows."""
    each = lift_each(units, groups, block_bytes=block_bytes, map=map)
    return [_in_order(lifted, entropy, rows) for lifted, rows in zip(each, groups, strict=True)]


def _in_order(lifted: CenteredDirections, entropy: Floats, rows: Integers) -> PairGroup:
    order = rows[np.argsort(entropy[rows], kind="stable")]
    h, exponent = in_own_unit(entropy[order])
    tie = ENTROPY_TOLERANCE if exponent > NO_EXPONENT else 0.0
    return PairGroup(lifted, order, h - h.mean(), exponent, center_of(entropy, order), tie)


def group_moments(group: PairGroup, *, block_bytes: int = BLOCK_BYTES, map: OrderedMap = in_order) -> PairMoments:
    """Sum over all pairs of a group of at least two."""
    return moments_of([group], block_bytes=block_bytes, map=map)[0]


def moments_of(
    groups: Sequence[PairGroup], *, block_bytes: int = BLOCK_BYTES, map: OrderedMap = in_order
) -> list[PairMoments]:
    """Return the `group_moments` of each group."""
    parts = [(group.lifted, group.rows, group.h) for group in groups]
    each = pair_sums_each(parts, with_gram=True, block_bytes=block_bytes, map=map)
    return [_moments(group, sums) for group, sums in zip(groups, each, strict=True)]


def _moments(group: PairGroup, sums: PairSums) -> PairMoments:
    lifted, n = group.lifted, group.rows.size
    n_pairs = n * (n - 1) // 2
    of_entropy = group.of_entropy
    total, products = _products(sums, lifted.own, of_entropy)
    square, row_square = squared_products(lifted, group.rows, sums)
    square_s = square / 2 - total**2 / n_pairs
    square_s *= square_s > ROUNDING * square / 2
    moments = PairMoments(
        n=n,
        n_pairs=n_pairs,
        exponent=group.exponent,
        tie=group.tie,
        distance=lifted.own - total / n_pairs,
        square_s=square_s,
        row_square_s=row_square - 4 * total**2 / n,
        mean=of_entropy.mean,
        square=of_entropy.square,
        product=products,
        chance=np.zeros(len(PAIR_STATISTICS)),
    )
    return replace(moments, chance=_chance(moments, of_entropy))


def _products(sums: PairSums, own: float, of_entropy: EntropyPairs) -> tuple[float, Floats]:
    """Σ x_ij and centered Σ x_ij m_ij (4,) over the pairs i < j, where x_ij = ⟨w_i, w_j⟩."""
    w, hw, h2w = sums.moments
    to_all = swap_constant_terms(w)
    n, h1, h2 = sums.moments[:, -1]
    # Sums over i and j take in the pair of i with itself, with x_ii = own.
    total = float(w @ to_all - n * own) / 2
    mean = (hw @ to_all - own * h1) / 2
    difference = (sums.ends[1] * w - hw) @ to_all - sums.path
    product = (hw @ swap_constant_terms(hw) - own * h2) / 2
    squared_difference = h2w @ to_all - own * h2 - 2 * product
    return total, np.array([mean, difference, product, squared_difference]) - total * of_entropy.own_mean


def _chance(moments: PairMoments, of_entropy: EntropyPairs) -> Floats:
    """Variance (4,) of Σ_{i<j} a_ij b_π(i)π(j) over permutations π, for a and b centered over pairs (Mantel 1967).

    Of two pairs of samples that a product of two such sums meets, both samples are shared, one, or none.
    """
    n, row_square_s, row_square = moments.n, moments.row_square_s, of_entropy.row_square
    a, b = 2 * moments.square_s, 2 * of_entropy.square
    both = 2 * a * b / (n * (n - 1))
    one = 4 * (row_square_s - a) * (row_square - b) / (n * (n - 1) * max(1, n - 2))
    none = 4 * (a - 2 * row_square_s) * (b - 2 * row_square) / (n * (n - 1) * max(1, n - 2) * max(1, n - 3))
    terms: Floats = both + (one if n > 2 else 0) + (none if n > 3 else 0)
    return terms.clip(0.0) / 4


def why_undefined(moments: PairMoments, index: int) -> Status:
    """Why these pairs have no correlation with one of `PAIR_STATISTICS`; `OK` where they have one."""
    if moments.n < MIN_SAMPLES:
        return Reason.TOO_FEW_SAMPLES(MIN_SAMPLES)
    if moments.square_s <= moments.n_pairs * SIMILARITY_TOLERANCE**2:
        return Reason.CONSTANT("similarity")
    if moments.square[0] <= moments.n_pairs * moments.tie**2:
        return Reason.CONSTANT("entropy")
    if moments.square[index] <= moments.n_pairs * moments.tie**4:
        return Reason.CONSTANT(PAIR_STATISTICS[index])
    return OK
