"""The names of a table's columns: each once, without the index of a data frame."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.errors import DataError
from mlx.core.invisible import visible

if TYPE_CHECKING:
    import pandas as pd

    from mlx.datasets.custom.cells import RawColumn
    from mlx.datasets.custom.table_files import Table

NAMELESS = re.compile(r"\s*|Unnamed: \d+(_level_\d+)?(\.\d+)*|__index_level_\d+__")
"""The name above an index: none, pandas' placeholder for none, or its name in a Parquet file."""


def reject_equal_names(names: Sequence[str], path: Path) -> None:
    """Reject two columns of one name, or of names that look the same.

    Readers rename the second of two columns (``y.1``), which would turn a second target into a feature.

    Raises
    ------
    DataError
        Names the first such column and its places in the header.
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names, 1):
        if name.strip():
            places.setdefault(_normalized(name), []).append(place)
    for name, found in places.items():
        if len(found) > 1:
            same = len({names[place - 1] for place in found}) == 1
            alike = (
                ""
                if same
                else " whose names differ only in blanks, invisible characters or the encoding of a character"
            )
            listed = " and ".join(map(str, found[:3])) + (", …" if len(found) > 3 else "")
            raise DataError(
                f"{path}: expected one column '{name}', found {len(found)}{alike} (columns {listed} of the table); "
                "rename or remove one"
            )


def as_requested(names: Sequence[str], wanted: Collection[str]) -> list[str]:
    """Return the names, those that the settings request in the spelling of the settings.

    A header of ``x, y`` has a column " y", and an é may be one character or two, which nobody can see;
    `reject_equal_names` ensures that no other column has that name.
    """
    asked = {_normalized(name): name for name in wanted if name not in names}
    return [asked.get(_normalized(name), name) for name in names]


def _normalized(name: str) -> str:
    return unicodedata.normalize("NFC", visible(name))


def without_index(table: "Table", wanted: Collection[str]) -> "tuple[list[RawColumn], list[str]]":
    """Return the columns without the index that was written with them, and a line on each column left out.

    An index is a nameless column that has a whole number or a text in each row, none twice: it counts
    rows, and where rows are sorted by class it gives the class away.

    Parameters
    ----------
    wanted
        Names that the settings ask for; these columns stay.

    Raises
    ------
    DataError
        If another column has no name.
    """
    kept, left_out = [], []
    for key, column in table.columns.items():
        name, number = column.name, column.place + 1
        if not NAMELESS.fullmatch(name) or name in wanted:
            kept.append(column)
        elif column.kind == "none":
            left_out.append(f"{table.path}: left out column {number}, which has neither a name nor values")
        elif _is_index(values := table.series(key)):
            title = f" ('{name}')" if name.strip() else ""
            left_out.append(
                f"{table.path}: left out column {number}{title}, an index without a name ({_first(values)}); to use "
                "it, give it a name"
            )
        elif name.strip():
            kept.append(column)
        else:
            raise DataError(
                f"{table.path}: expected a name above each column, found none above column {number} "
                f"({_first(values)}); name or remove it"
            )
    return kept, left_out


def _is_index(values: "pd.Series[Any]") -> bool:
    import pandas as pd

    if values.isna().any() or not values.is_unique:
        return False
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype=np.float64)
        return bool((numbers == np.rint(numbers)).all())
    return bool(values.map(lambda value: isinstance(value, str)).all())


def _first(values: "pd.Series[Any]") -> str:
    return ", ".join(str(value)[:20] for value in values[:3]) + (", …" if len(values) > 3 else "")
