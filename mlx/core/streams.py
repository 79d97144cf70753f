"""Independent random streams from one seed: one for each purpose, class or chunk."""

import numpy as np


def seed_sequence(seed: int, *key: int) -> np.random.SeedSequence:
    """Return the seed of the stream ``key``, hashed by NumPy from the seed and the key."""
    return np.random.SeedSequence(seed, spawn_key=tuple(int(part) for part in key))


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return the generator of the stream ``key``; drawing from one stream changes no other."""
    return np.random.default_rng(seed_sequence(seed, *key))


def epoch_stream(seed: int, epoch: int, *purpose: int) -> np.random.Generator:
    """Return the generator of a purpose in an epoch, so that a resumed training repeats the epoch exactly.

    Seed, epoch and purpose are hashed as one list, by which the recorded trainings were made.
    """
    return np.random.default_rng([seed, epoch, *purpose])
