"""Bootstrap of independent rows: rows drawn again with replacement, as counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.stats.correlation import weighted_correlation, weighted_midranks

CHUNK_BYTES = 1 << 23
"""Size of one replicates by samples matrix of a chunk, of which some ten are alive at a time."""


def resample_counts(n_samples: int, n_replicates: int, generator: np.random.Generator) -> Floats:
    """How often each of n samples is drawn in n draws with replacement: (n_replicates, n_samples)."""
    drawn = generator.integers(n_samples, size=(n_replicates, n_samples))
    drawn += np.arange(n_replicates)[:, None] * n_samples
    counts = np.bincount(drawn.ravel(), minlength=n_replicates * n_samples)
    return counts.reshape(n_replicates, n_samples).astype(np.float64)


def row_replicates(
    x: Floats,
    y: Floats,
    tolerance: float,
    n_replicates: int,
    generator: Callable[[int], np.random.Generator],
    *,
    map: OrderedMap = in_order,
) -> Floats:
    """Bootstrap the Spearman correlation of independent rows (x, y), each (n,): (n_replicates,).

    They are drawn in chunks by the size of the data, each from the ``generator`` of its number, in tasks of ``map``.
    """
    chunks = row_blocks(n_replicates, x.size, CHUNK_BYTES)
    tasks = enumerate(chunk.stop - chunk.start for chunk in chunks)
    return np.concatenate(list(map(_Replicate(x, y, tolerance, generator), tasks)))


@dataclass(frozen=True)
class _Replicate:
    """The correlations in a chunk of replicates, given its number and size."""

    x: Floats
    y: Floats
    tolerance: float
    generator: Callable[[int], np.random.Generator]
    doing: ClassVar[str] = "resampling"

    def __call__(self, task: tuple[int, int]) -> Floats:
        number, size = task
        counts = resample_counts(self.x.size, size, self.generator(number))
        rank_x, rank_y = (weighted_midranks(values, counts, self.tolerance) for values in (self.x, self.y))
        return weighted_correlation(rank_x, rank_y, counts)
