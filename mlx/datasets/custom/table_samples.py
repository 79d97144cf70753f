"""Features and target out of a table in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlx.core.errors import DataError
from mlx.datasets.custom.table_files import Column, column_of, encode, read_table, row_name, to_column
from mlx.datasets.dataset import Array

if TYPE_CHECKING:
    import pandas as pd

Missing = Literal["error", "drop", "mean"]


@dataclass(frozen=True)
class TableSamples:
    """What was read.

    Attributes
    ----------
    X
        Features, float64 of shape (samples, features).
    labels
        The target as it stands in the file: integers, floats, booleans or text, shape (samples,).
    rows, n_rows
        Which of the table's rows the samples are, and how many it has.
    details
        The features' names, the categories of columns of text, and what was done about missing values.
    """

    X: Array
    labels: Array
    rows: Array
    n_rows: int
    details: dict[str, Any]


def read_table_samples(
    path: Path,
    target: str,
    *,
    features: Sequence[str] | None,
    encoding: Literal["onehot", "ordinal"],
    missing: Missing,
) -> TableSamples:
    """Read a CSV or Parquet table.

    Parameters
    ----------
    target
        The target's column.
    features
        The columns to use; all others where it is None.
    encoding
        Of columns of text, see `mlx.datasets.custom.table_files.encode`.
    missing
        What to do about missing and infinite values. The mean is that of all rows, test rows included.

    Raises
    ------
    DataError
        If the table can't be read, a column is not there or holds no numbers or text, or a value is missing.
    """
    table = read_table(path, targets=[target])
    answer = column_of(table, target, path, "target")
    names = [name for name in table.columns if name != target] if features is None else list(features)
    columns = [to_column(column_of(table, name, path, "features"), path) for name in names if name != target]
    if len(columns) != len(names) or not columns:
        raise DataError(f"{path}: expected columns of features besides the target '{target}', found {names}")
    known = answer.notna().to_numpy()
    keep = np.ones(len(table), bool)
    details: dict[str, Any] = {}
    if missing == "drop":
        keep = known & np.all([~np.isnan(column.numbers) for column in columns], axis=0)
        details["dropped_rows"] = int((~keep).sum())
        if not keep.any():
            raise DataError(f"{path}: expected rows without missing values, found none")
    elif missing == "mean":
        details["filled"] = {c.name: int(np.isnan(c.numbers).sum()) for c in columns if np.isnan(c.numbers).any()}
        columns = [_filled(column, path) for column in columns]
    _refuse_missing(columns, ~known, target, keep, path)
    X, encoded = encode(columns, encoding, path)
    details["features"] = encoded
    details["categories"] = {c.name: list(c.categories) for c in columns if c.categories is not None}
    rows = np.flatnonzero(keep)
    return TableSamples(X[rows], _labels(answer[keep], gaps=not known.all()), rows, len(table), details)


def _filled(column: Column, path: Path) -> Column:
    gaps = np.isnan(column.numbers)
    if column.categories is not None or not gaps.any():
        return column  # text has no mean: what is missing stays so and is an error
    if gaps.all():
        raise DataError(f"{path}: expected values in column '{column.name}' to take the mean of, found none")
    return Column(column.name, np.where(gaps, column.numbers[~gaps].mean(), column.numbers), None)


def _refuse_missing(columns: Sequence[Column], unknown: Array, target: str, keep: Array, path: Path) -> None:
    gaps = {column.name: np.isnan(column.numbers) for column in columns} | {target: unknown}
    for name, missing in gaps.items():
        missing = missing & keep
        if missing.any():
            row = int(np.argmax(missing)) + 1
            raise DataError(
                f"{path}: expected a finite value in each row of column '{name}', found none in "
                f"{row_name(row)} ({int(missing.sum())} in all); set dataset.params.missing to "
                "drop or, for numbers, to mean"
            )


def _labels(answer: "pd.Series[Any]", *, gaps: bool) -> Array:
    """Return the target without pandas' types, as integers again where only `gaps` had made them floats."""
    import pandas as pd

    if isinstance(answer.dtype, pd.CategoricalDtype):
        answer = answer.astype(answer.dtype.categories.dtype)
    if pd.api.types.is_bool_dtype(answer):
        return answer.to_numpy(dtype=bool)
    if pd.api.types.is_integer_dtype(answer):
        return answer.to_numpy(dtype=np.int64)
    if pd.api.types.is_float_dtype(answer):
        numbers: Array = answer.to_numpy(dtype=np.float64)
        return numbers.astype(np.int64) if gaps and (numbers == np.rint(numbers)).all() else numbers
    return np.array([str(value) for value in answer])
