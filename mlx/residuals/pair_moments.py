"""Means and centred sums over all pairs of a group of samples, in O(n·d²) time and O(d²) memory."""

from dataclasses import dataclass, replace

import numpy as np

from mlx.core.checks import Floats, Integers
from mlx.residuals.correlation import ENTROPY_TOLERANCE, SIMILARITY_TOLERANCE
from mlx.residuals.entropy_pairs import PAIR_STATISTICS, entropy_pairs
from mlx.residuals.lift import LiftedRows, lift, partners
from mlx.residuals.similarity_pairs import squared_products
from mlx.residuals.sums import PairSums, pair_sums
from mlx.residuals.units import UnitRows

MIN_SAMPLES = 4
BLOCK_BYTES = 1 << 20
"""Small enough for a core's cache."""


@dataclass(frozen=True)
class PairMoments:
    """Means and centred sums over the pairs of one group of samples; those of several add to their union.

    Entropies are in units of a scale that all groups share. The last five are (4,), by statistic.

    Attributes
    ----------
    n, n_pairs
        Samples and pairs.
    distance, square_s
        Mean of 1 − s, which keeps the digits that s near 1 loses, and sum of squared deviations.
    mean, square, product
        Mean of the function of entropies, sum of squared deviations, and of products with those of s.
    chance
        Variance of ``product`` when entropies are permuted in the group.
    """

    n: int
    n_pairs: int
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
            distance=self.distance - gap_s * other.n_pairs / n_pairs,
            square_s=self.square_s + other.square_s + weight * gap_s**2,
            mean=self.mean + gap * other.n_pairs / n_pairs,
            square=self.square + other.square + weight * gap**2,
            product=self.product + other.product + weight * gap_s * gap,
            chance=self.chance + other.chance,
        )


EMPTY = PairMoments(0, 0, 0.0, 0.0, *np.zeros((4, len(PAIR_STATISTICS))))


def scaled_entropy(entropy: Floats, rows: Integers) -> Floats:
    """Entropies (n_samples,) less the mean of the given rows, in units of the largest, for exact sums."""
    largest = float(np.abs(entropy[rows]).max(initial=0.0))
    scaled: Floats = entropy / (largest or 1.0)
    return scaled - (scaled[rows].mean() if rows.size else 0.0)


@dataclass(frozen=True)
class PairGroup:
    """Samples whose pairs are summed, in the order of their entropies.

    Attributes
    ----------
    lifted, rows
        Directions, lifted round the mean of the group, and which n of them are the group.
    h
        (n,), entropies from `scaled_entropy` less ``shift``, ascending.
    shift
        Their mean.
    """

    lifted: LiftedRows
    rows: Integers
    h: Floats
    shift: float

    def products(self, rows: Integers, *, block_bytes: int = BLOCK_BYTES) -> Floats:
        """Σ_{i<j} ⟨w_i, w_j⟩ m_ij (4,) if these were the rows in the order of their entropies."""
        sums = pair_sums(self.lifted, rows, self.h, with_gram=False, block_bytes=block_bytes)
        return _products(sums, self.lifted.own, self.shift)[1]


def pair_group(units: UnitRows, scaled: Floats, rows: Integers, *, block_bytes: int = BLOCK_BYTES) -> PairGroup:
    """Sort the given rows, at least one, by their entropies (n_samples,) from `scaled_entropy`."""
    order = rows[np.argsort(scaled[rows], kind="stable")]
    shift = float(scaled[order].mean())
    return PairGroup(lift(units, rows, block_bytes=block_bytes), order, scaled[order] - shift, shift)


def pair_moments(units: UnitRows, scaled: Floats, rows: Integers, *, block_bytes: int = BLOCK_BYTES) -> PairMoments:
    """Sum over all pairs of the given rows, which have a direction, in two passes over them."""
    if rows.size < 2:
        return replace(EMPTY, n=rows.size)
    return group_moments(pair_group(units, scaled, rows, block_bytes=block_bytes), block_bytes=block_bytes)


def group_moments(group: PairGroup, *, block_bytes: int = BLOCK_BYTES) -> PairMoments:
    """Sum over all pairs of a group of at least two."""
    lifted, n = group.lifted, group.rows.size
    n_pairs = n * (n - 1) // 2
    sums = pair_sums(lifted, group.rows, group.h, with_gram=True, block_bytes=block_bytes)
    of_entropy = entropy_pairs(group.h, group.shift)
    total, products = _products(sums, lifted.own, group.shift)
    square, row_square = squared_products(lifted, group.rows, sums)
    square_s = max(0.0, square / 2 - total**2 / n_pairs)
    return PairMoments(
        n=n,
        n_pairs=n_pairs,
        distance=lifted.own - total / n_pairs,
        square_s=square_s,
        mean=of_entropy.mean,
        square=of_entropy.square,
        product=products - total * of_entropy.mean,
        chance=_chance(n, square_s, row_square - 4 * total**2 / n, of_entropy.square, of_entropy.row_square),
    )


def _products(sums: PairSums, own: float, shift: float) -> tuple[float, Floats]:
    """Σ x_ij and Σ x_ij m_ij (4,) over the pairs i < j, where x_ij = ⟨w_i, w_j⟩."""
    w, hw, h2w = sums.moments
    to_all = partners(w)
    n, h1, h2 = sums.moments[:, -1]
    # Sums over i and j take in the pair of i with itself, with x_ii = own.
    total = float(w @ to_all - n * own) / 2
    mean = (hw @ to_all - own * h1) / 2
    product = (hw @ partners(hw) - own * h2) / 2
    squared_difference = h2w @ to_all - own * h2 - 2 * product
    difference = (sums.ends[1] * w - hw) @ to_all - sums.path
    product += 2 * shift * mean + shift**2 * total
    mean += shift * total
    return total, np.array([mean, difference, product, squared_difference])


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
    if moments.square[0] <= moments.n_pairs * ENTROPY_TOLERANCE**2:
        return "constant entropy"
    if moments.square[index] <= moments.n_pairs * ENTROPY_TOLERANCE**4:
        return f"constant {PAIR_STATISTICS[index]}"
    return ""
