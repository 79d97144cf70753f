"""Similarity against entropy over all pairs of samples, exact and without visiting the pairs.

Between s_ij and four functions of two entropies (`PAIR_STATISTICS`), over all n (n − 1)/2 pairs, in O(n·d²)
time and O(d²) memory beyond the entropies. The correlations describe; they are not tests. Pairs share their
samples, so that a p-value that counts pairs rejects a true null in up to 85 % of cases: none is given here.
How far chance alone moves a correlation is its variance when the entropies are permuted
(Mantel 1967), given as a number of pairs, and its p-value by `mlx.residuals.pairs.mantel`.
"""

from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS, PairStatistic
from mlx.residuals.pairs.pair_moments import (
    BLOCK_BYTES,
    EMPTY,
    Center,
    PairMoments,
    center_of,
    moments_of,
    pair_groups,
    why_undefined,
)
from mlx.residuals.similarity.directions import Directions
from mlx.results.questions import Question, Scope
from mlx.results.tests import TestResult
from mlx.stats.status import Reason


@dataclass(frozen=True)
class ScopeMoments:
    """Moments of all pairs, of those of every class, and of these with the entropies about the mean of all samples."""

    everything: PairMoments
    classes: tuple[PairMoments, ...]
    about_all: tuple[PairMoments, ...]


def scope_moments(
    units: Directions,
    entropy: Floats,
    y_pred: Integers,
    n_classes: int,
    *,
    block_bytes: int = BLOCK_BYTES,
    map: OrderedMap = in_order,
) -> ScopeMoments:
    """Sum over the pairs of every scope; parameters are those of `pair_correlations`."""
    found = units.defined
    center = center_of(entropy, found)
    members = [found[y_pred[found] == label] for label in range(n_classes)]
    ((everything, _),) = _moments(units, entropy, [found], center, block_bytes, map)
    classes = _moments(units, entropy, members, center, block_bytes, map)
    return ScopeMoments(everything, tuple(own for own, _ in classes), tuple(shared for _, shared in classes))


def pair_correlations(
    units: Directions,
    entropy: Floats,
    y_pred: Integers,
    n_classes: int,
    *,
    block_bytes: int = BLOCK_BYTES,
    moments: ScopeMoments | None = None,
    map: OrderedMap = in_order,
) -> list[TestResult]:
    """Correlate over all pairs, over pairs of one class together, and over those of every class.

    Scopes: all pairs; `Scope.SAME_CLASS`, pairs predicted alike, of all classes together, differences between
    classes and all; `Scope.WITHIN_CLASS`, the same pairs, both sides centered by class; pairs of one class.

    An estimate below 0 says, for ``"mean_entropy"``, that unsure samples are dissimilar to others; for a
    difference, that similar samples are similarly unsure. ``effective_pairs`` is 1 + 1/Var(r) with Var(r) that
    of r over all ways to assign the entropies to the samples (of a class, save over all pairs): so many
    independent pairs would have an r that chance moves as much. It is near ``n_pairs`` where directions have no
    structure; of the order of the samples where some samples are dissimilar to all others, as outliers are.

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
    moments
        The `scope_moments`, where they are known.
    map
        How groups of blocks are summed.
    """
    moments = moments or scope_moments(units, entropy, y_pred, n_classes, block_bytes=block_bytes, map=map)
    together = apart = EMPTY
    by_class: list[TestResult] = []
    for label, (own, shared) in enumerate(zip(moments.classes, moments.about_all, strict=True)):
        by_class += _of_each(Scope.CLASS, own, label, predicted=(y_pred == label).any())
        together = together.beside(shared, centered=False)
        apart = apart.beside(own, centered=True)
    return [
        *_of_each(Scope.ALL_PAIRS, moments.everything),
        *_of_each(Scope.SAME_CLASS, together),
        *_of_each(Scope.WITHIN_CLASS, apart),
        *by_class,
    ]


def _moments(
    units: Directions, entropy: Floats, parts: list[Integers], center: Center, block_bytes: int, map: OrderedMap
) -> list[tuple[PairMoments, PairMoments]]:
    """Moments of each group of rows with its entropies centered at its own mean, and at that of all."""
    groups = pair_groups(units, entropy, [rows for rows in parts if rows.size > 1], block_bytes=block_bytes, map=map)
    found = iter(zip(groups, moments_of(groups, block_bytes=block_bytes, map=map), strict=True))
    moments = []
    for rows in parts:
        if rows.size > 1:
            group, own = next(found)
            moments.append((own, group.moments_about(center, own)))
        else:
            moments.append((replace(EMPTY, n=rows.size),) * 2)
    return moments


def _of_each(
    scope: Scope, moments: PairMoments, label: int | None = None, *, predicted: bool = True
) -> list[TestResult]:
    return [pair_correlation(scope, one, moments, label, predicted=predicted) for one in PAIR_STATISTICS]


def pair_correlation(
    scope: Scope, statistic: PairStatistic, moments: PairMoments, label: int | None = None, *, predicted: bool = True
) -> TestResult:
    """Return the correlation over pairs of one scope; NaN with the reason where it is undefined."""
    index = PAIR_STATISTICS.index(statistic)
    status = why_undefined(moments, index) if predicted else Reason.NEVER_PREDICTED()
    estimate = effective = float("nan")
    if status.is_ok:
        scale = np.sqrt(moments.square_s) * np.sqrt(moments.square[index])
        estimate = float(np.clip(moments.product[index] / scale, -1.0, 1.0))
        variance = float(moments.chance[index] / scale**2)
        effective = 1 + 1 / variance if variance > 0 else effective
    return TestResult(
        question=Question.SIMILARITY_ENTROPY_PAIRS,
        scope=scope,
        label=label,
        statistic=statistic,
        estimate=estimate,
        n=moments.n,
        n_pairs=moments.n_pairs,
        effective_pairs=effective,
        status=status,
    )
