"""Scales values: fitted on the training rows alone, applied block by block."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.core.scale import in_unit, safe_exponents


@dataclass(frozen=True)
class Scaler:
    """An affine map ``(x - mean) / scale`` along the last axis, to the dtype that models are fed.

    Attributes
    ----------
    scaling
        The name in the configuration.
    mean, scale
        (features,) or (channels,); None where nothing is fitted.
    dtype
        Of the scaled values: integers become float32, floats keep their precision.
    """

    scaling: Literal["none", "unit", "standard"]
    dtype: np.dtype[Any]
    mean: Array | None = None
    scale: Array | None = None

    def apply(self, X: Array) -> Array:
        """Scale a block ``(m, ...)``.

        Raises
        ------
        DataError
            ``unit`` is asked for floats outside 0..1: they are neither 8-bit values nor scaled.
        """
        if self.scaling == "none":
            return X
        if self.scaling == "standard":
            assert self.mean is not None
            assert self.scale is not None
            scaled: Array = ((X - self.mean) / self.scale).astype(self.dtype)
            return scaled
        if X.dtype == np.uint8:
            unit: Array = X.astype(self.dtype) / self.dtype.type(255)
            return unit
        if X.size and (X.min() < 0 or X.max() > 1):
            raise DataError(
                f"preprocessing.scaling: unit expects 8-bit values, or values already within 0..1; found "
                f"{X.dtype} from {X.min():g} to {X.max():g}; use scaling: standard"
            )
        return X.astype(self.dtype, copy=False)  # in 0..1 already: dividing again would darken it


def scaled_dtype(scaling: str, dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return the dtype of the values after `scaling`."""
    given = np.dtype(dtype)
    return given if scaling == "none" or given.kind == "f" else np.dtype(np.float32)


def fit_scaler(
    scaling: Literal["none", "unit", "standard"],
    dtype: npt.DTypeLike,
    train: Iterable[Array],
    scaled: Array | None = None,
) -> Scaler:
    """Fit on blocks of training rows.

    Parameters
    ----------
    train
        Blocks (m, ..., features) of the training split, read once, and only for ``standard``.
    scaled
        (features,) whether each is scaled; all are by default.

    Raises
    ------
    DataError
        The values of a feature differ by more than numbers can hold the square of.
    """
    out = scaled_dtype(scaling, dtype)
    if scaling != "standard":
        return Scaler(scaling, out)
    mean, deviation = _moments(train)
    if (beyond := np.flatnonzero(~np.isfinite(mean + deviation))).size:
        raise DataError(
            f"preprocessing.scaling: standard expects values with a finite variance; those of feature {beyond[0]} "
            "(from 0) are too large or too different; divide them by a power of ten, or leave the column out"
        )
    # Dividing a constant feature by 1 leaves it at 0 instead of NaN.
    scale = np.where(deviation > 0, deviation, 1.0)
    if scaled is not None:
        mean, scale = np.where(scaled, mean, 0.0), np.where(scaled, scale, 1.0)
    return Scaler(scaling, out, mean, scale)


def _moments(blocks: Iterable[Array]) -> tuple[Array, Array]:
    """Mean and standard deviation over all axes but the last.

    Blocks are merged by the update of Chan, Golub & LeVeque (1983), which avoids the cancellation of a
    difference of sums of squares. Values whose squares no number holds count in units of a power of two.
    """
    count, mean, squares, unit = 0, np.zeros(1), np.zeros(1), None
    for block in blocks:
        rows = np.asarray(block, np.float64).reshape(-1, block.shape[-1])
        m = len(rows)
        if not m:  # a block of test rows alone, as at the end of MNIST
            continue
        if unit is None:
            unit = safe_exponents(rows)
        if unit.any():
            rows = in_unit(rows, unit)
        with np.errstate(over="ignore", invalid="ignore"):  # the caller rejects what is not finite
            block_mean = rows.mean(axis=0)
            shift = block_mean - mean
            squares = squares + ((rows - block_mean) ** 2).sum(axis=0) + shift**2 * (count * m / (count + m))
            mean = mean + shift * (m / (count + m))
        count += m
    # Rounding leaves a constant column with a deviation of some 1e-16 of its size: that is zero.
    deviation = np.sqrt(squares / count)
    deviation = np.where(deviation <= 1e-12 * np.abs(mean), 0.0, deviation)
    return (mean, deviation) if unit is None else (in_unit(mean, -unit), in_unit(deviation, -unit))
