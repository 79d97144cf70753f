"""The training samples whose outputs are recorded, where there are more than are recorded."""

import numpy as np

from mlx.core.apportion import apportion
from mlx.core.array_types import Array, Indices
from mlx.core.streams import stream

SEED = 0
"""Fixed: which samples are recorded depends on the targets and the size alone."""


def sample_rows(y: Array, most: int, *, n_classes: int) -> Indices:
    """Return which of the samples with targets ``y`` (n,) are recorded: rows (min(n, most),) in ascending order.

    The classes of a classification are in proportion, each with at least one sample if `most` is no less than the
    number of classes.
    """
    if most >= len(y):
        return np.arange(len(y))
    generator = stream(SEED)
    labels, sizes = np.unique(y, return_counts=True)
    if not n_classes or len(labels) > most:
        return np.sort(generator.choice(len(y), most, replace=False))
    counts = apportion(most, sizes, sizes)
    chosen = [
        generator.choice(np.flatnonzero(y == label), count, replace=False)
        for label, count in zip(labels, counts, strict=True)
    ]
    return np.sort(np.concatenate(chosen))
