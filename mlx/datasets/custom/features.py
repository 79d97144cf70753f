"""Columns of a table as features: numbers, truth values, dates, categories, and what is none of these."""

import datetime
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.descriptions import Kind
from mlx.core.errors import DataError, SettingsError
from mlx.datasets.custom.table_files import Column, row_name
from mlx.datasets.custom.written_numbers import (
    MARKS,
    Marks,
    Written,
    mark_of,
    means_missing,
    read_written,
    without_percent,
)

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 1000
FEWEST_ROWS_A_CATEGORY = 10
"""A text column with fewer rows than this a category holds names or sentences; `ALWAYS_ALLOWED` are not too many."""

ALWAYS_ALLOWED = 50
MOST_UNITS = 12
"""Numbers with one unit after them ("3 doors") may be categories, up to this many."""

_DAY = r"\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}[-/]\d{1,2}[-/]\d{2,4}|\d{1,2}\.\d{1,2}\.\d{4}"
_NAMED = r"\d{1,2}[- ][A-Za-z]{3,9}[-, ]+\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4}|\d{4}-W\d{2}(-\d)?"
_TIME = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?( ?(Z|UTC|[-+]\d{2}:?\d{2}))?"
_DATE = re.compile(rf"({_DAY}|{_NAMED}|\d{{4}}-(0[1-9]|1[0-2]))([T ]({_TIME}))?|{_TIME}", re.ASCII)
_MONEY = re.compile(r"(?=.*[$€£¥₹()])\(?[-+]?[$€£¥₹]? ?[-+]?[\d.,' ]*\d[\d.,' ]*[$€£¥₹]?\)?", re.ASCII)
_UNIT = re.compile(r"[-+]?\d[\d.,]* ?(?P<unit>[^\d\s.,:/-][^\d]*)", re.ASCII)
_TRUTH = {"True": 1.0, "TRUE": 1.0, "true": 1.0, "False": 0.0, "FALSE": 0.0, "false": 0.0}


def feature(series: "pd.Series[Any]", path: Path, marks: Marks, written: Written | None = None) -> Column:
    """Return a column of a table as numbers; with the reason where it can't be a feature.

    Columns without a value, names and sentences, and dates that are not written as YYYY-MM-DD can't.

    Parameters
    ----------
    marks
        What is known of the decimal mark of the file.
    written
        The texts of the column where they have been read already.

    Raises
    ------
    DataError
        If it holds something other than numbers, booleans, dates or text, or numbers with a few other words among
        them, which are hardly categories.
    SettingsError
        If its numbers can be read in two ways.
    """
    import pandas as pd

    name = str(series.name)
    if series.isna().all():
        return Column(name, "numeric", np.full(len(series), np.nan), reason="it has no value")
    if isinstance(series.dtype, pd.DatetimeTZDtype) or series.dtype.kind == "M":
        return _dates(pd.to_datetime(series, utc=True), name)
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_complex_dtype(series):  # and boolean
        kind: Kind = "boolean" if pd.api.types.is_bool_dtype(series) else "numeric"
        return Column(name, kind, _finite(series.to_numpy(dtype=np.float64, na_value=np.nan)))
    present = series[series.notna()]
    if series.dtype == object and present.map(lambda value: type(value) in {int, float}).all():  # of any length
        return feature(series.map(lambda value: float(str(value)), na_action="ignore").astype(float), path, marks)
    if series.dtype == object and present.map(lambda value: isinstance(value, datetime.date)).all():
        return _dates(pd.to_datetime(series, utc=True), name)
    present = _texts(present, path)
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _categories(series, present, name)
    return _of_text(series, present, written or read_written(present.tolist()), path, marks)


def _of_text(series: "pd.Series[Any]", present: "pd.Series[Any]", written: Written, path: Path, marks: Marks) -> Column:
    name, truth = str(series.name), written.counts.keys() <= _TRUTH.keys()
    if not truth and (dates := dates_among(written, len(present))):
        return _written_dates(series, present, name, dates)
    numbers = _TRUTH if truth else _as_numbers(present, written, path, marks)
    if numbers is None:
        return _categories(series, present, name)
    values = np.full(len(series), np.nan)
    values[series.notna().to_numpy()] = [numbers[text] for text in present.tolist()]
    return Column(name, "boolean" if truth else "numeric", _finite(values))


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan)


def _dates(moments: "pd.Series[Any]", name: str) -> Column:
    import pandas as pd

    days = (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    return Column(name, "date", days.to_numpy(dtype=np.float64))


def _written_dates(series: "pd.Series[Any]", present: "pd.Series[Any]", name: str, dates: Collection[str]) -> Column:
    import pandas as pd

    missing = present.map(means_missing)
    moments = pd.to_datetime(present[~missing].str.strip(), format="ISO8601", utc=True, errors="coerce")
    if moments.isna().any():
        row, word = first_of(present, set(present[~missing][moments.isna()]) & set(dates) or dates)
        reason = f"it holds dates or times, such as {word!r} in {row}, not all of them written as YYYY-MM-DD"
        return Column(name, "date", np.full(len(series), np.nan), reason=reason)
    return _dates(moments.reindex(series.index), name)


def _texts(present: "pd.Series[Any]", path: Path) -> "pd.Series[Any]":
    """Return a column without missing values as text, where it is text, categories or booleans."""
    import pandas as pd

    texts = present
    if isinstance(present.dtype, pd.CategoricalDtype):
        texts = present.astype(present.cat.categories.dtype).astype(str)
    elif present.dtype == object and present.map(lambda value: isinstance(value, bool | np.bool_)).all():
        texts = present.map(str)
    if is_text(texts):
        return texts
    found = type(present.iloc[0]).__name__ if present.dtype == object else str(present.dtype)
    raise DataError(f"{path}: expected numbers or text in column '{present.name}', found {found}; {leave_out()}")


def is_text(values: "pd.Series[Any]") -> bool:
    """Return whether all values, none of them missing, are text."""
    import pandas as pd

    return isinstance(values.dtype, pd.StringDtype) or all(isinstance(value, str) for value in values.tolist())


def _as_numbers(present: "pd.Series[Any]", written: Written, path: Path, marks: Marks) -> dict[str, float] | None:
    """Return each text as a number; None for a column of words."""
    name = str(present.name)
    mark = mark_of(written, marks)
    read = dict(written.read[mark or "."])
    others = written.counts.keys() - read.keys() if len(read) < len(written.counts) else set()
    gaps = {text for text in others if means_missing(text)}
    words = others - gaps
    if not written.mostly_numbers():
        _reject_money_and_units(present, written, name, path)
        return None
    if mark is None:
        raise ambiguous_number(written, name, path)
    if bad := words or without_percent(read):
        row, word = first_of(present, bad)
        raise DataError(
            f"{path}: expected {'numbers' if words else 'percentages'} in column '{name}', found {word!r} in {row}"
            f"{f'; its numbers have the decimal mark {mark!r}' if any(m in word for m in MARKS) else ''}; "
            f"mend it, leave the cell empty if its value is missing, or {leave_out()}"
        )
    return read | dict.fromkeys(gaps, np.nan)


def ambiguous_number(written: Written, name: str, path: Path) -> SettingsError:
    """Return the error of numbers that can be read with a decimal point and with a decimal comma."""
    text = written.ambiguous()
    assert text is not None
    point, comma = (written.read[mark][text] for mark in MARKS)
    return SettingsError(
        f"expected '.' or ',', the character before the fraction in {path}, as column '{name}' has {text.strip()!r}, "
        f"which is {point:g} or {comma:g}; found none",
        key=("dataset", "params", "decimal"),
    )


def dates_among(written: Written, n: int) -> set[str]:
    """Return the texts that are dates or times; none where these are fewer than half of `n` rows."""
    dates = {text for text in written.words() if _DATE.fullmatch(text.strip())}
    return dates if 2 * sum(written.counts[text] for text in dates) >= n else set()


def first_of(present: "pd.Series[Any]", texts: Collection[str]) -> tuple[str, str]:
    """Return the row of the first of `texts` in a column, in words, and the text, cut short."""
    at = int(np.argmax(present.isin(list(texts)).to_numpy()))
    return row_name(int(present.index[at]) + 1), str(present.iloc[at])[:40]


def _reject_money_and_units(present: "pd.Series[Any]", written: Written, name: str, path: Path) -> None:
    """Reject numbers with a currency or brackets around them, and many with one of few units behind them."""
    money = {text for text in written.counts if _MONEY.fullmatch(text.strip())}
    units = {text: found["unit"] for text in written.counts if (found := _UNIT.fullmatch(text.strip()))}
    few = max(1, len(units) // MOST_UNITS * 2)
    measured = units.keys() if len(set(units.values())) <= few and len(units) > MOST_UNITS else set()
    for bad in (money, measured):
        if 2 * sum(written.counts[text] for text in bad) >= len(present):
            row, word = first_of(present, bad)
            raise DataError(
                f"{path}: expected numbers in column '{name}', found {word!r} in {row}; write them without "
                f"brackets, currency or unit, or {leave_out()}"
            )


def _categories(series: "pd.Series[Any]", present: "pd.Series[Any]", name: str) -> Column:
    categories = tuple(sorted(set(present)))
    most = min(MOST_CATEGORIES, max(ALWAYS_ALLOWED, len(series) // FEWEST_ROWS_A_CATEGORY))
    if len(categories) > most:
        reason = (
            f"it has {len(categories)} different texts in {len(series)} rows, such as {categories[0][:40]!r}, and at "
            f"most {most} are taken for categories"
        )
        return Column(name, "text", np.full(len(series), np.nan), reason=reason)
    values = np.full(len(series), np.nan)
    code = {category: k for k, category in enumerate(categories)}
    values[series.notna().to_numpy()] = [code[value] for value in present.tolist()]
    return Column(name, "categorical", values, categories)


def leave_out() -> str:
    """Return how a column is left out, for messages."""
    return "leave the column out with dataset.params.features"
