"""Independent random streams from one seed: one for each purpose, class or chunk."""

import numpy as np


def seed_sequence(seed: int, *key: int) -> np.random.SeedSequence:
    """Return the seed of the stream ``key``, hashed by NumPy from the seed and the key."""
    return np.random.SeedSequence(seed, spawn_key=tuple(int(part) for part in key))


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return the generator of the stream ``key``; drawing from one stream changes no other."""
    return np.random.default_rng(seed_sequence(seed, *key))
