"""One schema per table: the writer, the reader, the check and the column reference are made from one type.

The type is a frozen dataclass. Each field that is a column is annotated with a `Column`:

    @dataclass(frozen=True, kw_only=True)
    class Slice:
        description: Annotated[str, Column("text", "conditions on factors")]
        error_rate: Annotated[float, Column("share", "share of wrong predictions")] = NAN

`RowSchema` is for a type of one row, `ArraySchema` for a type whose fields are whole columns. A field without a
`Column` is not written; a field with ``init=False`` is computed from the others, written, and not read.
"""

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE
from mlx.core.tables import Kind, check_columns

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

DTYPES: Mapping[Kind, str] = {"text": "str", "count": "int64", "label": "int64", "flag": "bool"}
"""What is written of each kind; the other kinds are ``float64``."""

WORDS: Mapping[Kind, str] = {
    "text": "text",
    "number": "number",
    "limit": "number, may be infinite",
    "share": "number from 0 to 1",
    "count": "integer of at least 0",
    "label": "class label",
    "flag": "true or false",
}


@dataclass(frozen=True)
class Column:
    """What a field is in its table.

    Attributes
    ----------
    kind
        What the column holds, as `mlx.core.tables.check_columns` checks it.
    meaning
        One sentence, lower case, without a full stop.
    name
        Name of the column; that of the field by default.
    dtype
        pandas dtype that is written; that of the kind by default.
    """

    kind: Kind
    meaning: str
    name: str = ""
    dtype: str = ""


@dataclass(frozen=True)
class _Field:
    """A column with the field that it belongs to: its attribute, its type, and whether the constructor takes it."""

    column: Column
    attribute: str
    type: Any
    optional: bool
    init: bool

    @property
    def name(self) -> str:
        return self.column.name or self.attribute

    @property
    def dtype(self) -> str:
        return self.column.dtype or DTYPES.get(self.column.kind, "float64")

    def written(self, value: Any) -> Any:
        """Return what stands in the table for a value."""
        return ("" if value is None else str(value)) if self.column.kind == "text" else value

    def read(self, cell: Any) -> Any:
        """Return the value that a cell of the table stands for; raises ValueError for an invalid one."""
        missing = cell is None or cell != cell  # NaN
        if self.column.kind == "text":
            cell, missing = "" if missing else str(cell), missing or cell == ""
        if missing and self.optional:
            return None
        if hasattr(self.type, "parse"):
            return self.type.parse(cell)
        return self.type(cell)


@dataclass(frozen=True)
class _Schema(Generic[T]):
    """What schemas of rows and of arrays share.

    Attributes
    ----------
    file
        Name of the file, such as ``"tests.csv"``.
    type
        The dataclass whose fields are the columns.
    meaning
        One sentence on the whole table.
    key
        Columns in which no two rows of a table that is read may agree; none where rows may be equal.
    filled
        Whether a table that is read has to have a row.
    """

    file: str
    type: type[T]
    meaning: str
    key: tuple[str, ...] = ()
    filled: bool = False

    @cached_property
    def _fields(self) -> tuple[_Field, ...]:
        hints = get_type_hints(self.type, include_extras=True)
        found = []
        for one in fields(self.type):  # type: ignore[arg-type]  # a dataclass, which type[T] can't say
            if get_origin(hints[one.name]) is not Annotated:
                continue
            held, *extras = get_args(hints[one.name])
            parts = get_args(held) if get_origin(held) in {Union, types.UnionType} else (held,)
            optional = type(None) in parts
            held = next(part for part in parts if part is not type(None)) if optional else held
            found += [_Field(extra, one.name, held, optional, one.init) for extra in extras if type(extra) is Column]
        return tuple(found)

    @property
    def name(self) -> str:
        """Name of the table: that of its file without the ending."""
        return self.file.rpartition(".")[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the file."""
        return tuple(field.name for field in self._fields)

    @property
    def text(self) -> tuple[str, ...]:
        """Names of the columns of text, which a reader must not take for numbers."""
        return tuple(field.name for field in self._fields if field.column.kind == "text")

    @property
    def kinds(self) -> dict[str, Kind]:
        """What each column holds."""
        return {field.name: field.column.kind for field in self._fields}

    @property
    def meanings(self) -> dict[str, str]:
        """What each column means, in one sentence."""
        return {field.name: field.column.meaning for field in self._fields}

    def check(self, path: Path, table: "pd.DataFrame", *, n_classes: int = 0) -> None:
        """Reject a table, read from `path`, that lacks a column or rows, or has values or rows that it can't have.

        Raises
        ------
        ArtifactError
            Names the column, and the first row at fault, from 0.
        """
        check_columns(path, table, self.kinds, n_classes=n_classes)
        check_rows(path, table, self.key, filled=self.filled)

    def reference(self) -> str:
        """Return the columns with their types and meanings as a table in Markdown."""
        lines = [f"| `{f.name}` | {WORDS[f.column.kind]} | {f.column.meaning} |" for f in self._fields]
        return "\n".join(["| column | type | meaning |", "|---|---|---|", *lines])


ALL = slice(None)
"""All rows of a table."""


class RowSchema(_Schema[T]):
    """Schema of a table of which one instance of ``type`` is one row."""

    def frame(self, rows: Iterable[T] = ()) -> "pd.DataFrame":
        """Build the table; without rows, its header alone."""
        import pandas as pd

        kept = list(rows)
        columns = {f: [f.written(getattr(row, f.attribute)) for row in kept] for f in self._fields}
        return pd.DataFrame({f.name: pd.Series(values, dtype=f.dtype) for f, values in columns.items()})

    def rows(self, path: Path, table: "pd.DataFrame", *, n_classes: int = 0, **given: Sequence[Any]) -> tuple[T, ...]:
        """Check a table that was read from `path`, and return its rows; `given` are fields that are no columns.

        Raises
        ------
        ArtifactError
            Names the column, and the first row at fault, from 0.
        """
        self.check(path, table, n_classes=n_classes)
        columns = {f.attribute: _read_column(path, table[f.name], f) for f in self._fields if f.init} | given
        return tuple(self.type(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True))


class ArraySchema(_Schema[T]):
    """Schema of a table of which ``type`` holds the columns, an array each; one that is None is left out."""

    def frame(self, columns: T | None = None, *, suffix: str = "", rows: slice = ALL) -> "pd.DataFrame":
        """Build the table, or some of its rows, with `suffix` after the names of its columns; a header without any."""
        import pandas as pd

        if columns is None:
            return pd.DataFrame({f.name: pd.Series([], dtype=f.dtype) for f in self._fields})
        arrays = {f.name + suffix: getattr(columns, f.attribute) for f in self._fields}
        return pd.DataFrame({name: array[rows] for name, array in arrays.items() if array is not None})

    def arrays(self, path: Path, table: "pd.DataFrame", *, suffix: str = "", n_classes: int = 0) -> T:
        """Check a table that was read from `path`, and return its columns.

        Raises
        ------
        ArtifactError
            Names the column, and the first row at fault, from 0.
        """
        read = [f for f in self._fields if f.init and not (f.optional and f.name + suffix not in table)]
        check_columns(path, table, {f.name + suffix: f.column.kind for f in read}, n_classes=n_classes)
        check_rows(path, table, self.key, filled=self.filled)
        return self.type(**{f.attribute: _array(table[f.name + suffix], f) for f in read})


def check_rows(path: Path, table: "pd.DataFrame", key: Sequence[str], *, filled: bool = True) -> None:
    """Reject a table in which two rows agree in all columns of `key`, or without rows where it has to be `filled`.

    Raises
    ------
    ArtifactError
        Names the first row that repeats another, from 0.
    """
    if filled and not len(table):
        raise ArtifactError(f"{path}: expected at least one row, found none{REMAKE}")
    repeated = np.flatnonzero(table.duplicated(list(key))) if key else np.array([])
    if repeated.size:
        words = ", ".join(f"{name} {table[name].iloc[int(repeated[0])]}" for name in key)
        raise ArtifactError(f"{path}: row {repeated[0]}: expected one row of {words[:100]}, found a second{REMAKE}")


def _read_column(path: Path, column: "pd.Series[Any]", field: _Field) -> Sequence[Any]:
    values = []
    for row, cell in enumerate(column):
        try:
            values.append(field.read(None if cell is getattr(column.dtype, "na_value", None) else cell))
        except ValueError:
            known = f"one of {', '.join(field.type)}" if issubclass(field.type, StrEnum) else WORDS[field.column.kind]
            known = "a status of this version" if hasattr(field.type, "parse") else known
            found = f"expected {known}, found {str(cell)[:60]}"
            raise ArtifactError(f"{path}: row {row}: {field.name}: {found}{REMAKE}") from None
    return values


def _array(column: "pd.Series[Any]", field: _Field) -> np.ndarray[tuple[int, ...], np.dtype[Any]]:
    if field.column.kind == "text":
        return column.fillna("").astype(str).to_numpy(dtype=object)
    return column.to_numpy(dtype=None if field.dtype == "int64" else field.dtype)
