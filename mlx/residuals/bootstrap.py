"""Node bootstrap: resample samples, and recompute every similarity among those that were drawn.

A similarity a_i is a mean over all classmates, so that all a_i share the same samples, and resampling rows
of the finished table (a_i, H_i) would leave that out: its intervals are too narrow. Here a replicate is a
row of counts w. With S* = Σ w_j u_j and m = Σ w_j,

    a_i* = (u_i·S* − w_i) / (m − w_i),

where w_i copies of sample i itself are left out: their similarity of 1 to each other would be news of the
resampling, not of the data. Many replicates at a time are two matrix products.
"""

from dataclasses import dataclass

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

CHUNK_BYTES = 1 << 23
"""Size of one replicates by samples matrix of a chunk, of which some fifteen are alive at a time."""


@dataclass(frozen=True)
class Replicates:
    """Correlations (n_bootstrap,) of the replicates; NaN where a replicate has no spread."""

    pearson: Floats
    spearman: Floats


def resample_counts(n_samples: int, n_replicates: int, generator: np.random.Generator) -> Floats:
    """How often each of n samples is drawn in n draws with replacement: (n_replicates, n_samples)."""
    drawn = generator.integers(n_samples, size=(n_replicates, n_samples))
    drawn += np.arange(n_replicates)[:, None] * n_samples
    counts = np.bincount(drawn.ravel(), minlength=n_replicates * n_samples)
    return counts.reshape(n_replicates, n_samples).astype(np.float64)


def replicate_similarity(units: UnitRows, rows: Integers, counts: Floats) -> Floats:
    """Mean similarity of every sample of one class to its classmates, in every replicate.

    Parameters
    ----------
    units, rows
        Directions, and which n of them are the class.
    counts
        (n_replicates, n), how often each was drawn.

    Returns
    -------
    Floats
        (n_replicates, n); 0 where a replicate drew nobody but the sample itself.
    """
    n_features = units.representation.shape[1]
    sums = np.zeros((len(counts), n_features))
    for block in row_blocks(rows.size, n_features):
        sums += counts[:, block] @ units.take(rows[block])
    similarity = np.empty(counts.shape)
    for block in row_blocks(rows.size, n_features):
        similarity[:, block] = sums @ units.take(rows[block]).T
    others = counts.sum(axis=1, keepdims=True) - counts
    similarity -= counts
    means: Floats = np.divide(similarity, others, out=np.zeros(counts.shape), where=others > 0)
    return means


def class_replicates(
    units: UnitRows, rows: Integers, entropy: Floats, n_replicates: int, generator: np.random.Generator
) -> Replicates:
    """Bootstrap one class: its samples drawn among themselves.

    Parameters
    ----------
    units, rows
        Directions, and which n of them are the class.
    entropy
        (n,), entropies of those rows.
    n_replicates, generator
        How many replicates, and where they are drawn from.
    """
    result = Replicates(np.empty(n_replicates), np.empty(n_replicates))
    tie = entropy_tolerance(entropy)
    for chunk in row_blocks(n_replicates, rows.size, CHUNK_BYTES):
        counts = resample_counts(rows.size, chunk.stop - chunk.start, generator)
        similarity = replicate_similarity(units, rows, counts)
        counts *= counts < counts.sum(axis=1, keepdims=True)
        result.pearson[chunk] = weighted_correlation(similarity, entropy, counts)
        result.spearman[chunk] = weighted_correlation(
            weighted_midranks(similarity, counts, SIMILARITY_TOLERANCE),
            weighted_midranks(entropy, counts, tie),
            counts,
        )
    return result


def pooled_replicates(
    units: UnitRows,
    classes: list[Integers],
    entropy: Floats,
    n_replicates: int,
    generator: np.random.Generator,
) -> tuple[Replicates, Replicates]:
    """Bootstrap all classes together, so that their sizes vary too.

    Parameters
    ----------
    units
        Directions of all samples.
    classes
        Rows of every class that has at least two.
    entropy
        (n_samples,), entropies of all samples.
    n_replicates, generator
        How many replicates, and where they are drawn from.

    Returns
    -------
    tuple
        Correlations over all samples, and within class (both sides centred, or ranked and centred, by class).
    """
    pooled = Replicates(np.empty(n_replicates), np.empty(n_replicates))
    within = Replicates(np.empty(n_replicates), np.empty(n_replicates))
    entropy = entropy[np.concatenate(classes)]
    tie = entropy_tolerance(entropy)
    ends = np.cumsum([rows.size for rows in classes])
    spans = [slice(end - rows.size, end) for rows, end in zip(classes, ends, strict=True)]
    for chunk in row_blocks(n_replicates, entropy.size, CHUNK_BYTES):
        counts = resample_counts(entropy.size, chunk.stop - chunk.start, generator)
        similarity = np.empty(counts.shape)
        for rows, span in zip(classes, spans, strict=True):
            similarity[:, span] = replicate_similarity(units, rows, counts[:, span])
            counts[:, span] *= counts[:, span] < counts[:, span].sum(axis=1, keepdims=True)
        pooled.pearson[chunk] = weighted_correlation(similarity, entropy, counts)
        pooled.spearman[chunk] = weighted_correlation(
            weighted_midranks(similarity, counts, SIMILARITY_TOLERANCE),
            weighted_midranks(entropy, counts, tie),
            counts,
        )
        within.pearson[chunk], within.spearman[chunk] = _within(similarity, entropy, counts, spans, tie)
    return pooled, within


def _within(
    similarity: Floats, entropy: Floats, counts: Floats, spans: list[slice], tie: float
) -> tuple[Floats, Floats]:
    x, y, rank_x, rank_y = (np.empty(counts.shape) for _ in range(4))
    for span in spans:
        weights = counts[:, span]
        x[:, span] = _centred(similarity[:, span], weights)
        y[:, span] = _centred(entropy[span], weights)
        scale = weights.sum(axis=1, keepdims=True) + 1
        rank_x[:, span] = _centred(weighted_midranks(similarity[:, span], weights, SIMILARITY_TOLERANCE), weights)
        rank_y[:, span] = _centred(weighted_midranks(entropy[span], weights, tie), weights)
        rank_x[:, span] /= scale
        rank_y[:, span] /= scale
    return centred_correlation(x, y, counts), centred_correlation(rank_x, rank_y, counts)


def _centred(values: Floats, weights: Floats) -> Floats:
    total = weights.sum(axis=1, keepdims=True)
    means: Floats = (weights * values).sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
    return values - means


def row_replicates(x: Floats, y: Floats, tolerance: float, n_replicates: int, generator: np.random.Generator) -> Floats:
    """Bootstrap the Spearman correlation of independent rows (x, y), each (n,): (n_replicates,)."""
    replicates = np.empty(n_replicates)
    for chunk in row_blocks(n_replicates, x.size, CHUNK_BYTES):
        counts = resample_counts(x.size, chunk.stop - chunk.start, generator)
        rank_x, rank_y = (weighted_midranks(values, counts, tolerance) for values in (x, y))
        replicates[chunk] = weighted_correlation(rank_x, rank_y, counts)
    return replicates
