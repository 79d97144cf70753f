"""The purposes of the random streams of the residuals analysis."""

from enum import IntEnum

import numpy as np

from mlx.core import streams


class Stream(IntEnum):
    """Purposes that draw at random. The numbers are part of every result: add, never renumber."""

    POOLED_PERMUTATION = 1
    CLASS_PERMUTATION = 3
    JACKKNIFE = 4
    BOOTSTRAP = 5
    REGRESSION_PERMUTATION = 6
    REGRESSION_BOOTSTRAP = 7
    PAIR_PERMUTATION = 10
    ERROR_PERMUTATION = 20
    ERROR_FOLDS = 21
    PARTIAL_PERMUTATION = 22
    FACTOR_PERMUTATION = 23
    SLICE_SPLIT = 24
    NEIGHBORS = 25
    QUANTILE = 26
    CLASSES_ALIKE = 27
    PAIRS_ALIKE = 28
    SHIFTED_PARTS = 29


def stream(seed: int, purpose: Stream, label: int = 0, *chunk: int) -> np.random.Generator:
    """Return the generator of one purpose, class ``label`` and, where it is drawn in chunks, number of the chunk.

    Every layer, and Pearson and Spearman, reuse the stream of their purpose: another layer changes no
    numbers of the first, and differences between layers do not come from the resampling.
    """
    return streams.stream(seed, purpose, label, *chunk)
