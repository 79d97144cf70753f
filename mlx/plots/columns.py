"""What the columns of a table hold, in words: kind, gaps, range or most frequent values, and what they are for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.column_descriptions import ColumnDescription, Kind
from mlx.plots.text import shorten

if TYPE_CHECKING:
    import pandas as pd

    from mlx.core.array_types import Array

HEAD = ("column", "use", "kind", "gaps", "values")

MOST_NAMED = 4
"""Categories that are named with their share."""
FEW = 20
"""Different texts that are categories; more are shown by their ends."""
NAME_WIDTH = 24

ORDER = ("target", "group", "order", "part", "ignore", "factor", "feature", "left out")


@dataclass(frozen=True)
class ColumnSummary:
    """A column in words.

    Attributes
    ----------
    use
        ``feature``, ``target``, its role, ``left out``, or ``factor`` for one that is nothing else.
    explains
        Whether the analysis asks if it explains errors.
    contents
        The range or the most frequent values, and why it is left out.
    """

    name: str
    use: str
    kind: Kind
    gaps: int
    contents: str
    explains: bool = False

    def cells(self) -> tuple[str, str, str, int, str]:
        """Return a row under `HEAD`."""
        use = f"{self.use}, factor" if self.explains and self.use != "factor" else self.use
        return self.name, use, self.kind, self.gaps, self.contents


def summarize_columns(
    columns: Sequence[ColumnDescription],
    features: FeatureCounts,
    target: Array,
    class_names: Sequence[str],
    others: Mapping[str, Array],
    roles: Mapping[str, str],
    factors: Collection[str],
    left_out: Mapping[str, str],
) -> list[ColumnSummary]:
    """Summarize all columns: the target, those with a role, factors of other tables, features, and those left out.

    Parameters
    ----------
    columns
        Of the table.
    features
        What was counted of all raw rows.
    target
        (n,), labels or numbers.
    class_names
        Empty for a regression.
    others
        Values (n,) by name of columns with a role, and of factors beside the table.
    roles
        The role of each of `others` that has one.
    factors
        Names of the columns that may explain errors.
    left_out
        By name of a raw feature that the model is not given: why.
    """
    found = [features.summary(place, column) for place, column in enumerate(features.columns)]
    for place, one in enumerate(found):
        if reason := left_out.get(one.name):
            found[place] = replace(one, use="left out", contents=f"{one.contents}; {reason}")
    for column in columns:
        if column.use == "target":
            found.append(ColumnSummary(column.name, "target", column.kind, column.gaps, _target(target, class_names)))
        elif column.use == "left out":
            found.append(ColumnSummary(column.name, "left out", column.kind, column.gaps, column.reason))
    kinds = {column.name: column.kind for column in columns}
    for name, values in others.items():
        found.append(_summary_of(name, roles.get(name, "factor"), kinds.get(name), values))
    explaining = {name for name in factors if name not in {c.name for c in columns if c.use in {"target", "left out"}}}
    marked = [replace(one, explains=one.name in explaining) for one in found]
    return sorted(marked, key=lambda one: ORDER.index(one.use))


def _target(target: Array, class_names: Sequence[str]) -> str:
    return _shares(class_names, np.bincount(target, minlength=len(class_names))) if len(class_names) else _range(target)


@dataclass
class FeatureCounts:
    """What is counted of the features of a table while its rows are read once, block by block."""

    columns: Sequence[ColumnDescription]
    lowest: Array
    highest: Array
    gaps: Array
    counts: dict[int, Array]

    @classmethod
    def of(cls, columns: Sequence[ColumnDescription]) -> FeatureCounts:
        """Return the counts of no rows; `columns` are the features in the order of the rows' values."""
        d = len(columns)
        sizes = {k: max(2, len(c.categories)) for k, c in enumerate(columns) if c.kind in {"categorical", "boolean"}}
        counts = {place: np.zeros(size, np.int64) for place, size in sizes.items()}
        return cls(columns, np.full(d, np.inf), np.full(d, -np.inf), np.zeros(d, np.int64), counts)

    def add(self, block: Array) -> None:
        """Count the raw rows (m, n_features)."""
        absent = np.isnan(block)
        self.gaps += absent.sum(axis=0)
        self.lowest = np.minimum(self.lowest, np.where(absent, np.inf, block).min(axis=0, initial=np.inf))
        self.highest = np.maximum(self.highest, np.where(absent, -np.inf, block).max(axis=0, initial=-np.inf))
        for place, counts in self.counts.items():
            codes = block[:, place]
            known = codes[(codes >= 0) & (codes < counts.size)]  # neither gaps nor, in a damaged file, other codes
            counts += np.bincount(known.astype(np.int64), minlength=counts.size)

    def summary(self, place: int, column: ColumnDescription) -> ColumnSummary:
        """Return a feature in words."""
        gaps, low, high = int(self.gaps[place]), float(self.lowest[place]), float(self.highest[place])
        if low > high:
            values = "no values"
        elif column.kind in {"categorical", "boolean"}:
            values = _shares(column.categories or ("false", "true"), self.counts[place])
        elif column.kind == "date":
            values = _ends(*np.array([low, high]).astype("datetime64[D]"))
        else:
            values = _ends(_number(low), _number(high))
        return ColumnSummary(column.name, column.use, column.kind, gaps, values)


def _summary_of(name: str, use: str, kind: Kind | None, values: Array) -> ColumnSummary:
    """Summarize a column with a role, or a factor beside the table."""
    import pandas as pd

    column = pd.Series(values)
    present = column.dropna()
    words = _words(present, most=0 if use == "group" else FEW) if len(present) else "no values"
    return ColumnSummary(name, use, kind or _kind(column), int(column.isna().sum()), words)


def _kind(column: pd.Series[Any]) -> Kind:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column.dtype):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "date"
    return "numeric" if pd.api.types.is_numeric_dtype(column.dtype) else "categorical"


def _words(present: pd.Series[Any], most: int) -> str:
    """Return the range of values, or of up to `most` different texts the most frequent."""
    kind = _kind(present)
    if kind == "numeric":
        return _range(present.to_numpy())
    if kind == "date":
        return _ends(present.min().date(), present.max().date())
    texts = present.map(str)
    counts = texts.value_counts(sort=False).sort_index()
    if len(counts) <= min(most, len(texts) // 2):
        return _shares(list(counts.index), counts.to_numpy())
    return f"{len(counts):,} different, {_ends(counts.index[0], counts.index[-1])}"


def _range(values: Array) -> str:
    return _ends(_number(float(np.min(values))), _number(float(np.max(values))))


def _number(value: float) -> str:
    return f"{value:.6g}"


def _ends(low: object, high: object) -> str:
    first, last = (shorten(str(end), NAME_WIDTH) for end in (low, high))
    return first if first == last else f"{first} to {last}"


def _shares(names: Sequence[str], counts: Array) -> str:
    """Return the most frequent of `names` with their share of all, and how many more there are."""
    order = np.argsort(-counts, kind="stable")
    seen = [k for k in order if counts[k]]
    total = max(1, int(counts.sum()))
    shown = [f"{shorten(str(names[k]), NAME_WIDTH)} {100 * counts[k] / total:.0f} %" for k in seen[:MOST_NAMED]]
    more = len(seen) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def column_counts(summaries: Sequence[ColumnSummary]) -> str:
    """Return how many columns there are of each use, and how many may explain errors."""
    uses = {use: sum(one.use == use for one in summaries) for use in ORDER}
    factors = sum(one.explains or one.use == "factor" for one in summaries)
    words = [f"{n} {use}{'s' if n > 1 and use in {'feature', 'factor'} else ''}" for use, n in uses.items() if n]
    columns = "1 column" if len(summaries) == 1 else f"{len(summaries)} columns"
    return f"{columns}: {', '.join(words)}; factors, which may explain errors: {factors}"
