"""Columns of samples that are no features, and what each is for: groups, an order, the part of a split."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator

from mlx.core.array_types import Array
from mlx.core.errors import DataError, SettingsError
from mlx.core.group_names import DUPLICATES
from mlx.core.settings import known_name, nearest
from mlx.datasets.custom.written_numbers import MARKS, Marks, mark_of, read_written

if TYPE_CHECKING:
    import pandas as pd

ROLES = ("group", "order", "part", "ignore")

Role = Annotated[
    Literal["group", "order", "part", "ignore"],
    BeforeValidator(lambda value: known_name(value, ROLES) if isinstance(value, str) else value),
]

PART = "part"
"""The column of ``roles.parquet`` with the source's own part of each sample: ``train``, ``val`` or ``test``."""


@dataclass(frozen=True)
class Roles:
    """What is known of n samples that is neither a feature nor a factor.

    Attributes
    ----------
    columns
        Values (n,) by name: numbers, times, or text with None where it is missing.
    roles
        The role of each column.
    parts
        The source's own part of each sample, (n,) text; None where it has none.
    """

    columns: Mapping[str, Array] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    parts: Array | None = None

    def take(self, rows: Array) -> "Roles":
        """Return what is known of the samples `rows` alone."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Roles(columns, self.roles, None if self.parts is None else self.parts[rows])

    def table(self) -> dict[str, Array]:
        """Return the columns of ``roles.parquet``.

        Raises
        ------
        SettingsError
            A column has the name of that of the source's own parts, or by which equal samples are meant.
        """
        own = {} if self.parts is None else {PART: self.parts}
        for name, meaning in {DUPLICATES: "equal samples", **dict.fromkeys(own, "the source's own parts")}.items():
            if name in self.columns:
                raise SettingsError(
                    f"expected a column of another name than '{name}', which stands for {meaning}; rename it",
                    key=("dataset", "params", "roles"),
                )
        return {**self.columns, **own}

    def sizes(self) -> dict[str, int]:
        """Return how many samples each of the source's own parts has; empty where it has none."""
        if self.parts is None:
            return {}
        return {part: count for part in ("train", "val", "test") if (count := int((self.parts == part).sum()))}


def two_parts(n_train: int, n_test: int) -> Array:
    """Return the parts of samples of which the first `n_train` are the source's training part, the others its test."""
    return np.repeat(np.array(["train", "test"], dtype=object), [n_train, n_test])


def reject_absent(roles: Mapping[str, str], names: Collection[str], where: str) -> None:
    """Reject a role of a column that is not in `names`.

    Raises
    ------
    SettingsError
        Suggests the nearest name.
    """
    for name in roles:
        if name not in names:
            listed = ", ".join(list(names)[:20]) + (", …" if len(names) > 20 else "")
            raise SettingsError(
                f"expected columns of {where}, which has {listed or 'none'}, found '{name}'{nearest(name, names)}",
                key=("dataset", "params", "roles"),
            )


UNKNOWN_MARKS = Marks()

CODE = r"-?0\d+(\.0)?|-?\d{16,}"
"""A number in text that is a code: with a leading zero, or longer than a double is exact."""


def role_values(series: "pd.Series[Any]", role: str, where: str, marks: Marks = UNKNOWN_MARKS) -> Array:
    """Return a column of a table as numbers, times, or text with None where it is missing.

    Text that is a whole number in each row becomes integers; an order in text becomes numbers or times, and so does a
    column to ignore, which may be a factor, where it has nothing else. `marks` says what is known of decimal marks.

    Raises
    ------
    DataError
        It holds something else, or the order is neither of numbers nor of times written as YYYY-MM-DD, or its numbers
        can be read in two ways.
    """
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if series.dtype.kind == "M":
        times = series.dt.tz_convert("UTC").dt.tz_localize(None) if series.dt.tz is not None else series
        return times.to_numpy(dtype="datetime64[us]")
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_complex_dtype(series):
        return _numbers(series, role)
    present = series[series.notna()]
    if not present.map(lambda value: isinstance(value, str)).all():
        present = present.map(str)
    texts = present.str.strip()
    if role != "order" and len(texts) and texts.str.fullmatch(r"-?[1-9]\d{0,17}|0").all():
        return _numbers(texts.astype("Int64").reindex(series.index), role)
    known = series.notna().to_numpy()
    if role == "order" or (role == "ignore" and not texts.str.fullmatch(CODE).any()):
        if (found := _numbers_or_times(texts, known, marks, where if role == "order" else "")) is not None:
            return found
        if role == "order":
            raise _no_order(texts, where)
    values = np.full(len(series), None, dtype=object)
    values[known] = texts.tolist()
    return values


LARGEST_EXACT = 2**53
"""Integers up to this one are exact as floats, which integers beside gaps become."""


def _numbers(series: "pd.Series[Any]", role: str) -> Array:
    if series.dtype.kind == "b":
        return series.to_numpy(dtype=np.int64, na_value=-1) if not series.isna().any() else series.to_numpy(dtype=float)
    integers = series.dtype.kind in "iu"
    whole = integers and not series.isna().any()
    if integers and not whole and role != "order" and (series.abs() > LARGEST_EXACT).any():
        return np.array([str(value) if known else None for value, known in zip(series, series.notna(), strict=True)])
    return series.to_numpy(dtype=np.int64) if whole else series.to_numpy(dtype=np.float64, na_value=np.nan)


def _numbers_or_times(texts: "pd.Series[Any]", known: Array, marks: Marks, where: str) -> Array | None:
    """Return texts as numbers, or as times, with gaps where they are not known; None for others.

    Raises
    ------
    DataError
        The numbers can be read in two ways; not raised without `where`.
    """
    import pandas as pd

    numbers = pd.to_numeric(texts, errors="coerce")
    if marks.stated == "," or numbers.isna().any():
        numbers = _with_any_mark(texts, marks, where)
    if numbers.notna().all():
        values = np.full(len(known), np.nan)
        values[known] = numbers.to_numpy(dtype=np.float64)
        return values
    times = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    if times.isna().any():
        return None
    moments = np.full(len(known), np.datetime64("NaT"), "datetime64[us]")
    moments[known] = times.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return moments


def _with_any_mark(texts: "pd.Series[Any]", marks: Marks, where: str) -> "pd.Series[Any]":
    """Return texts as numbers with their own decimal mark, NaN for others."""
    written = read_written(texts)
    mark = mark_of(written, marks)
    if mark is None and where and written.share(*MARKS) == 1:
        raise DataError(
            f"{where}: expected numbers of one decimal mark, found {written.ambiguous()!r}, which may be two numbers; "
            "state dataset.params.decimal"
        )
    return texts.map(written.read[mark or "."])


def _no_order(texts: "pd.Series[Any]", where: str) -> DataError:
    import pandas as pd

    times = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    bad = texts[times.isna()].iloc[0]
    return DataError(
        f"{where}: expected numbers, or times written as YYYY-MM-DD or YYYY-MM-DD HH:MM:SS, found {bad[:40]!r}, "
        "and dataset.params.roles says order"
    )
