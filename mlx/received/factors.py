"""What is known of each sample, in memory or in a file, as factors."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.console import note
from mlx.core.errors import DataError
from mlx.core.group_names import DUPLICATES, unknown_groups
from mlx.datasets.custom.factors import factors_of
from mlx.datasets.custom.gathering import Wanted
from mlx.datasets.custom.metadata import read_metadata
from mlx.datasets.custom.table_files import read_table
from mlx.datasets.custom.written_cells import accepted
from mlx.datasets.dataset import Factors
from mlx.datasets.roles import role_values

if TYPE_CHECKING:
    import pandas as pd


def read_factors(given: Any, n: int, what: str, groups: str | None = None, *, key: str = "residuals.groups") -> Factors:
    """Return a table with a row per sample as columns (n,): a data frame, columns by name, or a file; none for None.

    The column ``groups``, which is given as `key`, says which samples belong together, and may hold what is left out of
    factors: dates, names.

    Raises
    ------
    DataError
        It has another number of rows, two columns of one name, or a column of something else.
    SettingsError
        No column has the name ``groups``: names all columns, also those that are no factors.
    """
    if given is None:
        return {}
    roles = {} if groups in {None, DUPLICATES} else {str(groups): "group"}
    if isinstance(given, str | os.PathLike):
        factors, columns = read_metadata(Path(given), n, roles=roles)
    else:
        frame = _frame(given, n, what)
        own = [name for name in frame.columns if str(name) in roles]
        own = own if len(own) == 1 else []  # `factors_of` rejects two of one name
        columns = {str(name): role_values(frame[name], "group", f"{what}: column '{name}'") for name in own}
        factors, lines = factors_of(frame.drop(columns=own), what)
        for line in lines:
            note(line)
    if unknown := roles.keys() - columns.keys():
        in_file = isinstance(given, str | os.PathLike)
        names = read_table(Path(given), Wanted({}, most_texts=None), words=True).columns if in_file else frame.columns
        raise unknown_groups(unknown.pop(), map(str, names), key=key)
    return factors | {name: _without_times(values) for name, values in columns.items()}


def read_groups(given: Any, n: int, what: str, name: str) -> Array | None:
    """Return the column `name` (n,) of such a table, which says which samples belong together; None without it.

    Raises
    ------
    DataError
        The table has another number of rows, or two columns of this name.
    """
    if isinstance(given, str | os.PathLike):
        what = str(given)
        table = read_table(Path(given), Wanted(accepted({name: "group"}), most_texts=None), words=True)
        frame = table.frame([other for other in table.columns if other != name])
    else:
        frame = _frame({} if given is None else given, n, what)
    named = [column for column in frame.columns if str(column) == name]
    if len(named) > 1:
        raise DataError(f"{what}: expected columns of different names, found '{name}' {len(named)} times")
    if named and len(frame) != n:
        raise DataError(f"{what}: expected {n} rows, one per sample, found {len(frame)}")
    return _without_times(role_values(frame[named[0]], "group", f"{what}: column '{name}'")) if named else None


def factors_like(wanted: Factors, given: Any, n: int, what: str) -> Factors:
    """Return the columns (n,) of a table that are called as those of `wanted`; a value of another kind is missing.

    Raises
    ------
    DataError
        The table has another number of rows, or two columns of one name.
    """
    if given is None:
        return {}
    if isinstance(given, str | os.PathLike):
        what, frame = str(given), read_table(Path(given), Wanted({}, most_texts=None), words=True).frame()
    else:
        frame = _frame(given, n, what)
    if len(frame) != n:
        raise DataError(f"{what}: expected {n} rows, one per sample, found {len(frame)}")
    columns = {str(name): frame[name] for name in frame.columns}
    return {name: _of_kind(values, columns[name]) for name, values in wanted.items() if name in columns}


def _of_kind(wanted: Array, values: "pd.Series[Any]") -> Array:
    """Return values as numbers where `wanted` has them, else as truth values or text; None or NaN where missing."""
    if wanted.dtype.kind in "iuf":
        import pandas as pd

        return pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    found = values.astype(object).where(values.notna(), None).to_numpy()
    if any(isinstance(one, str) for one in wanted):
        return np.array([None if one is None else str(one) for one in found], dtype=object)
    return np.array([one if isinstance(one, bool | np.bool_) else None for one in found], dtype=object)


def _without_times(values: Array) -> Array:
    """Return times as text, None where one is missing; all else as it is."""
    if values.dtype.kind != "M":
        return values
    texts: Array = np.datetime_as_string(values).astype(object)
    texts[np.isnat(values)] = None
    return texts


def _frame(given: Any, n: int, what: str) -> Any:
    """Return a table in memory as a data frame of n rows."""
    import pandas as pd

    if isinstance(given, pd.Series):
        given = given.to_frame()
    if not isinstance(given, pd.DataFrame):
        if not isinstance(given, Mapping):
            raise DataError(f"{what}: expected a data frame, or columns by name, found {type(given).__name__}")
        columns = {name: _values(values, f"{what}: column '{name}'", n) for name, values in given.items()}
        given = pd.DataFrame(columns) if columns else pd.DataFrame(index=range(n))
    if len(given) != n:
        raise DataError(f"{what}: expected {n} rows, one per sample, found {len(given)}")
    return given.reset_index(drop=True)


def _values(values: Any, where: str, n: int) -> Any:
    """Return one column in memory, without an index that would sort its rows."""
    import pandas as pd

    if isinstance(values, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        column = pd.Series(values).reset_index(drop=True)
    else:
        try:
            array = np.asarray(values)
            if np.ma.is_masked(values):
                array = array.astype(object)
                array[np.ma.getmaskarray(values)] = None
        except (ValueError, TypeError, RuntimeError):
            raise DataError(f"{where}: expected {n} values, found {type(values).__name__}") from None
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            raise DataError(f"{where}: expected {n} rows, one per sample, found an array of shape {array.shape}")
        if isinstance(values, list | tuple) and array.dtype.kind in "US":  # NumPy made texts of all that is in it
            array = np.asarray(values, dtype=object)
        column = pd.Series(array, dtype=object if array.dtype.kind in "OUS" else None)
    if len(column) != n:
        raise DataError(f"{where}: expected {n} rows, one per sample, found {len(column)}")
    return column
