"""Makes features of the columns of a table: fitted to the training rows alone, applied block by block."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, chain, count

import numpy as np

from mlx.core.array_types import Array, Counts, Floats, Indices
from mlx.core.column_descriptions import PreparedColumn
from mlx.core.errors import DataError
from mlx.preprocessing.column_fits import ColumnFit, fit_column
from mlx.preprocessing.column_plans import Plan

FITTED_TOGETHER = 64 << 20
"""Bytes of training values that are fitted in one pass over the rows: one column at least."""

Blocks = Callable[[], Iterable[Array]]


@dataclass(frozen=True)
class Preparation:
    """The columns of a table as their training rows have them.

    Attributes
    ----------
    fits
        Of the columns that become features.
    left_out
        By name of the others: why.
    """

    fits: tuple[ColumnFit, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    @cached_property
    def features(self) -> list[str]:
        """Names of the features, each once: a second of one name has a number after it."""
        names: dict[str, None] = {}
        for name in (name for fit in self.fits for name in fit.names):
            tries = chain([name], (f"{name}_{k}" for k in count(2)))
            names[next(one for one in tries if one not in names)] = None
        return list(names)

    @property
    def scaled(self) -> Array | None:
        """(n_features,) whether each is scaled: those that are 0 or 1 for a category are not; None for all."""
        return np.array([not fit.one_hot for fit in self.fits for _ in fit.names], bool) if self.fits else None

    def apply(self, raw: Array) -> tuple[Array, Counts]:
        """Return the features (m, n_features) of raw rows (m, n_columns); these themselves where nothing is fitted.

        And how many rows of each column (n_fits,) have a category that the training rows lack.
        """
        unknown = np.zeros(len(self.fits), np.int64)
        if not self.fits:
            return raw, unknown
        out = np.zeros((len(raw), len(self.features)), raw.dtype)
        places, own, fills = self._numbers
        numbers = raw[:, places]
        out[:, own] = np.where(np.isnan(numbers), fills, numbers)
        for k, (fit, first) in enumerate(zip(self.fits, self._starts, strict=True)):
            if fit.plan.kind == "categorical":
                unknown[k] = fit.encode(raw[:, fit.plan.place], out[:, first : first + len(fit.names)])
        return out, unknown

    def gaps(self, raw: Array) -> Counts:
        """Return how many rows (m, n_columns) lack a value in each column (n_fits,)."""
        if not self.fits:
            return np.zeros(0, np.int64)
        counts: Counts = np.isnan(raw[:, [fit.plan.place for fit in self.fits]]).sum(axis=0)
        return counts

    @cached_property
    def _starts(self) -> list[int]:
        """Return the first feature of each column."""
        return list(accumulate((len(fit.names) for fit in self.fits), initial=0))[:-1]

    @cached_property
    def _numbers(self) -> tuple[Indices, Indices, Floats]:
        """Return the columns of numbers, their features, and what fills their gaps."""
        pairs = zip(self.fits, self._starts, strict=True)
        found = [(fit.plan.place, first, fit.fill) for fit, first in pairs if fit.plan.kind != "categorical"]
        places, own, fills = zip(*found, strict=True) if found else ((), (), ())
        return np.array(places, np.int64), np.array(own, np.int64), np.array(fills, np.float64)

    def description(self, gaps: Mapping[str, Counts], unknown: Mapping[str, Counts]) -> list[PreparedColumn]:
        """Return what became of each column; `gaps` and `unknown` are counts (n_fits,) by part."""
        prepared = [
            fit.description(
                self.features[first : first + len(fit.names)],
                {part: int(counts[k]) for part, counts in gaps.items()},
                {part: int(counts[k]) for part, counts in unknown.items()},
            )
            for k, (fit, first) in enumerate(zip(self.fits, self._starts, strict=True))
        ]
        return [*prepared, *(PreparedColumn(name=name, reason=reason) for name, reason in self.left_out.items())]


def fit_preparation(plan: Plan, train: Blocks, n_train: int) -> Preparation:
    """Fit the columns of `plan`, a few at a time.

    Parameters
    ----------
    train
        Returns the raw training rows in blocks (m, n_columns); called once for each few columns.

    Raises
    ------
    DataError
        No column has a value.
    """
    fits: list[ColumnFit] = []
    left_out = dict(plan.left_out)
    together = max(1, FITTED_TOGETHER // (8 * max(1, n_train)))
    for first in range(0, len(plan.columns), together):
        few = plan.columns[first : first + together]
        places = [column.place for column in few]
        values = np.empty((len(few), n_train))
        row = 0
        for block in train():
            values[:, row : row + len(block)] = block[:, places].T
            row += len(block)
        for column, own in zip(few, values, strict=True):
            fit = fit_column(column, own)
            if fit is None:
                left_out[column.name] = "it has no value in the training rows"
            else:
                fits.append(fit)
    preparation = Preparation(tuple(fits), left_out)
    if plan.columns and not preparation.features:
        wanted = "different values" if fits else "values"
        raise DataError(f"expected {wanted} in the training rows, found none in any of {len(plan.columns)} columns")
    return preparation
