"""Means and centred sums over all pairs of a group of samples, in O(n·d²) time and O(d²) memory."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mlx.core.checks import Floats, Integers
from mlx.residuals.correlation import SIMILARITY_TOLERANCE, entropy_tolerance
from mlx.residuals.entropy_pairs import PAIR_STATISTICS, EntropyPairs, entropy_pairs
from mlx.residuals.layer import MIN_SAMPLES
from mlx.residuals.lift import LiftedRows, lift, partners
from mlx.residuals.similarity_pairs import squared_products
from mlx.residuals.sums import PairSums, pair_sums
from mlx.residuals.units import UnitRows

BLOCK_BYTES = 1 << 20
"""Small enough for a core's cache."""

ROUNDING = 1e-13
"""A sum of squared deviations smaller than this beside the squares it is the rest of, is rounding: similarities
are constant. Centred directions never come near; sparse ones do where sd(s) is below 3e-7 of the mean."""


@dataclass(frozen=True)
class PairMoments:
    """Means and centred sums over the pairs of one group of samples; those of several add to their union.

    Entropies are scaled alike in all groups. The last four are (4,), by statistic.

    Attributes
    ----------
    n, n_pairs
        Samples and pairs.
    tie
        Scaled entropies this close are equal.
    distance, square_s
        Mean of 1 − s, which keeps the digits that s near 1 loses, and sum of squared deviations.
    mean, square, product
        Mean of the function of entropies, sum of squared deviations, and of products with those of s.
    chance
        Variance of ``product`` when entropies are permuted in the group.
    """

    n: int
    n_pairs: int
    tie: float
    distance: float
    square_s: float
    mean: Floats
    square: Floats
    product: Floats
    chance: Floats

    def beside(self, other: "PairMoments", *, centred: bool) -> "PairMoments":
        """Put the pairs of two groups together; ``centred`` leaves out what their means differ by."""
        if other.n_pairs == 0 or self.n_pairs == 0:
            return other if self.n_pairs == 0 else self
        n_pairs = self.n_pairs + other.n_pairs
        weight = 0.0 if centred else self.n_pairs * other.n_pairs / n_pairs
        gap_s, gap = self.distance - other.distance, other.mean - self.mean
        return PairMoments(
            n=self.n + other.n,
            n_pairs=n_pairs,
            tie=max(self.tie, other.tie),
            distance=self.distance - gap_s * other.n_pairs / n_pairs,
            square_s=self.square_s + other.square_s + weight * gap_s**2,
            mean=self.mean + gap * other.n_pairs / n_pairs,
            square=self.square + other.square + weight * gap**2,
            product=self.product + other.product + weight * gap_s * gap,
            chance=self.chance + other.chance,
        )


EMPTY = PairMoments(0, 0, 0.0, 0.0, 0.0, *np.zeros((4, len(PAIR_STATISTICS))))


@dataclass(frozen=True)
class ScaledEntropy:
    """Entropies in units of the largest, so that their powers stay in range.

    Attributes
    ----------
    values
        (n_samples,).
    mean
        Of the samples whose product of entropies is centred by it: all that have a direction.
    """

    values: Floats
    mean: float


def scaled_entropy(entropy: Floats, rows: Integers) -> ScaledEntropy:
    """Scale entropies (n_samples,) by the largest of the given rows, and find the mean of those."""
    largest = float(np.abs(entropy[rows]).max(initial=0.0))
    values = entropy / (largest or 1.0)
    return ScaledEntropy(values, float(values[rows].mean()) if rows.size else 0.0)


@dataclass(frozen=True)
class PairGroup:
    """Samples whose pairs are summed, in the order of their entropies.

    Attributes
    ----------
    lifted, rows
        Directions, lifted round the mean of the group, and which n of them are the group.
    h
        (n,), scaled entropies less their mean, ascending.
    shift
        Their mean less that of all samples.
    tie
        Scaled entropies this close are equal.
    """

    lifted: LiftedRows
    rows: Integers
    h: Floats
    shift: float
    tie: float

    @cached_property
    def of_entropy(self) -> EntropyPairs:
        """Moments of the functions of entropies."""
        return entropy_pairs(self.h, self.shift)

    def products(self, rows: Integers, *, block_bytes: int = BLOCK_BYTES) -> Floats:
        """Centred Σ_{i<j} s_ij m_ij (4,) if these were the rows in the order of their entropies."""
        sums = pair_sums(self.lifted, rows, self.h, with_gram=False, block_bytes=block_bytes)
        return _products(sums, self.lifted.own, self.of_entropy)[1]


def pair_group(units: UnitRows, entropy: ScaledEntropy, rows: Integers, *, block_bytes: int = BLOCK_BYTES) -> PairGroup:
    """Sort the given rows, at least one, by their entropies."""
    order = rows[np.argsort(entropy.values[rows], kind="stable")]
    h = entropy.values[order]
    mean, tie = float(h.mean()), entropy_tolerance(h)
    return PairGroup(lift(units, rows, block_bytes=block_bytes), order, h - mean, mean - entropy.mean, tie)


def pair_moments(
    units: UnitRows, entropy: ScaledEntropy, rows: Integers, *, block_bytes: int = BLOCK_BYTES
) -> PairMoments:
    """Sum over all pairs of the given rows, which have a direction, in two passes over them."""
    if rows.size < 2:
        return replace(EMPTY, n=rows.size)
    return group_moments(pair_group(units, entropy, rows, block_bytes=block_bytes), block_bytes=block_bytes)


def group_moments(group: PairGroup, *, block_bytes: int = BLOCK_BYTES) -> PairMoments:
    """Sum over all pairs of a group of at least two."""
    lifted, n = group.lifted, group.rows.size
    n_pairs = n * (n - 1) // 2
    sums = pair_sums(lifted, group.rows, group.h, with_gram=True, block_bytes=block_bytes)
    of_entropy = group.of_entropy
    total, products = _products(sums, lifted.own, of_entropy)
    square, row_square = squared_products(lifted, group.rows, sums)
    square_s = square / 2 - total**2 / n_pairs
    square_s *= square_s > ROUNDING * square / 2
    return PairMoments(
        n=n,
        n_pairs=n_pairs,
        tie=group.tie,
        distance=lifted.own - total / n_pairs,
        square_s=square_s,
        mean=of_entropy.mean,
        square=of_entropy.square,
        product=products,
        chance=_chance(n, square_s, row_square - 4 * total**2 / n, of_entropy.square, of_entropy.row_square),
    )


def _products(sums: PairSums, own: float, of_entropy: EntropyPairs) -> tuple[float, Floats]:
    """Σ x_ij and centred Σ x_ij m_ij (4,) over the pairs i < j, where x_ij = ⟨w_i, w_j⟩."""
    w, hw, h2w = sums.moments
    to_all = partners(w)
    n, h1, h2 = sums.moments[:, -1]
    # Sums over i and j take in the pair of i with itself, with x_ii = own.
    total = float(w @ to_all - n * own) / 2
    mean = (hw @ to_all - own * h1) / 2
    difference = (sums.ends[1] * w - hw) @ to_all - sums.path
    product = (hw @ partners(hw) - own * h2) / 2
    squared_difference = h2w @ to_all - own * h2 - 2 * product
    products = np.array([mean, difference, product, squared_difference]) - total * of_entropy.own_mean
    products[2] += 2 * of_entropy.shift * products[0]
    return total, products


def _chance(n: int, square_s: float, row_square_s: float, square: Floats, row_square: Floats) -> Floats:
    """Variance (4,) of Σ_{i<j} a_ij b_π(i)π(j) over permutations π, for a and b centred over pairs (Mantel 1967).

    Of two pairs of samples that a product of two such sums meets, both samples are shared, one, or none.
    """
    a, b = 2 * square_s, 2 * square
    both = 2 * a * b / (n * (n - 1))
    one = 4 * (row_square_s - a) * (row_square - b) / (n * (n - 1) * max(1, n - 2))
    none = 4 * (a - 2 * row_square_s) * (b - 2 * row_square) / (n * (n - 1) * max(1, n - 2) * max(1, n - 3))
    terms: Floats = both + (one if n > 2 else 0) + (none if n > 3 else 0)
    return terms.clip(0.0) / 4


def obstacle(moments: PairMoments, index: int) -> str:
    """Why these pairs have no correlation with one of `PAIR_STATISTICS`, or nothing."""
    if moments.n < MIN_SAMPLES:
        return f"too few samples (n < {MIN_SAMPLES})"
    if moments.square_s <= moments.n_pairs * SIMILARITY_TOLERANCE**2:
        return "constant similarity"
    if moments.square[0] <= moments.n_pairs * moments.tie**2:
        return "constant entropy"
    if moments.square[index] <= moments.n_pairs * moments.tie**4:
        return f"constant {PAIR_STATISTICS[index]}"
    return ""
