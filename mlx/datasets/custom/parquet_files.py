"""Tables in Parquet files: integers stay integers beside gaps, decimals are numbers, bytes are text."""

from collections.abc import Collection
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.errors import DataError
from mlx.datasets.custom.headers import NAMELESS, reject_equal_names
from mlx.datasets.dataset import IN_MEMORY_LIMIT

if TYPE_CHECKING:
    import pandas as pd


def read_parquet(path: Path, wanted: Collection[str]) -> "tuple[pd.DataFrame, list[str]]":
    """Read a Parquet file and return the table, and a line on each column of an index that is left out.

    Parameters
    ----------
    wanted
        Names that the settings ask for: an index that pandas wrote is left out unless it is one of them.

    Raises
    ------
    DataError
        If two columns have one name, or it unpacks, by its footer, to more than is built in memory.
    ValueError, OSError
        If it is damaged.
    """
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        _reject_large(path, file.metadata.num_rows, file.metadata.num_columns)
        names = [str(name) for name in file.schema_arrow.names]
        reject_equal_names(names, path)
        index = _index_of(file.schema_arrow.pandas_metadata)
        content = file.read(use_pandas_metadata=False)
    table = content.to_pandas(types_mapper=_nullable().get, ignore_metadata=True)
    table.columns = table.columns.map(str)
    left_out = [name for name in index if name in names and name not in wanted]
    lines = [
        f"{path}: left out '{name}', the index of the data frame that it was written from; "
        "to use it, name it in dataset.params.features"
        for name in left_out
        if not NAMELESS.fullmatch(name)
    ]
    lines += [f"{path}: left out '{name}', an index without a name" for name in left_out if NAMELESS.fullmatch(name)]
    table = table.drop(columns=left_out)
    return table.assign(**{name: _plain(table[name], path) for name in table.columns}), lines


def _reject_large(path: Path, rows: int, columns: int) -> None:
    if rows * columns * 8 > IN_MEMORY_LIMIT:
        raise DataError(
            f"{path}: expected a table of at most {IN_MEMORY_LIMIT / 1e9:.0f} GB once it is unpacked, found "
            f"{rows:,} rows of {columns:,} columns, which take {rows * columns * 8 / 1e9:.1f} GB"
        )


def _index_of(metadata: Any) -> list[str]:
    """Return the columns that hold the index of a data frame; a range index has none."""
    found = metadata.get("index_columns") if isinstance(metadata, dict) else None
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _nullable() -> dict[Any, Any]:
    """Return pandas' types that hold gaps without turning integers into floats, by Arrow's."""
    import pandas as pd
    import pyarrow as pa

    integers = {getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")() for name in _INTEGERS}
    return {**integers, pa.bool_(): pd.BooleanDtype()}


_INTEGERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")


def _plain(values: "pd.Series[Any]", path: Path) -> "pd.Series[Any]":
    """Return decimals as integers or floats, and bytes as text; anything else as it is."""
    if values.dtype != object:
        return values
    present = values.dropna()
    if len(present) and present.map(lambda value: isinstance(value, Decimal)).all():
        return _numbers(values, present)
    if len(present) and present.map(lambda value: isinstance(value, bytes)).all():
        try:
            return values.map(lambda value: value.decode("utf-8") if isinstance(value, bytes) else value)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: expected text in UTF-8 in column '{values.name}', found other bytes ({error})"
            ) from None
    return values


def _numbers(values: "pd.Series[Any]", present: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return decimals without digits after the point as integers where these hold them, others as floats."""
    limits = np.iinfo(np.int64)
    whole = all(v.is_finite() and v.as_tuple().exponent >= 0 and limits.min <= v <= limits.max for v in present)
    if whole:
        return values.map(lambda value: int(value) if isinstance(value, Decimal) else None).astype("Int64")
    return values.map(lambda value: float(value) if isinstance(value, Decimal) else np.nan).astype(np.float64)
