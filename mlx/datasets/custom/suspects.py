"""Columns of a table that may leak the target: identifiers, row numbers, and copies of the target."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.custom.features import leave_out
from mlx.datasets.custom.table_files import Column

if TYPE_CHECKING:
    import pandas as pd

FEWEST_ROWS = 10
"""With fewer rows, a column may look like an identifier or a copy by chance."""


def id_columns(columns: Sequence[Column], table: "pd.DataFrame", path: Path) -> list[str]:
    """Return a line on each column of whole numbers or text with another value in each row, as ids have."""
    lines = []
    for column in columns:
        found = None if column.kind == "date" else _id_like(column, table[column.name])
        if found:
            lines.append(
                f"{path}: column '{column.name}' {found}, as an id or a row's number; if it is one, {leave_out()}: "
                "where rows are sorted by class it gives the class away"
            )
    return lines


def _id_like(column: Column, series: "pd.Series[Any]") -> str | None:
    import pandas as pd

    values = column.numbers
    n = len(values)
    whole = column.kind == "categorical" or bool((values == np.rint(values)).all())
    written_whole = not pd.api.types.is_float_dtype(series)
    if n < FEWEST_ROWS or not whole or len(np.unique(values)) < n:
        return None
    if column.kind != "categorical" and values.max() - values.min() == n - 1:
        return f"counts the rows from {values.min():.0f} to {values.max():.0f}"
    return "has another value in each row" if written_whole else None


def copies_of_target(columns: Sequence[Column], rows: Array, labels: Array, target: str, path: Path) -> list[str]:
    """Return a line on each copy of the target: a column with one value for each value of the target.

    Where the target's values occur less than twice each on average, only a column of the same numbers is a copy, as
    any two columns of distinct values match each other.

    Parameters
    ----------
    rows
        Which of the columns' rows the labels belong to, shape (samples,).
    labels
        The target, shape (samples,).
    """
    different, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    if len(labels) < FEWEST_ROWS or len(different) < 2:
        return []
    repeated = 2 * len(different) <= len(labels)
    return [
        f"{path}: column '{column.name}' has one value for each value of the target '{target}', as a copy of it; "
        f"if it is one, {leave_out()}: a model would only read the answer there"
        for column in columns
        if (_matches(column.numbers[rows], first, codes) if repeated else _equals(column, rows, labels))
    ]


def _matches(values: Array, first: Array, codes: Array) -> bool:
    """Whether each value goes with one label and each label with one value, from the first row of each label."""
    of_label = values[first]
    return len(np.unique(of_label)) == len(of_label) and np.array_equal(values, of_label[codes])


def _equals(column: Column, rows: Array, labels: Array) -> bool:
    return column.kind != "categorical" and labels.dtype.kind in "iuf" and np.array_equal(column.numbers[rows], labels)
