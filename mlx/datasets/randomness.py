"""Random streams that depend on a seed and a place, not on draws elsewhere."""

from enum import IntEnum

import numpy as np

from mlx.core.streams import seed_sequence


class Stream(IntEnum):
    """The purpose of a stream: streams of different purposes are independent. The numbers never change."""

    LAW = 0
    SAMPLES = 1
    NOISE = 2
    LABELS = 3
    COLOR = 4
    LABEL_NOISE = 5
    ESTIMATE = 6


def generator(seed: int, stream: Stream, chunk: int = 0) -> np.random.Generator:
    """Return the generator of one chunk of one stream.

    Chunks can be drawn in any order, in any process: each has its own key, hashed by NumPy's
    `SeedSequence` from the seed, the stream and the chunk's number.
    """
    return np.random.Generator(np.random.SFC64(seed_sequence(seed, stream, chunk)))
