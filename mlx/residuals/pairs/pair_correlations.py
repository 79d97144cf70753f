"""Similarity against entropy over all pairs of samples, exact and without visiting the pairs.

Between s_ij and four functions of two entropies (`PAIR_STATISTICS`), over all n (n − 1)/2 pairs, in O(n·d²)
time and O(d²) memory beyond the entropies. The correlations describe; they are not tests. Pairs share their
samples, so that a p-value that counts pairs rejects a true null in up to 85 % of cases: none is given here.
How far chance alone moves a correlation is told by its variance when the entropies are dealt out anew
(Mantel 1967), given as a number of pairs, and its p-value by `mlx.residuals.pairs.mantel`.
"""

from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS, PairStatistic
from mlx.residuals.pairs.pair_moments import (
    BLOCK_BYTES,
    EMPTY,
    Center,
    PairMoments,
    center_of,
    group_moments,
    pair_group,
    why_undefined,
)
from mlx.residuals.similarity.directions import Directions


@dataclass(frozen=True)
class PairCorrelation:
    """Pearson correlation over pairs of similarity with a function of two entropies; it only describes.

    Attributes
    ----------
    scope
        ``"all pairs"``; ``"same class"``: pairs predicted alike, of all classes together, differences between
        classes and all; ``"within class"``: the same pairs, both sides centered by class; ``"class"``: pairs
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
        Near ``n_pairs`` where directions have no structure; of the order of the samples where some samples are
        dissimilar to all others, as outliers are.
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


def pair_correlations(
    units: Directions, entropy: Floats, y_pred: Integers, n_classes: int, *, block_bytes: int = BLOCK_BYTES
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
    center = center_of(entropy, found)
    everything, _ = _moments(units, entropy, found, center, block_bytes)
    together = apart = EMPTY
    by_class: list[PairCorrelation] = []
    for label in range(n_classes):
        own, shared = _moments(units, entropy, found[y_pred[found] == label], center, block_bytes)
        missing = "" if (y_pred == label).any() else "never predicted"
        by_class += _correlations("class", label, own, missing)
        together = together.beside(shared, centered=False)
        apart = apart.beside(own, centered=True)
    return [
        *_correlations("all pairs", None, everything),
        *_correlations("same class", None, together),
        *_correlations("within class", None, apart),
        *by_class,
    ]


def _moments(
    units: Directions, entropy: Floats, rows: Integers, center: Center, block_bytes: int
) -> tuple[PairMoments, PairMoments]:
    """Moments of a group with its entropies centered at its own mean, and at that of all."""
    if rows.size < 2:
        nothing = replace(EMPTY, n=rows.size)
        return nothing, nothing
    group = pair_group(units, entropy, rows, block_bytes=block_bytes)
    own = group_moments(group, block_bytes=block_bytes)
    return own, group.moments_about(center, own)


def _correlations(scope: str, label: int | None, moments: PairMoments, missing: str = "") -> list[PairCorrelation]:
    results = []
    for index, statistic in enumerate(PAIR_STATISTICS):
        status = missing or why_undefined(moments, index) or "ok"
        estimate, effective = _estimate(moments, index) if status == "ok" else (float("nan"), float("nan"))
        found = (estimate, moments.n, moments.n_pairs, effective, status)
        results.append(PairCorrelation(scope, label, statistic, *found))
    return results


def _estimate(moments: PairMoments, index: int) -> tuple[float, float]:
    """Correlation, and effective number of pairs."""
    scale = np.sqrt(moments.square_s) * np.sqrt(moments.square[index])
    variance = float(moments.chance[index] / scale**2)
    return float(np.clip(moments.product[index] / scale, -1.0, 1.0)), 1 + 1 / variance if variance > 0 else np.inf
