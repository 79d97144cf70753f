"""Columns of a table as features: numbers, truth values, dates, categories, and columns of other kinds."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError, SettingsError
from mlx.core.settings import yaml_text
from mlx.datasets.custom.cells import RawColumn
from mlx.datasets.custom.columns import Column, Convert, finite, looked_up
from mlx.datasets.custom.table_files import Table
from mlx.datasets.custom.written_numbers import (
    MARKS,
    TRUTH,
    Marks,
    Seen,
    Written,
    mark_of,
    means_missing,
    number,
    read_written,
    without_percent,
)

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


def feature(table: Table, name: str, marks: Marks, written: Written | None = None) -> Column:
    """Return a column of a table as a feature; with the reason where it can't be one.

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
    raw = table.columns[name]
    if raw.kind == "text" and raw.fault:
        return Column(raw, "text", _nothing, reason=f"it has {raw.fault} in {table.n_rows} rows")
    if raw.fault:
        raise DataError(
            f"{table.path}: expected numbers or text in column '{name}', found {raw.fault}; {leave_out(name)}"
        )
    if raw.kind == "none" or (raw.kind == "text" and not table.texts(name)):
        return Column(raw, "numeric", _nothing, reason="it has no value")
    if raw.kind == "times":
        return Column(raw, "date", lambda microseconds: microseconds / MICROSECONDS_A_DAY)
    if raw.kind != "text":
        if mark_of(raw.seen, marks) is None:
            raise ambiguous_number(raw.seen, name, table.path)
        return Column(raw, "boolean" if raw.kind == "booleans" else "numeric", finite)
    if raw.declared:
        return _categories(table, raw)
    return _of_text(table, raw, written or read_written(table.texts(name)), marks)


MICROSECONDS_A_DAY = 86_400_000_000


def _nothing(cells: Array) -> Array:
    return np.full(len(cells), np.nan)


def _of_text(table: Table, raw: RawColumn, written: Written, marks: Marks) -> Column:
    truth = written.counts.keys() <= TRUTH.keys()
    if not truth and (dates := dates_among(written)):
        return _written_dates(table, raw, dates)
    numbers = TRUTH if truth else _as_numbers(table, raw.name, written, marks)
    if numbers is None:
        return _categories(table, raw)
    return Column(raw, "boolean" if truth else "numeric", _converted(raw, numbers))


def _converted(raw: RawColumn, numbers: Mapping[str, float]) -> Convert:
    """Return what looks up the number that stands for each text; none for what is missing."""
    return looked_up(finite(np.array([numbers.get(text, np.nan) for text in raw.texts])).tolist())


def _written_dates(table: Table, raw: RawColumn, dates: Collection[str]) -> Column:
    import pandas as pd

    texts = pd.Series([text for text in table.texts(raw.name) if not means_missing(text)])
    moments = pd.to_datetime(texts.str.strip(), format="ISO8601", utc=True, errors="coerce")
    if moments.isna().any():
        row, word = table.first_of(raw.name, set(texts[moments.isna()]) & set(dates) or dates)
        reason = f"it holds dates or times, such as {word!r} in {row}, not all of them written as YYYY-MM-DD"
        return Column(raw, "date", _nothing, reason=reason)
    days = moments.astype("datetime64[us, UTC]").astype(np.int64) / MICROSECONDS_A_DAY
    return Column(raw, "date", _converted(raw, dict(zip(texts, days, strict=True))))


def _as_numbers(table: Table, name: str, written: Written, marks: Marks) -> dict[str, float] | None:
    """Return each text as a number; None for a column of words."""
    mark = mark_of(written, marks)
    read = dict(written.read[mark or "."])
    others = written.counts.keys() - read.keys() if len(read) < len(written.counts) else set()
    gaps = {text for text in others if means_missing(text)}
    words = others - gaps
    if not written.mostly_numbers():
        _reject_money_and_units(table, written, name)
        return None
    if mark is None:
        raise ambiguous_number(written, name, table.path)
    if bad := words or without_percent(read):
        row, word = table.first_of(name, bad)
        raise DataError(
            f"{table.path}: expected {'numbers' if words else 'percentages'} in column '{name}', found {word!r} in "
            f"{row}"
            f"{f'; its numbers have the decimal mark {mark!r}' if any(m in word for m in MARKS) else ''}; "
            f"mend it, leave the cell empty if its value is missing, or {leave_out(name)}"
        )
    return read | dict.fromkeys(gaps, np.nan)


def ambiguous_number(written: Written | Seen, name: str, path: Path) -> SettingsError:
    """Return the error of numbers that can be read with a decimal point and with a decimal comma."""
    text = written.ambiguous()
    assert text is not None
    point, comma = (number(text, mark) for mark in MARKS)
    return SettingsError(
        f"expected '.' or ',', the character before the fraction in {path}, as column '{name}' has {text.strip()!r}, "
        f"which is {point:g} or {comma:g}; found none",
        key=("dataset", "params", "decimal"),
    )


def dates_among(written: Written) -> set[str]:
    """Return the texts that are dates or times; none where these are fewer than half of the rows."""
    dates = {text for text in written.words() if _DATE.fullmatch(text.strip())}
    return dates if 2 * sum(written.counts[text] for text in dates) >= sum(written.counts.values()) else set()


def _reject_money_and_units(table: Table, written: Written, name: str) -> None:
    """Reject numbers with a currency or brackets around them, and many with one of few units behind them."""
    money = {text for text in written.counts if _MONEY.fullmatch(text.strip())}
    units = {text: found["unit"] for text in written.counts if (found := _UNIT.fullmatch(text.strip()))}
    few = max(1, len(units) // MOST_UNITS * 2)
    measured = units.keys() if len(set(units.values())) <= few and len(units) > MOST_UNITS else set()
    for bad in (money, measured):
        if 2 * sum(written.counts[text] for text in bad) >= sum(written.counts.values()):
            row, word = table.first_of(name, bad)
            raise DataError(
                f"{table.path}: expected numbers in column '{name}', found {word!r} in {row}; write them without "
                f"brackets, currency or unit, or {leave_out(name)}"
            )


def _categories(table: Table, raw: RawColumn) -> Column:
    categories = tuple(sorted(table.texts(raw.name)))
    most = min(MOST_CATEGORIES, max(ALWAYS_ALLOWED, table.n_rows // FEWEST_ROWS_A_CATEGORY))
    if len(categories) > most:
        reason = (
            f"it has {len(categories)} different texts in {table.n_rows} rows, such as {categories[0][:40]!r}, and at "
            f"most {most} are taken for categories"
        )
        return Column(raw, "text", _nothing, reason=reason)
    codes = {category: float(k) for k, category in enumerate(categories)}
    return Column(raw, "categorical", _converted(raw, codes), categories)


def leave_out(name: str) -> str:
    """Return how a column is left out, for messages."""
    return f"leave the column out with dataset.params.roles: {{{yaml_text(name)}: ignore}}"
