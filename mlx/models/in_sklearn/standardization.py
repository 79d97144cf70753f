"""Standardization of features by the training samples."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array
from mlx.core.scale import in_unit, safe_exponents


@dataclass(frozen=True)
class Standardization:
    """Subtracts the mean of each feature and divides by its standard deviation.

    Attributes
    ----------
    mean
        (d,) of the training samples.
    scale
        (d,) their standard deviation (divisor n); 1 for a feature that is constant.
    """

    mean: Array
    scale: Array

    @classmethod
    def identity(cls, n_features: int) -> "Standardization":
        """Make the identity."""
        return cls(np.zeros(n_features), np.ones(n_features))

    @classmethod
    def of(cls, table: Array) -> "Standardization":
        """Measure ``table`` (n, d)."""
        unit = safe_exponents(table)
        rows = in_unit(table, unit) if unit.any() else table
        mean, scale = (in_unit(found(rows, axis=0, dtype=np.float64), -unit) for found in (np.mean, np.std))
        # Rounding gives a constant feature a standard deviation of about 1e-17.
        constant = table.max(axis=0) == table.min(axis=0)
        return cls(mean, np.where(constant | (scale == 0), 1.0, scale))

    def apply(self, table: Array) -> Array:
        """Return the standardized ``table`` (m, d), float64."""
        return (table - self.mean) / self.scale
