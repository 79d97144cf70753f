"""The factors of the samples as numbers: one column of a table each, of a kind that follows from its type."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.array_types import Array, Flags, Floats
from mlx.core.errors import DataError
from mlx.core.scale import is_rounding
from mlx.stats.status import OK, Reason, Status

MAX_CATEGORIES = 50
"""More categories than this are names, not a factor."""

MIN_SAMPLES = 4

MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class Factor:
    """One factor of the samples.

    Attributes
    ----------
    name
        Of its column.
    kind
        ``"numeric"``, ``"boolean"`` or ``"categorical"``.
    numbers
        (n_samples,), values; 0 and 1; or places in ``categories``. NaN where missing.
    categories
        Names of the categories; of a yes/no factor ``("false", "true")``; none of a number.
    dates
        Whether the numbers are days since 1970.
    """

    name: str
    kind: str
    numbers: Floats
    categories: tuple[str, ...] = ()
    dates: bool = False

    @property
    def present(self) -> Flags:
        """Whether each sample has a value."""
        return ~np.isnan(self.numbers)

    def shown(self, value: float, digits: int) -> str:
        """Return a number in at most so many digits, a date as one, with the time of day unless all are at midnight."""
        if self.dates:
            if (self.numbers[self.present] % 1 == 0).all():
                return str(np.datetime64(math.floor(value), "D"))
            return str(np.datetime64(math.floor(value * 86400), "s"))
        return f"{value:.0f}" if digits < 6 and 10**digits <= abs(value) < 1e6 else f"{value:.{digits}g}"

    @property
    def why_undefined(self) -> Status:
        """Why nothing can be said of the factor; `OK` where something can."""
        found = self.numbers[self.present]
        if found.size < MIN_SAMPLES:
            return Reason.TOO_FEW_SAMPLES(MIN_SAMPLES)
        if self.kind == "categorical" and len(self.categories) > MAX_CATEGORIES:
            return Reason.TOO_MANY_CATEGORIES(MAX_CATEGORIES)
        return Reason.CONSTANT("factor") if is_rounding(found) else OK


def read_factors(table: pd.DataFrame) -> list[Factor]:
    """Tell numbers, yes/no and categories apart, column by column.

    Booleans are yes/no; integers and floats are numbers, dates numbers of days since 1970; all else is categories by
    its text.

    Raises
    ------
    DataError
        For a column with an infinite number, or two of one name.
    """
    names = [str(name) for name in table.columns]
    if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise DataError(f"factors: expected columns of different names, found '{repeated[0]}' more than once")
    return [_read(str(name), table[name]) for name in table.columns]


def _read(name: str, column: "pd.Series[Any]") -> Factor:
    absent = column.isna().to_numpy()
    known = column[~absent]
    kind, categories = "numeric", tuple[str, ...]()
    found: Array
    if pd.api.types.is_bool_dtype(known.dtype) or (known.size and all(isinstance(v, (bool, np.bool_)) for v in known)):
        kind, categories = "boolean", ("false", "true")
        found = known.astype(bool).to_numpy(dtype=np.float64)
    elif pd.api.types.is_numeric_dtype(known.dtype):
        found = known.to_numpy(dtype=np.float64)
    elif pd.api.types.is_datetime64_any_dtype(known.dtype):
        found = known.to_numpy(dtype="datetime64[us]").astype(np.int64) / MICROSECONDS_A_DAY
    else:
        codes, different = pd.factorize(known)
        names, places = np.unique(np.asarray(different, dtype=str), return_inverse=True)
        kind, categories, found = "categorical", tuple(names.tolist()), places[codes].astype(np.float64)
    values = np.full(len(column), np.nan)
    values[~absent] = found
    if np.isinf(values).any():
        raise DataError(f"factor {name}: row {int(np.flatnonzero(np.isinf(values))[0])}: a value is not finite")
    return Factor(name, kind, values, categories, pd.api.types.is_datetime64_any_dtype(known.dtype))
