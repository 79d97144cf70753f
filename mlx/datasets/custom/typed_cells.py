"""Cells whose type the file declares, such as those of a Parquet file: integers, floats, times, categories, text."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.custom.cells import GAP, Kind, RawColumn, Texts, as_floats

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Unusable:
    """A block of cells that are neither numbers nor text: how many, and what was found."""

    n: int
    fault: str

    def __len__(self) -> int:
        return self.n


class TypedCells:
    """Learns what a column of a declared type is; one of lists, of durations and the like is ``other``."""

    def __init__(self, *, decode: bool, most_texts: int | None) -> None:
        self.decode = decode
        self.kind: Kind = "none"
        self.fault = ""
        self._texts = Texts(most_texts)
        self._declared = False
        self._integer_blocks = 0

    def add(self, cells: "pa.Array | Unusable") -> Array:
        """Return a block of cells (rows,)."""
        if isinstance(cells, Unusable):
            self.kind, self.fault = "other", self.fault or cells.fault
            return np.full(len(cells), np.nan)
        kind: Kind = "none"
        values: Any = None
        if cells.null_count < len(cells):
            kind, values = self._values(cells)
        self.kind = self._joined(kind)
        if self.kind == "text":
            return self._texts.add(values) if kind == "text" else np.full(len(cells), np.nan)
        if kind == "none" or self.kind == "other":
            values = np.full(len(cells), GAP)
        if values.dtype == np.int64 and self.kind in {"none", "integers", "times"}:
            self._integer_blocks += 1
            return np.asarray(values)
        return as_floats(values)

    def column(self, name: str, place: int) -> RawColumn:
        """Return what the column is, all blocks seen."""
        if self.kind == "text":
            return self._texts.column(name, place, self._integer_blocks, declared=self._declared)
        whole = self.kind == "integers"
        return RawColumn(name, place, self.kind, self._integer_blocks, whole=whole, fault=self.fault)

    def _joined(self, kind: Kind) -> Kind:
        """Return what blocks of the kind so far and of `kind` are together."""
        if "none" in {kind, self.kind}:
            return self.kind if kind == "none" else kind
        if {kind, self.kind} == {"integers", "numbers"}:
            return "numbers"
        if kind != self.kind:
            self.fault = self.fault or f"{_NAMES[self.kind]} and {_NAMES[kind]}"
        return kind if kind == self.kind else "other"

    def _values(self, cells: "pa.Array") -> tuple[Kind, Any]:
        """Return the kind of a block with values, and these: int64, float64, or an array of text."""
        import pyarrow as pa

        found, types = cells.type, pa.types
        if types.is_dictionary(found):
            if self.decode or types.is_null(found.value_type):
                return self._values(cells.dictionary_decode())
            self._declared = True
            return "text", _texts_of_categories(cells)
        if types.is_boolean(found):
            return "booleans", _floats(cells.cast(pa.int8()))
        if types.is_integer(found):
            return self._whole(cells)
        if types.is_floating(found):
            return "numbers", _floats(cells)
        if types.is_decimal(found):
            return _decimals(cells.to_pylist())
        if types.is_timestamp(found) or types.is_date(found):
            times = cells.cast(pa.timestamp("us", getattr(found, "tz", None)), safe=False)
            return "times", times.cast(pa.int64()).fill_null(GAP).to_numpy()
        if types.is_binary(found) or types.is_large_binary(found) or types.is_fixed_size_binary(found):
            return self._decoded(cells)
        if types.is_string(found) or types.is_large_string(found) or types.is_string_view(found):
            return "text", cells
        self.fault = self.fault or _type_name(cells)
        return "other", None

    def _whole(self, cells: "pa.Array") -> tuple[Kind, Any]:
        """Return integers as int64; larger ones as text where each has to stay what it is, else as float64."""
        import pyarrow as pa

        try:
            return "integers", cells.cast(pa.int64()).fill_null(GAP).to_numpy()
        except pa.ArrowInvalid:
            return ("text", cells.cast(pa.string())) if self.decode else ("numbers", _floats(cells))

    def _decoded(self, cells: "pa.Array") -> tuple[Kind, Any]:
        import pyarrow as pa

        try:
            return "text", cells.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            self.fault = "other bytes than text in UTF-8"
            return "other", None


_NAMES: dict[Kind, str] = {
    "integers": "numbers",
    "numbers": "numbers",
    "booleans": "true or false",
    "times": "times",
    "text": "text",
    "other": "other values",
}


def _type_name(cells: "pa.Array") -> str:
    return type(cells.drop_null()[0].as_py()).__name__


def _floats(cells: "pa.Array") -> Array:
    import pyarrow as pa

    values: Array = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def _decimals(values: list[Decimal | None]) -> tuple[Kind, Array]:
    """Return decimals without digits after the point as integers where these hold them, others as floats."""
    present = [value for value in values if value is not None]
    limits = np.iinfo(np.int64)
    if all(v.is_finite() and v.as_tuple().exponent >= 0 and limits.min < v <= limits.max for v in present):  # type: ignore[operator]
        return "integers", np.array([GAP if value is None else int(value) for value in values], np.int64)
    return "numbers", np.array([np.nan if value is None else float(value) for value in values])


def _texts_of_categories(cells: "pa.Array") -> "pa.Array":
    import pyarrow as pa

    texts = cells.dictionary.cast(pa.string())
    return pa.DictionaryArray.from_arrays(cells.indices, texts)


def as_written(cells: "pa.Array | Unusable") -> "pa.Array | Unusable":
    """Return cells as a text file would hold them: numbers, times and truth values in text."""
    import pyarrow as pa

    if isinstance(cells, Unusable):
        return cells
    found, types = cells.type, pa.types
    if types.is_dictionary(found):
        return as_written(cells.dictionary_decode())
    if types.is_timestamp(found):
        cells = cells.cast(pa.timestamp("us", found.tz), safe=False)
    try:
        return cells.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return Unusable(len(cells), _type_name(cells) if cells.null_count < len(cells) else str(found))
