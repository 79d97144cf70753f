"""Correlations of resampled data: without a tenth of the samples, or of samples drawn with replacement.

A similarity is a mean over classmates, and is recomputed among the samples that are drawn. With w_j how often
sample j is, S* = Σ w_j u_j and m = Σ w_j,

    a_i* = (u_i·S* − w_i) / (m − w_i),

where w_i copies of sample i itself are left out: their similarity of 1 to each other would be news of the
drawing, not of the data. Many weightings at a time are two matrix products.

- Ranks have no sums that could be updated, and move by steps, which makes the jackknife that deletes one sample
  at a time too wide for small classes; deleting a tenth at a time avoids that (`mlx.stats.jackknife`).
- The node bootstrap draws as many samples as there are (Snijders & Borgatti 1999).
- Where samples come in groups, whole groups are left out or drawn, and of a class all samples of the same group are
  left out of a_i: their similarities to u_i take the place of w_i, and their number that of the w_i in m − w_i.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks
from mlx.core.scale import in_unit
from mlx.residuals.similarity.directions import Directions, dense
from mlx.stats.bootstrap import resample_counts
from mlx.stats.correlation import (
    SIMILARITY_TOLERANCE,
    centered_correlation,
    in_own_unit,
    merge_entropies,
    weighted_correlation,
    weighted_midranks,
)
from mlx.stats.groups import Groups
from mlx.stats.jackknife import GROUPS, partitions

CHUNK_BYTES = 1 << 23
"""Size of one weightings by samples matrix of which some ten are alive at a time."""

LARGEST_BOOTSTRAP = 2000
"""Samples up to which intervals are extended to a node bootstrap's; beyond, it agrees with the jackknife."""

NOTHING = np.empty((0, 0))
"""For classes that are too small for an interval, and samples too many for a bootstrap."""

Both = tuple[Floats, Floats]
"""Pearson's and Spearman's correlation, of the same shape."""


def grouped_jackknife(
    units: Directions, classes: list[Integers], entropy: Floats, generator: np.random.Generator
) -> tuple[Both, Both]:
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
        Those over all samples, and within class (centered, or ranked and centered, by class), each
        (n_partitions, GROUPS); NaN where nothing varies. Of one class, both are the same.
    """
    found = _recomputed(units, classes, entropy, partitions(entropy.size, generator), ALONE)
    pearson, spearman, *within = found.reshape(4, -1, GROUPS)
    return (pearson, spearman), (within[0], within[1])


def bootstrap_chunks(n_replicates: int, n_samples: int) -> list[int]:
    """Return into how many replicates a bootstrap of n samples is divided, each chunk with a random stream."""
    return [chunk.stop - chunk.start for chunk in row_blocks(n_replicates, n_samples, CHUNK_BYTES)]


def node_bootstrap(
    units: Directions, classes: list[Integers], entropy: Floats, n_replicates: int, generator: np.random.Generator
) -> tuple[Both, Both]:
    """Correlations of a chunk of bootstrap replicates, as `grouped_jackknife` returns them, each (1, n_replicates)."""
    draws = iter([resample_counts(entropy.size, n_replicates, generator)])
    pearson, spearman, *within = _recomputed(units, classes, entropy, draws, ALONE)[:, None]
    return (pearson, spearman), (within[0], within[1])


def joined_replicates(chunks: Sequence[Both]) -> Both:
    """Put the chunks of one bootstrap together; `NOTHING` if there are no chunks."""
    if not chunks:
        return NOTHING, NOTHING
    return np.concatenate([one for one, _ in chunks], axis=1), np.concatenate([one for _, one in chunks], axis=1)


@dataclass(frozen=True)
class OwnSums:
    """What the samples of the same class and group add to the sum of similarities of each sample, itself included.

    Attributes
    ----------
    similarity, sizes
        (n_samples,), their similarities to the sample, and their number; 1 for a sample that is its own group.
    """

    similarity: Floats | float
    sizes: Floats | float

    def take(self, rows: Integers) -> "OwnSums":
        """Return those of some of the samples."""
        if isinstance(self.similarity, float) or isinstance(self.sizes, float):
            return self
        return OwnSums(self.similarity[rows], self.sizes[rows])


ALONE = OwnSums(1.0, 1.0)
"""Every sample is its own group."""

MOST_DELETIONS = 1000
"""Groups up to which each is left out by itself; more are left out in as many random blocks."""


def leave_groups_out(
    units: Directions,
    classes: list[Integers],
    entropy: Floats,
    groups: Groups,
    own: OwnSums,
    generator: np.random.Generator,
) -> tuple[Both, Both]:
    """Correlations without each group, as `grouped_jackknife` returns them, each (1, n_deletions).

    Parameters
    ----------
    units, classes, entropy
        As there.
    groups
        Of the n samples in the order of ``classes``.
    own
        Of all samples.
    generator
        Where the blocks are drawn from that stand for very many groups.
    """
    blocks = groups.codes
    if groups.count > MOST_DELETIONS:
        blocks = generator.permutation(groups.count)[blocks] % MOST_DELETIONS
    chunks = row_blocks(min(groups.count, MOST_DELETIONS), entropy.size, CHUNK_BYTES)
    kept = ((blocks != np.arange(chunk.start, chunk.stop)[:, None]).astype(np.float64) for chunk in chunks)
    pearson, spearman, *within = _recomputed(units, classes, entropy, kept, own)[:, None]
    return (pearson, spearman), (within[0], within[1])


def group_bootstrap(
    units: Directions,
    classes: list[Integers],
    entropy: Floats,
    groups: Groups,
    own: OwnSums,
    n_replicates: int,
    generator: Callable[[int], np.random.Generator],
) -> tuple[Both, Both]:
    """Correlations of bootstrap replicates that draw groups; result and other parameters as of `leave_groups_out`.

    Each chunk of `bootstrap_chunks` has the generator of its number.
    """
    chunks = enumerate(bootstrap_chunks(n_replicates, entropy.size))
    draws = (resample_counts(groups.count, size, generator(number))[:, groups.codes] for number, size in chunks)
    pearson, spearman, *within = _recomputed(units, classes, entropy, draws, own)[:, None]
    return (pearson, spearman), (within[0], within[1])


def _recomputed(
    units: Directions, classes: list[Integers], entropy: Floats, batches: Iterator[Floats], own: OwnSums
) -> Floats:
    """Pearson and Spearman, over all samples and within class (4, n_weightings), under batches of weightings."""
    ends = np.cumsum([rows.size for rows in classes])
    spans = [slice(end - rows.size, end) for rows, end in zip(classes, ends, strict=True)]
    inner = _in_one_unit(entropy, spans)
    parts = []
    for weights in batches:
        similarity = np.empty(weights.shape)
        for rows, span in zip(classes, spans, strict=True):
            taken = own.take(rows)
            similarity[:, span] = similarity_of_the_others(units, rows, weights[:, span], taken)
            # Who is alone in a class has no similarity.
            weights[:, span] *= weights[:, span] * taken.sizes < weights[:, span].sum(axis=1, keepdims=True)
        for chunk in row_blocks(len(weights), entropy.size, CHUNK_BYTES):
            part = _correlations(similarity[chunk], entropy, weights[chunk])
            inside = part if len(spans) == 1 else _within(similarity[chunk], entropy, inner, weights[chunk], spans)
            parts.append(np.stack([*part, *inside]))
    return np.concatenate(parts, axis=1)


def _in_one_unit(entropy: Floats, spans: list[slice]) -> Floats:
    """Entropies (n,) in the unit of the class whose entropies are largest, of those where they vary; else 0."""
    scaled = [in_own_unit(entropy[span]) for span in spans]
    unit = max(exponent for _, exponent in scaled)
    return np.concatenate([in_unit(values, unit - exponent) for values, exponent in scaled])


def similarity_of_the_others(units: Directions, rows: Integers, weights: Floats, own: OwnSums = ALONE) -> Floats:
    """Mean similarity of every sample of one class to the others of its class under each weighting.

    Parameters
    ----------
    units, rows
        Directions, and which n of them are the class.
    weights
        (n_weightings, n), how often each is there.
    own
        Of the n samples; all samples of a group are there equally often.

    Returns
    -------
    Floats
        (n_weightings, n); 0 where no other sample is drawn, and undefined where the sample itself is not.
    """
    similarity = _sums_over_pairs(units, rows, weights)
    others = weights.sum(axis=1, keepdims=True) - weights * own.sizes
    similarity -= weights * own.similarity
    means: Floats = np.divide(similarity, others, out=np.zeros(weights.shape), where=others > 0)
    return means


def _sums_over_pairs(units: Directions, rows: Integers, weights: Floats) -> Floats:
    """Similarity of every sample to all that are there, itself included, summed: (n_weightings, n).

    Through the sums of directions, or through the matrix of pairs where that takes fewer products.
    """
    n_features = units.n_features
    if rows.size <= min(len(weights), n_features):
        directions = units.take(rows)
        through_pairs: Floats = weights @ dense(directions @ directions.T)
        return through_pairs
    sums = np.zeros((len(weights), n_features))
    for block in row_blocks(rows.size, n_features):
        sums += weights[:, block] @ units.take(rows[block])
    similarity = np.empty(weights.shape)
    for block in row_blocks(rows.size, n_features):
        similarity[:, block] = sums @ units.take(rows[block]).T
    return similarity


def _correlations(similarity: Floats, entropy: Floats, weights: Floats) -> tuple[Floats, Floats]:
    x = weighted_midranks(similarity, weights, SIMILARITY_TOLERANCE)
    y = weighted_midranks(merge_entropies(entropy), weights)
    return weighted_correlation(similarity, entropy, weights), weighted_correlation(x, y, weights)


def _within(
    similarity: Floats, entropy: Floats, inner: Floats, weights: Floats, spans: list[slice]
) -> tuple[Floats, Floats]:
    x, y, rank_x, rank_y = (np.empty(weights.shape) for _ in range(4))
    for span in spans:
        part, h = weights[:, span], entropy[span]
        total = part.sum(axis=1, keepdims=True)
        x[:, span], y[:, span] = _centered(similarity[:, span], part, total), _centered(inner[span], part, total)
        # Midranks of m samples have mean (m + 1) / 2; as shares of the class, large ones weigh no more.
        rank_x[:, span] = weighted_midranks(similarity[:, span], part, SIMILARITY_TOLERANCE) / (total + 1) - 0.5
        rank_y[:, span] = weighted_midranks(merge_entropies(h), part) / (total + 1) - 0.5
    return centered_correlation(x, y, weights), centered_correlation(rank_x, rank_y, weights)


def _centered(values: Floats, weights: Floats, total: Floats) -> Floats:
    means: Floats = (weights * values).sum(axis=1, keepdims=True) / np.maximum(total, 1.0)
    return values - means
