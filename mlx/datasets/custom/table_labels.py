"""The target's column of a table as labels: numbers, or names as they are written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.core.invisible import visible
from mlx.datasets.custom.features import ambiguous_number, dates_among
from mlx.datasets.custom.table_files import Table
from mlx.datasets.custom.targets import UNIQUE_ROWS, Task, different
from mlx.datasets.custom.written_cells import MISSING
from mlx.datasets.custom.written_numbers import MARKS, Mark, Marks, Written, mark_of, read_written, without_percent

_COUNT = re.compile(r"-?[1-9]\d{0,19}|0", re.ASCII)
_WHOLE_FLOAT = re.compile(r"(-?[1-9]\d{0,14}|-?0)\.0", re.ASCII)
_CODE = re.compile(r"[-+]?(0\d|\d+[eE]\d)|\+", re.ASCII)
"""Numbers in a form that may be a name: 007, 1E5, +1."""

_QUANTITY = re.compile(r"[.,% ']|[eE][-+]")


@dataclass(frozen=True)
class Labels:
    """The target of n samples.

    Attributes
    ----------
    values
        Integers, floats, booleans or text: of each sample (n,), or the different ones where there are `codes`.
    codes
        Which of the `values` each sample has, (n,) int32; None for floats, and where hardly any value repeats.
    """

    values: Array
    codes: Array | None = None

    @property
    def n(self) -> int:
        """How many samples there are."""
        return len(self.values if self.codes is None else self.codes)


def coded(values: Array) -> Labels:
    """Return numbers or booleans (n,) as their different values and codes, where they repeat."""
    found = different(values)
    if 2 * len(found) > len(values):
        return Labels(values)
    codes = np.empty(len(values), np.int32)
    for first in range(0, len(values), UNIQUE_ROWS):
        codes[first : first + UNIQUE_ROWS] = np.searchsorted(found, values[first : first + UNIQUE_ROWS])
    return Labels(found, codes)


def table_labels(table: Table, name: str, known: Array, *, task: Task | str, marks: Marks) -> Labels:
    """Return the target of the rows that are `known` (n_rows,), as integers, floats, booleans or text.

    Text is a class's name as it is written, unless each is an integer in its usual form, or all are
    numbers and some has a fraction: ``001``, ``1E5`` and ``+1`` stay names. Where the file declares the types of its
    columns, integers among text stay names, too.

    Parameters
    ----------
    task
        That the settings state: with ``classification`` fractions are names, too; with ``regression`` text has
        to be numbers.
    marks
        What is known of the decimal mark of the file.

    Raises
    ------
    DataError
        If it holds dates, lists or something else that is neither number nor text, numbers and words, or
        texts that differ only in blanks or invisible characters.
    SettingsError
        If its numbers can be read in two ways.
    """
    raw, gaps = table.columns[name], not known.all()
    fault = raw.fault or ("dates or times" if raw.kind == "times" else "")
    if fault:
        raise DataError(f"{table.path}: expected numbers or text in column '{name}', the target, found {fault}")
    if raw.kind == "integers":
        return coded(_kept(raw.integers(table.cells), known))
    values = _kept(raw.numbers(table.cells), known)
    if raw.kind == "booleans":
        return coded(values == 1)
    if raw.kind == "numbers":
        if mark_of(raw.seen, marks) is None:
            raise ambiguous_number(raw.seen, name, table.path)
        numbers = _whole_again(values, gaps=gaps)
        return Labels(numbers) if numbers.dtype.kind == "f" else coded(numbers)
    of_text = _of_text(table, name, task, marks, gaps=gaps)
    codes = values.astype(np.int32)
    if of_text.dtype.kind == "U":
        return Labels(of_text, codes)
    return Labels(of_text[codes]) if of_text.dtype.kind == "f" else coded(of_text[codes])


def _kept(values: Array, known: Array) -> Array:
    return values if known.all() else values[known]


def _whole_again(numbers: Array, *, gaps: bool) -> Array:
    """Return integers that a data frame made floats of, as it does beside gaps, as integers."""
    whole = gaps and (numbers == np.rint(numbers)).all()
    return numbers.astype(np.int64) if whole else numbers


def _of_text(table: Table, name: str, task: Task | str, marks: Marks, *, gaps: bool) -> Array:
    """Return what each of the different texts stands for."""
    texts = table.columns[name].texts
    written = read_written(table.texts(name))
    stripped = {text: text.strip() for text in texts}
    if task != "regression" and not table.typed and all(map(_COUNT.fullmatch, stripped.values())):
        _reject_look_alikes(table, name, texts)
        integers = _integers([int(text) for text in stripped.values()])
        return np.array(texts, dtype=str) if integers is None else integers
    floats = task != "regression" and not table.typed and (gaps or task == "classification")
    if floats and all(map(_WHOLE_FLOAT.fullmatch, stripped.values())):  # of integers, made by a data frame
        return _whole_again(np.array([float(text) for text in texts]), gaps=True)
    if task != "classification":
        numbers = _quantities(table, name, written, mark_of(written, marks), sure=task == "regression")
        if numbers is not None:
            return np.array([numbers[text] for text in texts])
    _reject_look_alikes(table, name, texts)
    return np.array(texts, dtype=str)


def _quantities(table: Table, name: str, written: Written, mark: Mark | None, *, sure: bool) -> dict[str, float] | None:
    """Return each text as a number; None where they are names."""
    what = f"{table.path}: expected numbers{' for task regression' if sure else ''} in column '{name}', the target"
    names = "" if sure else "; if these are names, set dataset.params.task: classification"
    if not sure and (dates := dates_among(written)):
        row, word = table.first_of(name, dates)
        raise DataError(f"{what}, found dates or times, such as {word!r} in {row}{names}")
    read = dict(written.read[mark or "."])
    words = written.counts.keys() - read.keys()
    numbers = written.read["."].keys() | written.read[","].keys()
    fractions = any(_QUANTITY.search(text.strip()) for text in numbers)
    codes = any(_CODE.match(text.strip()) for text in read) and not any("." in text or "," in text for text in read)
    if not sure and (not fractions or codes or written.share(*MARKS) < 0.5):
        return None
    if mark is None:
        raise ambiguous_number(written, name, table.path)
    if bad := words or without_percent(read):
        row, word = table.first_of(name, bad)
        raise DataError(f"{what}, found {word!r} in {row}{names}")
    return read


def _reject_look_alikes(table: Table, name: str, texts: Sequence[str]) -> None:
    """Reject labels that differ only in blanks and invisible characters, which are hardly two classes."""
    seen: dict[str, str] = {}
    for text in texts:
        other = seen.setdefault(visible(text), text)
        if other != text:
            row, _ = table.first_of(name, [text])
            raise DataError(
                f"{table.path}: expected names that differ by more than blanks and invisible characters in column "
                f"'{name}', the target, found {other[:40]!r} and, in {row}, {text[:40]!r}"
            )


def _integers(values: list[int]) -> Array | None:
    """Return the values as an integer array; None where no integer type holds them."""
    low, high = min(values), max(values)
    if low >= -(2**63) and high < 2**63:
        return np.array(values, np.int64)
    return np.array(values, np.uint64) if low >= 0 and high < 2**64 else None


def missing_words(labels: Array) -> list[str]:
    """Return the names among the different text labels that elsewhere mean a missing value."""
    return sorted(set(MISSING) & set(map(str, labels))) if labels.dtype.kind == "U" else []
