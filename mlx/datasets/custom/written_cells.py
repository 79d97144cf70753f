"""Cells of a text file, such as a CSV, as numbers where all cells of a column are numbers, else as text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.custom.cells import GAP, Kind, RawColumn, Texts, as_floats
from mlx.datasets.custom.written_numbers import MARKS, Mark, Seen, means_missing, number

if TYPE_CHECKING:
    import pyarrow as pa

MISSING_TARGETS = ("", "NaN", "nan")  # a class may well be named "None" or "NA"
MISSING = (*MISSING_TARGETS, "NA", "N/A", "n/a", "#N/A", "<NA>", "-nan", "NULL", "null", "None")

Accepts = Literal["numbers", "plain", "integers"]
"""Which texts become numbers: all that are numbers; those whose text follows from their value, with fractions or
without, as ``001`` and ``1E5`` may be names."""

_DIGITS = "(0|[1-9][0-9]{0,17})"
_EXPONENT = "([eE][-+][0-9]+)?"
_PLAIN = rf"^(-?{_DIGITS}[.]([0-9]*[1-9][0-9]*|0){_EXPONENT}|-?[1-9][0-9]{{0,17}}{_EXPONENT}|0)$"
_INTEGER = r"^[-+]?[0-9]+$"
_GROUPED: dict[Mark, str] = {
    mark: rf"^[-+]?[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}([eE][-+]?[0-9]+)?$" for mark in (".", ",")
}
"""Where `mark` may group thousands as well as divide off a fraction."""

_BLANKS = " \t"


def accepted(roles: Mapping[str, str]) -> dict[str, Accepts]:
    """Return which texts of columns with a role become numbers: an order may have fractions."""
    return {name: "plain" if role == "order" else "integers" for name, role in roles.items()}


class WrittenCells:
    """Learns what a column of text is.

    Attributes
    ----------
    conflict
        Whether blocks were stored as numbers before text came, so that it has to be read again as text.
    odd
        The row, from 0, and text of the first cell that is no number among others that are.
    """

    def __init__(self, accepts: Accepts, *, as_text: bool, most_texts: int | None) -> None:
        self.accepts = accepts
        self.kind: Kind = "text" if as_text else "none"
        self.conflict = False
        self.odd: tuple[int, str] | None = None
        self._rows = 0
        self._texts = Texts(most_texts)
        self._whole = True
        self._integer_blocks = 0
        self._read: Mark | None = None
        self._only: set[Mark] = set()
        self._ambiguous: str | None = None

    def add(self, cells: "pa.Array") -> Array:
        """Return a block of cells (rows,): int64, or float64 from the first block that needs it."""
        if self.kind != "text":
            found = self._numbers(cells)
            if found is not None:
                self._rows += len(cells)
                return found
            self.conflict = self.kind != "none"
            self.kind = "text"
            self.odd = _first_odd(cells, self._rows) if self.conflict else None
        self._rows += len(cells)
        return self._texts.add(_without_blanks(cells) if self.accepts == "numbers" else cells)

    def column(self, name: str, place: int) -> RawColumn:
        """Return what the column is, all blocks seen."""
        if self.kind == "text":
            return self._texts.column(name, place, self._integer_blocks, declared=False)
        seen = Seen(self._read, frozenset(self._only), self._ambiguous)
        return RawColumn(name, place, self.kind, self._integer_blocks, whole=self._whole, seen=seen)

    def _numbers(self, cells: "pa.Array") -> Array | None:
        if cells.null_count == len(cells):
            return self._stored(np.full(len(cells), GAP))
        if self.accepts == "numbers":
            return self._any_numbers(cells)
        integers = _integers(cells)
        if integers is not None and cells.equals(integers.cast(cells.type)):
            self.kind = "integers" if self.kind == "none" else self.kind
            return self._stored(integers.fill_null(GAP).to_numpy())
        return self._with_point(cells) if self.accepts == "plain" and _all_match(cells, _PLAIN) else None

    def _any_numbers(self, cells: "pa.Array") -> Array | None:
        tidy = cells
        values = _floats(cells)
        if values is None:
            tidy = _tidied(cells)
            if tidy.null_count == len(tidy):
                return self._stored(np.full(len(cells), GAP))
            values = _floats(tidy)
        if values is None:
            return self._with_comma(tidy)
        if (integers := self._whole_numbers(tidy, values)) is not None:
            return self._stored(integers)
        return self._with_point(tidy, values)

    def _whole_numbers(self, cells: "pa.Array", values: Array) -> Array | None:
        """Return the values as int64 where all are written so; None where some are not, or are too large."""
        if not self._whole or not (np.isnan(values) | (values == np.rint(values))).all():
            self._whole = False
            return None
        found = _integers(cells)
        if found is None:
            found = _integers(_tidied(cells))
        if found is None:
            self._whole = _all_match(cells, _INTEGER)
            return None
        self.kind = "integers" if self.kind == "none" else self.kind
        return found.fill_null(GAP).to_numpy()  # type: ignore[no-any-return]

    def _with_point(self, cells: "pa.Array", values: Array | None = None) -> Array | None:
        values = _floats(cells) if values is None else values
        if values is None or not self._one_mark(cells, "."):
            return None
        self.kind = "numbers"
        return self._stored(values)

    def _with_comma(self, cells: "pa.Array") -> Array | None:
        import pyarrow.compute as pc

        if pc.any(pc.match_substring(cells, ".")).as_py():
            return None
        values = _floats(pc.replace_substring(cells, ",", ".", max_replacements=1))
        if values is None or not self._one_mark(cells, ","):
            return None
        self._whole, self.kind = False, "numbers"
        return self._stored(values)

    def _one_mark(self, cells: "pa.Array", mark: Mark) -> bool:
        """Return whether `mark` can be that of the column; learn which cells need it."""
        import pyarrow.compute as pc

        if self._read == mark and mark in self._only:
            return True
        fractions = cells.filter(pc.match_substring(cells, mark))
        if not len(fractions):
            return True
        if self._read not in {None, mark}:
            return False
        self._read = mark
        grouped = pc.match_substring_regex(fractions, _GROUPED[mark])
        if not pc.all(grouped).as_py():
            self._only.add(mark)
        if self._ambiguous is None and pc.any(grouped).as_py():
            self._ambiguous = fractions.filter(grouped)[0].as_py()
        return True

    def _stored(self, values: Array) -> Array:
        """Return integers as they are while no block of floats came before them, else as floats."""
        if values.dtype == np.int64 and self.kind in {"none", "integers"}:
            self._integer_blocks += 1
            return values
        return as_floats(values)


def _floats(cells: "pa.Array") -> Array | None:
    """Return the texts as float64, NaN where they are missing; None where one is no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        values: Array = cells.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    nan = np.isnan(values)
    if int(nan.sum()) > cells.null_count:  # "-nan" is a missing number, "nan(5)" is text
        words = cells.filter(pa.array(nan)).drop_null()
        if not pc.all(pc.is_in(pc.ascii_lower(words), pa.array(["nan", "-nan", "+nan"]))).as_py():
            return None
    return values


def _integers(cells: "pa.Array") -> "pa.Array | None":
    import pyarrow as pa

    try:
        found = cells.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    return None if (found.to_numpy(zero_copy_only=False) == GAP).any() else found


def _without_blanks(cells: "pa.Array") -> "pa.Array":
    """Return texts without blanks around them, missing where nothing is left."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(cells)
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, cells.type), cells)


def _tidied(cells: "pa.Array") -> "pa.Array":
    """Return texts without blanks around them and plus signs, missing where they say so."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.ascii_trim(cells, characters=_BLANKS)
    cells = pc.if_else(pc.is_in(cells, pa.array(MISSING)), pa.scalar(None, cells.type), cells)
    return pc.replace_substring_regex(cells, r"^\+([0-9.])", r"\1")


def _first_odd(cells: "pa.Array", first: int) -> tuple[int, str] | None:
    """Return the row of the first cell that is a number with neither mark, counted from `first`, and its text."""
    odd = (
        (row, text)
        for row, text in enumerate(cells.to_pylist(), first)
        if text is not None and not means_missing(text) and all(number(text, mark) is None for mark in MARKS)
    )
    return next(odd, None)


def _all_match(cells: "pa.Array", pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(cells, pattern), skip_nulls=True, min_count=0).as_py())
