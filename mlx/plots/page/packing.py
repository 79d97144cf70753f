"""Columns of numbers in few bytes, as the page's script reads them."""

from __future__ import annotations

import json
import math
import zlib
from base64 import b64encode
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from mlx.core.array_types import Array, Floats

CODES = 3
"""The largest integers of a type stand for -inf, inf and missing."""

LEAST_STEPS = 500
"""Between the 10th and the 90th percentile: with fewer, numbers of fixed decimals would hide most of the samples."""

LARGEST_EXACT = 2.0**53


@dataclass(frozen=True)
class Packed:
    """A column of numbers.

    Attributes
    ----------
    type
        Of what is packed: ``u1``, ``u2`` and ``u4`` are integers, to which `low` is added, of 10^-`digits` each; ``f4``
        and ``f8`` floats.
    low
        Smallest integer.
    digits
        Decimals of the numbers; significant digits of floats.
    data
        base64 of the deflated bytes: the lowest byte of each number, then the next of each.
    """

    type: str
    low: int
    digits: int
    data: str

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def pack(values: ArrayLike, *, most_steps: int = 2**16 - 1 - CODES) -> Packed:
    """Pack numbers (n,), of which any may be missing or infinite.

    Integers are exact. Others are rounded to as many decimals as `most_steps` over their range allow, which are at
    least a tenth of these steps; to single precision where that would hide how most of them differ. Plots, tables and
    files of the page have the same rounded numbers.
    """
    x = np.asarray(values, dtype=np.float64)
    finite = x[np.isfinite(x)]
    if not finite.size:
        return _integers(x, 0.0, 0)
    low, high = float(finite.min()), float(finite.max())
    if max(abs(low), abs(high)) >= LARGEST_EXACT:
        return _floats(x)
    if not (finite % 1).any() and high - low < 2**32 - 1 - CODES:
        return _integers(x, low, 0)
    digits = math.floor(math.log10(most_steps) - math.log10(high - low)) if high > low else 0
    if not 0 < digits < 16:
        return _floats(x)
    scaled = max(abs(low), abs(high)) * 10.0**digits
    steps = float(np.subtract(*np.percentile(finite, [90, 10]))) * 10.0**digits
    if scaled >= LARGEST_EXACT or 0 < steps < LEAST_STEPS:
        return _floats(x)
    return _integers(x, float(np.rint(low * 10.0**digits)), digits)


def pack_json(content: Sequence[Any]) -> str:
    """Return base64 of deflated JSON."""
    return _deflated(json.dumps(content, separators=(",", ":"), ensure_ascii=True).encode())


def _integers(x: Floats, low: float, digits: int) -> Packed:
    steps = np.rint(np.where(np.isfinite(x), x, 0) * 10.0**digits) - low
    known = np.isfinite(x)
    most = float(steps[known].max()) if known.any() else 0.0
    kind = next(k for k in ("u1", "u2", "u4") if most <= 2 ** (8 * int(k[1])) - 1 - CODES)
    last = 2 ** (8 * int(kind[1])) - 1
    codes = np.where(np.isnan(x), last, np.where(x > 0, last - 1, last - 2))
    return Packed(kind, int(low), digits, _planes(np.where(known, steps, codes).astype(f"<{kind}")))


def _floats(x: Floats) -> Packed:
    finite = np.abs(x[np.isfinite(x) & (x != 0)])
    single = finite.size == 0 or (finite.max() < 3e38 and finite.min() > 1e-37)
    spread = finite.size == 0 or np.ptp(x[np.isfinite(x)]) > 1e-4 * finite.max()  # single precision tells them apart
    kind, digits = ("<f4", 6) if single and spread else ("<f8", 10)
    return Packed(kind[1:], 0, digits, _planes(x.astype(kind)))


def _planes(values: Array) -> str:
    """Deflate the lowest bytes, then the next: bytes of one significance repeat more than those of one number."""
    return _deflated(values.view(np.uint8).reshape(len(values), -1).T.tobytes())


def _deflated(content: bytes) -> str:
    return b64encode(zlib.compress(content, 9)).decode("ascii")
