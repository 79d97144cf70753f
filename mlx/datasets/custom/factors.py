"""Columns of a table as factors, which may explain what a model gets wrong: numbers, yes or no, categories."""

import datetime
import decimal
import re
from types import UnionType
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.datasets.custom.dates import as_moments, name_occasions, written, written_moments
from mlx.datasets.custom.targets import checked_text
from mlx.datasets.custom.written_numbers import Marks, mark_of, means_missing, read_written
from mlx.datasets.dataset import Factors

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 1000
"""A column with more different texts holds names or sentences, and explains nothing."""

FEW_ROWS = 10
"""Up to so many rows, texts may all differ without being names of the rows."""

ID = re.compile(r"((?i:(.*[\W_])?(id|uuid|guid|key))|.*[a-z]I[dD])")
"""The name of a column that identifies the rows, where its numbers all differ."""


Known = tuple[Array, str] | str
"""The values of a column (rows,) and what to say of them, which may be nothing; or why it is left out."""


def factors_of(table: "pd.DataFrame", where: str) -> tuple[Factors, list[str]]:
    """Return the columns of `table` as arrays of shape (rows,), and a line for each that is left out or changed.

    Numbers have NaN where a value is missing, dates NaT, truth values and texts None. A few dates that repeat are
    texts, durations numbers of days. Columns without a value, times of day, and texts and numbers that identify the
    rows (file names, ids) explain nothing and are left out.

    Messages begin with `where`.

    Raises
    ------
    DataError
        Two columns have one name, or a column holds something else, infinite numbers, or numbers with a few words.
    """
    names = [str(name) for name in table.columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(
            f"{where}: expected columns of different names, found '{twice[0]}' {names.count(twice[0])} times"
        )
    factors: Factors = {}
    lines = []
    for place, name in enumerate(names):
        column = table.iloc[:, place].rename("" if place == 0 and _nameless(name) else name)
        found = _factor(column, f"{where}: column '{name}'")
        if isinstance(found, str):
            lines.append(f"{where}: column '{name}' is left out of the factors, as {found}")
            continue
        factors[name], said = found
        if said:
            lines.append(f"{where}: column '{name}' {said}")
    return factors, lines


def _nameless(name: str) -> bool:
    return name in {"", "Unnamed: 0", "__index_level_0__"}


def _factor(series: "pd.Series[Any]", where: str) -> Known:
    import pandas as pd

    if isinstance(series.dtype, pd.SparseDtype):
        series = pd.Series(np.asarray(series), name=series.name)
    absent = series.isna().to_numpy()
    if absent.all():
        return "it has no value"
    present = series[~absent]
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _texts(present.astype(object).map(str), absent)
    if (moments := as_moments(present)) is not None:
        return _dates(moments, absent)
    if series.dtype.kind == "m" or _all_are(present, datetime.timedelta):
        days = pd.to_timedelta(series).dt.total_seconds() / 86400
        return _numbers(days, absent, where), "holds durations, which count in days"
    if pd.api.types.is_bool_dtype(series.dtype) or _all_are(present, bool | np.bool_):
        return _gapped(present.to_numpy(dtype=bool), absent), ""
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_complex_dtype(series):
        return _unless_of_rows(_numbers(series, absent, where), str(series.name))
    return _from_objects(series, absent, where)


def _all_are(present: "pd.Series[Any]", kind: type | UnionType) -> bool:
    return bool(present.dtype == object and present.map(lambda value: isinstance(value, kind)).all())


def _unless_of_rows(numbers: Array, name: str) -> Known:
    """Return numbers that do not identify the rows."""
    if not name and np.array_equal(numbers, np.arange(len(numbers))):
        return "it has no name and counts the rows"
    if ID.fullmatch(name) and len(numbers) > FEW_ROWS and len(np.unique(numbers)) == len(numbers):
        return f"its {len(numbers)} numbers all differ and it is named as one of ids"
    return numbers, ""


def _from_objects(series: "pd.Series[Any]", absent: Array, where: str) -> Known:
    import pandas as pd

    present = series[~absent]
    if _all_are(present, datetime.time):
        return "it holds times of day"
    if _all_are(present, int | float | decimal.Decimal | np.number):
        return _numbers(pd.to_numeric(series.map(float, na_action="ignore")), absent, where), ""
    return _from_text(series, absent, where)


def _from_text(series: "pd.Series[Any]", absent: Array, where: str) -> Known:
    import pandas as pd

    known = series[~absent]
    if not known.map(lambda v: isinstance(v, str | bytes)).all():
        raise DataError(f"{where}: expected numbers or text, found {_kinds(known)}")
    texts = [value if isinstance(value, str) else _decoded(value, where) for value in known]
    checked_text(np.array(texts), where)
    present = pd.Series(texts, dtype=object)
    words = present.map(means_missing)
    unknown = absent.copy()
    unknown[~absent] = words
    moments = written_moments(present[~words])
    if moments is not None:
        return moments if isinstance(moments, str) else _dates(moments, unknown)
    read = read_written(present[~words])
    numbers = present[~words].map(read.read[mark_of(read, Marks()) or "."])
    if len(numbers) and numbers.notna().all():
        values = np.full(len(series), np.nan)
        values[~unknown] = numbers.to_numpy(dtype=np.float64)
        return _finite(values, where), ""
    if len(numbers) and numbers.notna().mean() >= 0.5:
        row = int(np.flatnonzero(~unknown)[int(np.argmax(numbers.isna().to_numpy()))])
        raise DataError(f"{where}: expected numbers, found {str(series.iloc[row])[:40]!r} in row {row} from 0")
    return _texts(present, absent)


def _dates(moments: Array, absent: Array) -> Known:
    if name_occasions(moments):
        return _gapped(np.array(written(moments)), absent), "holds few dates that repeat, which are categories"
    values = np.full(len(absent), np.datetime64("NaT"), "datetime64[us]")
    values[~absent] = moments
    return values, "holds dates, which count in days"


def _decoded(value: bytes, where: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{where}: expected text in UTF-8, found {value[:20]!r}") from None


def _texts(present: "pd.Series[Any]", absent: Array) -> Known:
    different, n = present.nunique(), len(present)
    if different == n > FEW_ROWS:
        return f"its {n} texts all differ and name the rows"
    if different > MOST_CATEGORIES:
        return f"it has {different} different texts"
    return _gapped(np.array(present.tolist()), absent), ""


def _gapped(present: Array, absent: Array) -> Array:
    """Put None where a value is missing; without gaps, keep the type."""
    if not absent.any():
        return present
    values = np.full(len(absent), None, dtype=object)
    values[~absent] = present.tolist()
    return values


def _numbers(series: "pd.Series[Any]", absent: Array, where: str) -> Array:
    values: Array = series.to_numpy()
    if absent.any() or values.dtype.kind not in "iuf":
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    values = _finite(values, where)
    if values.dtype == np.float16:  # which Parquet files of older readers don't have
        values = values.astype(np.float32)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _finite(values: Array, where: str) -> Array:
    infinite = np.flatnonzero(np.isinf(values)) if values.dtype.kind == "f" else np.empty(0, int)
    if infinite.size:
        raise DataError(f"{where}: expected finite numbers, found {values[infinite[0]]} in row {infinite[0]} from 0")
    return values


def _kinds(present: "pd.Series[Any]") -> str:
    return " and ".join(sorted({type(value).__name__ for value in present})[:3])
