"""Correlations without a tenth of the samples at a time: a delete-group jackknife, for Spearman's above all.

Ranks have no sums that could be updated, and move by steps, which makes the jackknife that deletes one sample
at a time too wide for small classes. Deleting many at a time mends that (Shao & Wu 1989); random partitions
into ten groups, each deleted in turn, stand for all the ways to do so. Similarities are means over those who
stay: with weights w of 0 and 1, S* = Σ w_j u_j and m = Σ w_j,

    a_i* = (u_i·S* − 1) / (m − 1).

Many deletions at a time are two matrix products.
"""

from collections.abc import Iterator

import numpy as np

from mlx.core.checks import Floats, Integers, row_blocks
from mlx.residuals.correlation import (
    SIMILARITY_TOLERANCE,
    centred_correlation,
    entropy_tolerance,
    weighted_correlation,
    weighted_midranks,
)
from mlx.residuals.units import UnitRows

GROUPS = 10
"""Groups of a partition."""

CHUNK_BYTES = 1 << 23
"""Size of one deletions by samples matrix of which some ten are alive at a time."""


def n_partitions(n_samples: int) -> int:
    """Number of partitions; their choice moves the ends of an interval by about 5 %, of many samples by 10 %."""
    return 20 if n_samples <= 20_000 else 5


def without_tenths(
    units: UnitRows, classes: list[Integers], entropy: Floats, generator: np.random.Generator
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Correlations without each group, over all samples and within class; class sizes vary too.

    Parameters
    ----------
    units
        Directions of all samples.
    classes
        Rows of every class that has at least two.
    entropy
        (n,), entropies in the order of ``classes``.
    generator
        Where the partitions are drawn from.

    Returns
    -------
    tuple
        Pearson's and Spearman's over all samples, and both within class (centred, or ranked and centred, by
        class), (n_partitions, GROUPS) each; NaN where nothing varies. Of one class, both pairs are the same.
    """
    ends = np.cumsum([rows.size for rows in classes])
    spans = [slice(end - rows.size, end) for rows, end in zip(classes, ends, strict=True)]
    parts = []
    for weights in _partitions(entropy.size, generator):
        similarity = np.empty(weights.shape)
        for rows, span in zip(classes, spans, strict=True):
            similarity[:, span] = similarity_of_the_others(units, rows, weights[:, span])
            weights[:, span] *= weights[:, span].sum(axis=1, keepdims=True) > 1
        for chunk in row_blocks(len(weights), entropy.size, CHUNK_BYTES):
            part = _correlations(similarity[chunk], entropy, weights[chunk])
            inside = part if len(spans) == 1 else _within(similarity[chunk], entropy, weights[chunk], spans)
            parts.append(np.stack([*part, *inside]))
    pearson, spearman, *within = np.concatenate(parts, axis=1).reshape(4, -1, GROUPS)
    return (pearson, spearman), (within[0], within[1])


def _partitions(n_samples: int, generator: np.random.Generator) -> Iterator[Floats]:
    """Draw batches of partitions: 1 for what stays and 0 for what goes, (deletions, n_samples) each."""
    batches = row_blocks(n_partitions(n_samples), n_samples * GROUPS, CHUNK_BYTES)
    for batch in batches:
        place = np.broadcast_to(np.arange(n_samples) % GROUPS, (batch.stop - batch.start, n_samples))
        group = generator.permuted(place, axis=1)[:, None, :]
        yield (group != np.arange(GROUPS)[:, None]).astype(np.float64).reshape(-1, n_samples)


def similarity_of_the_others(units: UnitRows, rows: Integers, weights: Floats) -> Floats:
    """Mean similarity of every sample of one class to those of its classmates that stay.

    Parameters
    ----------
    units, rows
        Directions, and which n of them are the class.
    weights
        (deletions, n), 1 for what stays and 0 for what goes.

    Returns
    -------
    Floats
        (deletions, n); 0 where nobody else stays, and of no meaning where the sample itself is gone.
    """
    n_features = units.n_features
    sums = np.zeros((len(weights), n_features))
    for block in row_blocks(rows.size, n_features):
        sums += weights[:, block] @ units.take(rows[block])
    similarity = np.empty(weights.shape)
    for block in row_blocks(rows.size, n_features):
        similarity[:, block] = sums @ units.take(rows[block]).T
    others = weights.sum(axis=1, keepdims=True) - weights
    similarity -= weights
    means: Floats = np.divide(similarity, others, out=np.zeros(weights.shape), where=others > 0)
    return means


def _correlations(similarity: Floats, entropy: Floats, weights: Floats) -> tuple[Floats, Floats]:
    x = weighted_midranks(similarity, weights, SIMILARITY_TOLERANCE)
    y = weighted_midranks(entropy, weights, entropy_tolerance(entropy))
    return weighted_correlation(similarity, entropy, weights), weighted_correlation(x, y, weights)


def _within(similarity: Floats, entropy: Floats, weights: Floats, spans: list[slice]) -> tuple[Floats, Floats]:
    x, y, rank_x, rank_y = (np.empty(weights.shape) for _ in range(4))
    for span in spans:
        part, h = weights[:, span], entropy[span]
        total = part.sum(axis=1, keepdims=True)
        x[:, span], y[:, span] = _centred(similarity[:, span], part, total), _centred(h, part, total)
        # Midranks of m samples have mean (m + 1) / 2; as shares of the class, large ones weigh no more.
        rank_x[:, span] = weighted_midranks(similarity[:, span], part, SIMILARITY_TOLERANCE) / (total + 1) - 0.5
        rank_y[:, span] = weighted_midranks(h, part, entropy_tolerance(h)) / (total + 1) - 0.5
    return centred_correlation(x, y, weights), centred_correlation(rank_x, rank_y, weights)


def _centred(values: Floats, weights: Floats, total: Floats) -> Floats:
    means: Floats = (weights * values).sum(axis=1, keepdims=True) / np.maximum(total, 1.0)
    return values - means
