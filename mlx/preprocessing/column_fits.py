"""What is fitted to a column's training rows, and applied to all: the value of a gap, and the encoding of categories.

The rules are those of scikit-learn's ``SimpleImputer``, ``OneHotEncoder`` and ``OrdinalEncoder``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlx.core.array_types import Array, Counts, Floats, Indices
from mlx.core.column_descriptions import PreparedColumn
from mlx.preprocessing.column_plans import ColumnPlan

NOWHERE = -1
"""The feature of a category that has none, and its ordinal code."""

INFREQUENT = "infrequent_sklearn"
"""What scikit-learn calls the infrequent categories together."""


@dataclass(frozen=True)
class ColumnFit:
    """A column as its training rows have it.

    Attributes
    ----------
    plan
        What is done to it.
    fill
        The raw value that a gap gets.
    levels
        (k,) raw values of a categorical column in the training rows, gaps filled, sorted; (0,) of another one.
    infrequent
        (k,) which of them are one category.
    """

    plan: ColumnPlan
    fill: float
    levels: Floats
    infrequent: Array

    @property
    def one_hot(self) -> bool:
        """Whether its features are 0 and 1 for categories."""
        return self.plan.kind == "categorical" and self.plan.encoder == "onehot"

    @cached_property
    def names(self) -> list[str]:
        """Names of its features: ``column_category`` for each category, else that of the column."""
        if not self.one_hot:
            return [self.plan.name]
        titles = [self.plan.title(value) for value in self.levels[~self.infrequent]]
        titles += [INFREQUENT] if self.infrequent.any() else []
        return [f"{self.plan.name}_{title}" for title in titles[self.plan.drop_first :]]

    @cached_property
    def _places(self) -> Indices:
        """Return the feature of each level, or its ordinal code; the infrequent ones have the last, dropped ones -1."""
        places = np.cumsum(~self.infrequent) - 1
        places[self.infrequent] = int((~self.infrequent).sum())
        return places - self.plan.drop_first

    def encode(self, values: Floats, out: Array) -> int:
        """Write the categories of raw `values` (m,) to `out` (m, features), which is 0; return how many are unknown.

        Unknown is a category that the training rows lack. It is one of the infrequent where there are any, else none
        of its features is 1; its ordinal code is -1.
        """
        values = np.where(np.isnan(values), self.fill, values)
        at = np.minimum(np.searchsorted(self.levels, values), len(self.levels) - 1)
        known = self.levels[at] == values
        places = np.where(known, self._places[at], NOWHERE)
        if not self.one_hot:
            out[:, 0] = places
            return int((~known).sum())
        if self.infrequent.any():
            places[~known] = len(self.names) - 1
        rows = np.flatnonzero(places != NOWHERE)
        out[rows, places[rows]] = 1
        return int((~known).sum())

    def description(self, features: Sequence[str], gaps: dict[str, int], unknown: dict[str, int]) -> PreparedColumn:
        """Return what was fitted, by its names in the table, with the gaps and the unknown categories of each part."""
        categorical = self.plan.kind == "categorical"
        named = self.plan.categories or self.plan.of_dates
        return PreparedColumn(
            name=self.plan.name,
            kind=self.plan.kind,
            features=list(features),
            strategy=self.plan.strategy,
            fill_value=self.plan.title(self.fill) if named else self.fill,
            encoder=self.plan.encoder if categorical else None,
            categories=[self.plan.title(value) for value in self.levels],
            infrequent=[self.plan.title(value) for value in self.levels[self.infrequent]],
            gaps=gaps,
            unknown=unknown if categorical else {},
        )


def fit_column(plan: ColumnPlan, values: Floats) -> ColumnFit | None:
    """Fit to the raw values (n,) of the training rows, NaN where missing; None where nothing is there to be fitted."""
    gaps = np.isnan(values)
    present = values[~gaps]
    if plan.fill is None and not len(present):
        return None
    fill = _filled_with(plan, present)
    if plan.kind != "categorical":
        return ColumnFit(plan, fill, np.empty(0), np.empty(0, bool))
    levels, counts = np.unique(np.where(gaps, fill, values), return_counts=True)
    return ColumnFit(plan, fill, levels, _infrequent(counts, plan))


def _filled_with(plan: ColumnPlan, present: Floats) -> float:
    if plan.fill is not None:
        return plan.fill
    if plan.strategy == "mean":
        return float(present.mean())
    if plan.strategy == "median":
        return float(np.median(present))
    different, counts = np.unique(present, return_counts=True)
    return float(different[np.argmax(counts)])  # the least of the most frequent


def _infrequent(counts: Counts, plan: ColumnPlan) -> Array:
    """Return which of the levels are infrequent, as ``OneHotEncoder`` has it, its ties and its limit included."""
    n, least, most = counts.sum(), plan.min_frequency, plan.max_categories
    fewest = 0 if least is None else least if isinstance(least, int) else least * n
    rare: Array = counts < fewest
    if most is not None and most < len(counts) - rare.sum() + 1:
        kept = np.argsort(counts, kind="stable")[len(counts) - (most - 1) :]
        rare = np.ones(len(counts), bool)
        rare[kept] = False
    return rare
