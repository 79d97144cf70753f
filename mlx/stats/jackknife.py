"""Jackknife: what a statistic without some of the samples says of its standard error and its bias.

Deleting many samples at a time serves statistics that move by steps, such as rank correlations (Shao & Wu 1989);
random partitions into ten groups, each deleted in turn, stand for all the ways to do so.
"""

from collections.abc import Iterator

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.checks import row_blocks

GROUPS = 10
"""Groups of a partition."""

CHUNK_BYTES = 1 << 23
"""Size of one deletions by samples matrix of which some ten are alive at a time."""


def n_partitions(n_samples: int) -> int:
    """Number of partitions; their choice moves the ends of an interval by about 5 %, of many samples by 10 %."""
    return 20 if n_samples <= 20_000 else 5


def partitions(n_samples: int, generator: np.random.Generator) -> Iterator[Floats]:
    """Draw batches of partitions: 1 for what stays and 0 for what goes, (deletions, n_samples) each."""
    for batch in row_blocks(n_partitions(n_samples), n_samples * GROUPS, CHUNK_BYTES):
        place = np.broadcast_to(np.arange(n_samples) % GROUPS, (batch.stop - batch.start, n_samples))
        group = generator.permuted(place, axis=1)[:, None, :]
        yield (group != np.arange(GROUPS)[:, None]).astype(np.float64).reshape(-1, n_samples)


def jackknife_error(without: Floats) -> float:
    """Standard error from the statistic without each group of each partition (n_partitions, n_groups)."""
    return float(np.sqrt((without.shape[1] - 1) * without.var(axis=1).mean()))


def jackknife_bias(estimate: float, without: Floats) -> float:
    """Bias of an estimate from the statistic without each group of each partition (n_partitions, n_groups)."""
    return float((without.shape[1] - 1) * (without.mean() - estimate))
