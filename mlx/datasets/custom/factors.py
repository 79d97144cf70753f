"""Columns of a table as factors, which may explain what a model gets wrong: numbers, yes or no, categories."""

import datetime
import decimal
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.datasets.custom.targets import checked_text
from mlx.datasets.custom.written_numbers import Marks, mark_of, means_missing, read_written
from mlx.datasets.dataset import Factors

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 1000
"""A column with more different texts holds names or sentences, and explains nothing."""

FEW_ROWS = 10
"""Up to so many rows, texts may all differ without being names of the rows."""

DATE = re.compile(
    r"(\d{4}-\d\d?-\d\d?|\d{4}/\d\d?/\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4})"
    r"([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"
)
DATES = (datetime.date, datetime.time, datetime.timedelta)


def factors_of(table: "pd.DataFrame", where: str) -> tuple[Factors, list[str]]:
    """Return the columns of `table` as arrays of shape (rows,), and a line for each one that is left out.

    Numbers have NaN where a value is missing, truth values and texts None. Dates, columns without a value and texts
    that name the rows (file names, identifiers) explain nothing and are left out.

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
        found = _factor(table.iloc[:, place], f"{where}: column '{name}'", nameless=place == 0 and _nameless(name))
        if isinstance(found, str):
            lines.append(f"{where}: column '{name}' is left out of the factors, as {found}")
        else:
            factors[name] = found
    return factors, lines


def _nameless(name: str) -> bool:
    return name in {"", "Unnamed: 0", "__index_level_0__"}


def _factor(series: "pd.Series[Any]", where: str, *, nameless: bool) -> Array | str:
    """Return the values (rows,), or why the column is left out."""
    import pandas as pd

    if isinstance(series.dtype, pd.SparseDtype):
        series = pd.Series(np.asarray(series), name=series.name)
    absent = series.isna().to_numpy()
    if absent.all():
        return "it has no value"
    if series.dtype.kind in "mM" or isinstance(series.dtype, pd.PeriodDtype | pd.DatetimeTZDtype):
        return "it holds dates or times"
    present = series[~absent]
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _texts(present.astype(object).map(str), absent)
    if pd.api.types.is_bool_dtype(series.dtype) or present.map(lambda v: isinstance(v, bool | np.bool_)).all():
        return _gapped(present.to_numpy(dtype=bool), absent)
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_complex_dtype(series):
        numbers = _numbers(series, absent, where)
        if nameless and np.array_equal(numbers, np.arange(len(numbers))):
            return "it has no name and counts the rows"
        return numbers
    if present.map(lambda v: isinstance(v, DATES)).all():
        return "it holds dates or times"
    if present.map(lambda v: isinstance(v, int | float | decimal.Decimal | np.number)).all():
        return _numbers(pd.to_numeric(series.map(float, na_action="ignore")), absent, where)
    return _from_text(series, absent, where)


def _from_text(series: "pd.Series[Any]", absent: Array, where: str) -> Array | str:
    import pandas as pd

    known = series[~absent]
    if not known.map(lambda v: isinstance(v, str | bytes)).all():
        raise DataError(f"{where}: expected numbers or text, found {_kinds(known)}")
    texts = [value if isinstance(value, str) else _decoded(value, where) for value in known]
    checked_text(np.array(texts), where)
    present = pd.Series(texts, dtype=object)
    if present.map(lambda text: DATE.fullmatch(text) is not None).all():
        return "it holds dates or times"
    words = present.map(means_missing)
    written = read_written(present[~words])
    mark = mark_of(written, Marks()) or "."
    numbers = present[~words].map(written.read[mark])
    if len(numbers) and numbers.notna().all():
        values = np.full(len(series), np.nan)
        values[np.flatnonzero(~absent)[~words.to_numpy()]] = numbers.to_numpy(dtype=np.float64)
        return _finite(values, where)
    if len(numbers) and numbers.notna().mean() >= 0.5:
        row = int(np.flatnonzero(~absent)[~words.to_numpy()][int(np.argmax(numbers.isna().to_numpy()))])
        raise DataError(f"{where}: expected numbers, found {str(series.iloc[row])[:40]!r} in row {row} from 0")
    return _texts(present, absent)


def _decoded(value: bytes, where: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{where}: expected text in UTF-8, found {value[:20]!r}") from None


def _texts(present: "pd.Series[Any]", absent: Array) -> Array | str:
    different, n = present.nunique(), len(present)
    if different == n > FEW_ROWS:
        return f"its {n} texts all differ and name the rows"
    if different > MOST_CATEGORIES:
        return f"it has {different} different texts"
    return _gapped(np.array(present.tolist()), absent)


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
