"""Similarity against entropy over all pairs of samples, exact and without visiting the pairs.

Between s_ij and four functions of two entropies (`PAIR_STATISTICS`), over all n (n − 1)/2 pairs, in O(n·d²)
time and O(d²) memory beyond the entropies. The correlations describe; they are not tests. Pairs share their
samples, so that a p-value that counts pairs rejects a true null in up to 85 % of cases: none is given here.
How far chance alone moves a correlation is told by its variance when the entropies are dealt out anew
(Mantel 1967), given as a number of pairs, and its p-value by `mlx.residuals.mantel`.
"""

from dataclasses import dataclass, replace

import numpy as np

from mlx.core.checks import Floats, Integers
from mlx.residuals.correlation import ENTROPY_TOLERANCE, SIMILARITY_TOLERANCE
from mlx.residuals.entropy_pairs import PAIR_STATISTICS, PairStatistic, entropy_pairs
from mlx.residuals.lift import lift, partners
from mlx.residuals.similarity_pairs import squared_products
from mlx.residuals.sums import PairSums, pair_sums
from mlx.residuals.units import UnitRows

MIN_SAMPLES = 4
BLOCK_BYTES = 1 << 20
"""Small enough for a core's cache."""


@dataclass(frozen=True)
class PairCorrelation:
    """Pearson correlation over pairs of similarity with a function of two entropies; it only describes.

    Attributes
    ----------
    scope
        ``"all pairs"``; ``"same class"``: pairs predicted alike, of all classes together, differences between
        classes and all; ``"within class"``: the same pairs, both sides centred by class; ``"class"``: pairs
        of one class.
    label
        The class of scope ``"class"``, otherwise None.
    statistic
        One of `PAIR_STATISTICS`.
    estimate
        In [−1, 1]; NaN where ``status`` says why. Below 0 for ``"mean_entropy"``: unsure samples are
        dissimilar to others. Below 0 for a difference: similar samples are similarly unsure.
    n, n_pairs
        Samples that are in a pair, and pairs.
    effective_pairs
        1 + 1/Var(r) with Var(r) that of r over all ways to deal the entropies out among the samples (of a
        class, save over all pairs): so many independent pairs would have an r that chance moves as much.
        Usually far fewer than the pairs, for ``"mean_entropy"`` of the order of the samples.
    status
        ``"ok"``, or why there is no estimate.
    """

    scope: str
    label: int | None
    statistic: PairStatistic
    estimate: float
    n: int
    n_pairs: int
    effective_pairs: float
    status: str


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


def pair_correlations(
    units: UnitRows, entropy: Floats, y_pred: Integers, n_classes: int, *, block_bytes: int = BLOCK_BYTES
) -> list[PairCorrelation]:
    """Correlate over all pairs, over pairs of one class together, and over those of every class.

    Parameters
    ----------
    units
        Directions of n_samples rows; those without are left out.
    entropy
        (n_samples,), in nats.
    y_pred
        (n_samples,), predicted labels in 0 … n_classes − 1.
    n_classes
        Every class has its rows in the result, also one that is never predicted.
    block_bytes
        Least size of a block of rows, and d² if that is more; changes nothing beyond the last rounding.
    """
    found = units.defined
    scaled = scaled_entropy(entropy, found)
    everything = pair_moments(units, scaled, found, block_bytes=block_bytes)
    together = apart = EMPTY
    by_class: list[PairCorrelation] = []
    for label in range(n_classes):
        moments = pair_moments(units, scaled, found[y_pred[found] == label], block_bytes=block_bytes)
        missing = "" if (y_pred == label).any() else "never predicted"
        by_class += _correlations("class", label, moments, missing)
        together = together.beside(moments, centred=False)
        apart = apart.beside(moments, centred=True)
    return [
        *_correlations("all pairs", None, everything),
        *_correlations("same class", None, together),
        *_correlations("within class", None, apart),
        *by_class,
    ]


def scaled_entropy(entropy: Floats, rows: Integers) -> Floats:
    """Entropies (n_samples,) less the mean of the given rows, in units of the largest, for exact sums."""
    largest = float(np.abs(entropy[rows]).max(initial=0.0))
    scaled: Floats = entropy / (largest or 1.0)
    return scaled - (scaled[rows].mean() if rows.size else 0.0)


def pair_moments(units: UnitRows, scaled: Floats, rows: Integers, *, block_bytes: int = BLOCK_BYTES) -> PairMoments:
    """Sum over all pairs of the given rows, in two passes over them.

    Parameters
    ----------
    units
        Directions of n_samples rows.
    scaled
        (n_samples,), entropies from `scaled_entropy`.
    rows
        Those that have a direction, or some of them.
    """
    if rows.size < 2:
        return replace(EMPTY, n=rows.size)
    lifted = lift(units, rows, block_bytes=block_bytes)
    order = rows[np.argsort(scaled[rows], kind="stable")]
    shift = float(scaled[order].mean())
    h = scaled[order] - shift
    sums = pair_sums(lifted, order, h, block_bytes=block_bytes)
    n, n_pairs = rows.size, rows.size * (rows.size - 1) // 2
    of_entropy = entropy_pairs(h, shift)
    total, products = _products(sums, lifted.own, shift)
    square, row_square = squared_products(lifted, order, sums)
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


def _correlations(scope: str, label: int | None, moments: PairMoments, missing: str = "") -> list[PairCorrelation]:
    results = []
    for index, statistic in enumerate(PAIR_STATISTICS):
        status = missing or _obstacle(moments, index) or "ok"
        estimate, effective = _estimate(moments, index) if status == "ok" else (float("nan"), float("nan"))
        found = (estimate, moments.n, moments.n_pairs, effective, status)
        results.append(PairCorrelation(scope, label, statistic, *found))
    return results


def _estimate(moments: PairMoments, index: int) -> tuple[float, float]:
    """Correlation, and effective number of pairs."""
    scale = np.sqrt(moments.square_s) * np.sqrt(moments.square[index])
    variance = float(moments.chance[index] / scale**2)
    return float(np.clip(moments.product[index] / scale, -1.0, 1.0)), 1 + 1 / variance if variance > 0 else np.inf


def _obstacle(moments: PairMoments, index: int) -> str:
    if moments.n < MIN_SAMPLES:
        return f"too few samples (n < {MIN_SAMPLES})"
    if moments.square_s <= moments.n_pairs * SIMILARITY_TOLERANCE**2:
        return "constant similarity"
    if moments.square[0] <= moments.n_pairs * ENTROPY_TOLERANCE**2:
        return "constant entropy"
    if moments.square[index] <= moments.n_pairs * ENTROPY_TOLERANCE**4:
        return f"constant {PAIR_STATISTICS[index]}"
    return ""
