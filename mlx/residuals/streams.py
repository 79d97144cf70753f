"""Random streams that don't disturb each other: one for every purpose and class, from one seed."""

from enum import IntEnum

import numpy as np


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
    NEIGHBOURS = 25
    QUANTILE = 26


def stream(seed: int, purpose: Stream, label: int = 0) -> np.random.Generator:
    """Return the generator of one purpose and class ``label``.

    Every layer, and Pearson and Spearman, reuse the stream of their purpose: a layer more changes no
    other's numbers, and differences between them are not those of the resampling.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(purpose), label)))
