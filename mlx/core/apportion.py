"""Divides a whole number over classes in proportion to their sizes."""

import numpy as np

from mlx.core.array_types import Counts


def apportion(total: int, weights: Counts, most: Counts) -> Counts:
    """Divide `total` in proportion to `weights` (K,): integers (K,) from 1 to `most`.

    Largest remainders (Hamilton's method). Where the bounds leave a difference, the classes furthest from their
    share take or give one each. `total` must lie between K and the sum of `most`.
    """
    share = total * weights / weights.sum()
    given = np.clip(np.floor(share).astype(np.int64), 1, most)
    while (short := total - int(given.sum())) != 0:
        excess = np.where((given < most) if short > 0 else (given > 1), given - share, np.nan)
        given[np.nanargmin(excess) if short > 0 else np.nanargmax(excess)] += np.sign(short)
    return np.asarray(given)
