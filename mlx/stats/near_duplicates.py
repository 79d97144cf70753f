"""How close two samples have to be, beside the others, to be near duplicates."""

from dataclasses import dataclass

import numpy as np

LARGEST_FACTOR = 0.13
"""Largest share of the median nearest distance that is near."""

EXPECTED_FALSE = 0.5
"""Samples that would be called near by chance, at most."""


@dataclass(frozen=True)
class NearThreshold:
    """Below which distance a sample is a near duplicate of its nearest neighbor.

    Attributes
    ----------
    factor
        c, as a share of the median nearest distance.
    distance
        The threshold itself.
    expected_false
        n (1 − 2^(−c^δ)), samples that are so near by chance where the density is even.
    """

    factor: float
    distance: float
    expected_false: float


def near_threshold(n: int, median_distance: float, dimension: float) -> NearThreshold:
    """Return the threshold among n samples of an intrinsic dimension δ with a median nearest distance.

    The nearest distance r of evenly spread samples has P(r > t) = 2^(−(t / median)^δ), so that of n samples one half is
    closer than c times the median where c = [−log₂(1 − ½ / n)]^(1/δ); c is at most 0.13.
    """
    least = -np.log2(1 - EXPECTED_FALSE / n)
    factor = min(LARGEST_FACTOR, float(least ** (1 / dimension)))
    expected = float(-n * np.expm1(-np.log(2) * factor**dimension))
    return NearThreshold(factor, factor * median_distance, expected)
