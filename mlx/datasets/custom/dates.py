"""Dates and times in a column of a table, as moments."""

import datetime
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array

if TYPE_CHECKING:
    import pandas as pd

_TIME = r"([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"
DATE = re.compile(
    rf"((?P<year>\d{{4}}[-/]\d\d?[-/]\d\d?)|(?P<dotted>\d\d?\.\d\d?\.\d{{4}})|(?P<either>\d\d?[-/]\d\d?[-/]\d{{4}})){_TIME}"
)
"""A date with the year first; with dots, which has the day first; or with the day or the month first."""

FEW_DAYS = 20
ROWS_A_DAY = 10
"""Up to `FEW_DAYS` dates with so many rows each on average name occasions, such as those of measurements."""


def as_moments(present: "pd.Series[Any]") -> Array | None:
    """Return dates, without missing values, as moments in UTC, datetime64[us] of shape (rows,); None for others."""
    import pandas as pd

    if isinstance(present.dtype, pd.PeriodDtype):
        present = present.dt.to_timestamp()
    kind = present.dtype.kind
    if kind != "M" and not present.map(lambda value: isinstance(value, datetime.date)).all():
        return None
    moments = pd.to_datetime(present, utc=True, format=None if kind == "M" else "mixed")
    return _in_utc(moments)


def written_moments(texts: "pd.Series[Any]") -> Array | str | None:
    """Return dates in text as `as_moments`, or in words why they can't be read; None for texts that are no dates."""
    import pandas as pd

    found = [DATE.fullmatch(text) for text in texts]
    if not found or None in found:
        return None
    either = [match["either"].replace("/", "-").split("-") for match in found if match and match["either"]]
    first, second = (any(int(parts[place]) > 12 for parts in either) for place in (0, 1))
    if either and first == second:
        return "its dates begin with the day or the month; write them as YYYY-MM-DD"
    moments = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]")
    year_first = np.array([match is not None and match["year"] is not None for match in found])
    for part, day_first in ((year_first, False), (~year_first, not second)):
        moments[part] = pd.to_datetime(texts[part], dayfirst=day_first, format="mixed", utc=True, errors="coerce")
    if moments.isna().any():
        return f"there is no date {texts[moments.isna()].iloc[0]!r}"
    return _in_utc(moments)


def _in_utc(moments: "pd.Series[Any]") -> Array:
    values: Array = moments.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return values


def name_occasions(moments: Array) -> bool:
    """Whether moments (rows,) are few that repeat."""
    different = len(np.unique(moments))
    return different <= FEW_DAYS and ROWS_A_DAY * different <= len(moments)


def written(moments: Array) -> list[str]:
    """Return moments as text, without the time of day where that is midnight throughout."""
    days = moments.astype("datetime64[D]")
    shown = days if (days == moments).all() else moments.astype("datetime64[s]")
    return [str(text) for text in np.datetime_as_string(shown)]
