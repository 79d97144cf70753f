"""Checks the columns of a table that was read from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "number", "limit", "share", "count", "label", "flag"]
"""What a column holds. A number, limit (a number that may be infinite) or share (from 0 to 1) may be missing in a row;
a count (an integer of at least 0), a label (of a class) and a flag may not; of text anything is."""

WORDS: Mapping[Kind, str] = {
    "number": "finite numbers",
    "limit": "numbers",
    "share": "numbers from 0 to 1",
    "count": "integers of at least 0",
    "label": "class labels",
    "flag": "true or false",
}


def check_columns(path: Path, table: "pd.DataFrame", kinds: Mapping[str, Kind], *, n_classes: int = 0) -> None:
    """Reject a table that lacks a column, or has values in one that it can't hold.

    `kinds` are those of the columns that are used; labels have to be below `n_classes`. The table was read from
    `path`.

    Raises
    ------
    ArtifactError
        Names the column, and the first row at fault, from 0.
    """
    for name, kind in kinds.items():
        if name not in table:
            raise ArtifactError(f"{path}: expected a column '{name}', found {', '.join(map(str, table))[:200]}{REMAKE}")
        if kind == "text":
            continue
        wrong = np.flatnonzero(_wrong(table[name], kind, n_classes))
        if wrong.size:
            found = table[name].iloc[int(wrong[0])]
            words = f"{WORDS[kind]} below {n_classes}" if kind == "label" else WORDS[kind]
            raise ArtifactError(f"{path}: row {wrong[0]}: {name}: expected {words}, found {str(found)[:60]}{REMAKE}")


def _wrong(column: "pd.Series", kind: Kind, n_classes: int) -> Array:
    """Return for each row whether its value is not of `kind`."""
    dtype = column.dtype
    if kind == "flag":
        return np.full(len(column), dtype != np.dtype(bool))
    if not (isinstance(dtype, np.dtype) and dtype.kind in ("iu" if kind in {"count", "label"} else "iuf")):
        import pandas as pd

        required = kind in {"count", "label"}
        wrong = pd.to_numeric(column, errors="coerce").isna() & (column.notna() | required)  # the first, if any
        every = np.ones(len(column), bool)
        return np.asarray(wrong) if wrong.any() else every & (required or column.notna().any())
    values: Array = column.to_numpy()
    with np.errstate(invalid="ignore"):
        if kind == "number":
            return np.isinf(values)
        if kind == "share":
            return np.asarray((values < 0) | (values > 1))
        if kind == "limit":
            return np.zeros(len(values), bool)
        return np.asarray((values < 0) | (values >= n_classes if kind == "label" else False))
