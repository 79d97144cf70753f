"""Powers of two that values are divided by before they are squared, so that no square over- or underflows.

A correlation does not change when either side is multiplied. The entropies of a saturated network are 1e-160 and
less, and their squares 0; division by a power of two takes that away and changes no digit of the result.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats, Integers

NO_EXPONENT = -1100
"""Exponent of values that are all 0: below that of any number, so that the largest of several is never this one."""

ROUNDING = 4 * float(np.finfo(np.float64).eps)
"""Values whose spread is below this share of the largest differ by their rounding alone."""


def exponent_of(values: npt.ArrayLike) -> int:
    """Return e with the largest magnitude in [2^(e−1), 2^e), for finite values; `NO_EXPONENT` where all are 0."""
    largest = float(np.abs(values).max(initial=0.0))
    return int(np.frexp(largest)[1]) if largest > 0 else NO_EXPONENT


def in_unit(values: npt.ArrayLike, exponent: int | Sequence[int] | Integers) -> Floats:
    """Divide values by 2^exponent, exactly but for what is then below the smallest number, or infinite."""
    with np.errstate(over="ignore", under="ignore"):
        scaled: Floats = np.ldexp(np.asarray(values, dtype=np.float64), -np.asarray(exponent, dtype=np.intc))
    return scaled


def unit_sized(values: Floats) -> Floats:
    """Divide values by the power of two that brings the largest magnitude into [0.5, 1)."""
    return in_unit(values, exponent_of(values))


SAFE = (-400, 400)
"""Exponents of values whose squares and products, summed over any data, neither under- nor overflow."""


def safe_exponent(blocks: Iterable[npt.ArrayLike]) -> int:
    """Return the exponent of all blocks of values together; 0 where their squares are in range as they are."""
    exponent = max(map(exponent_of, blocks), default=NO_EXPONENT)
    return 0 if exponent == NO_EXPONENT or SAFE[0] < exponent < SAFE[1] else exponent


def difference_of(second: float, first: float) -> float:
    """Return second minus first; exactly 0 where they differ by the rounding of sums of the same numbers alone."""
    gap = second - first
    return 0.0 if abs(gap) <= ROUNDING * max(abs(second), abs(first)) else gap


def safe_exponents(rows: Floats) -> Integers:
    """Return the exponent of each column of values (n, d), shape (d,); 0 where its squares are in range as they are."""
    exponents = np.frexp(np.abs(rows).max(axis=0))[1].astype(np.int64)
    return np.where((SAFE[0] < exponents) & (exponents < SAFE[1]), 0, exponents)


def is_rounding(values: Floats) -> bool:
    """Whether the spread of values (n,) is below the rounding of the values themselves; True for an empty array."""
    return values.size == 0 or float(np.ptp(unit_sized(values))) <= ROUNDING
