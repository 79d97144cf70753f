"""Bootstrap of independent rows: rows drawn again with replacement, as counts."""

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.checks import row_blocks
from mlx.stats.correlation import weighted_correlation, weighted_midranks

CHUNK_BYTES = 1 << 23
"""Size of one replicates by samples matrix of a chunk, of which some ten are alive at a time."""


def resample_counts(n_samples: int, n_replicates: int, generator: np.random.Generator) -> Floats:
    """How often each of n samples is drawn in n draws with replacement: (n_replicates, n_samples)."""
    drawn = generator.integers(n_samples, size=(n_replicates, n_samples))
    drawn += np.arange(n_replicates)[:, None] * n_samples
    counts = np.bincount(drawn.ravel(), minlength=n_replicates * n_samples)
    return counts.reshape(n_replicates, n_samples).astype(np.float64)


def row_replicates(x: Floats, y: Floats, tolerance: float, n_replicates: int, generator: np.random.Generator) -> Floats:
    """Bootstrap the Spearman correlation of independent rows (x, y), each (n,): (n_replicates,)."""
    replicates = np.empty(n_replicates)
    for chunk in row_blocks(n_replicates, x.size, CHUNK_BYTES):
        counts = resample_counts(x.size, chunk.stop - chunk.start, generator)
        rank_x, rank_y = (weighted_midranks(values, counts, tolerance) for values in (x, y))
        replicates[chunk] = weighted_correlation(rank_x, rank_y, counts)
    return replicates
