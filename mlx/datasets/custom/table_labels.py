"""The target's column of a table as labels: numbers, or names as they are written."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.datasets.custom.csv_files import MISSING
from mlx.datasets.custom.features import ambiguous_number, dates_among, first_of, is_text
from mlx.datasets.custom.targets import Task
from mlx.datasets.custom.written_numbers import MARKS, Mark, Marks, Written, mark_of, read_written, without_percent

if TYPE_CHECKING:
    import pandas as pd

_COUNT = re.compile(r"-?[1-9]\d{0,19}|0", re.ASCII)
_WHOLE_FLOAT = re.compile(r"(-?[1-9]\d{0,14}|-?0)\.0", re.ASCII)
_CODE = re.compile(r"[-+]?(0\d|\d+[eE]\d)|\+", re.ASCII)
"""Numbers in a form that may be a name: 007, 1E5, +1."""

_QUANTITY = re.compile(r"[.,% ']|[eE][-+]")


def table_labels(
    answer: "pd.Series[Any]", path: Path, *, task: Task | str, gaps: bool, marks: Marks, typed: bool
) -> Array:
    """Return the target, without rows where it is missing, as integers, floats, booleans or text.

    Text is a class's name as it is written, unless each is an integer in its usual form, or all are
    numbers and some has a fraction: ``001``, ``1E5`` and ``+1`` stay names.

    Parameters
    ----------
    task
        That the settings state: with ``classification`` fractions are names, too; with ``regression`` text has
        to be numbers.
    gaps
        Whether rows are missing: these make floats of a data frame's integers, which are made integers again.
    marks
        What is known of the decimal mark of the file.
    typed
        Whether the file declares the types of its columns, as Parquet does: then integers among them stay names.

    Raises
    ------
    DataError
        If it holds dates, lists or something else that is neither number nor text, numbers and words, or
        texts that only differ by blanks around them.
    SettingsError
        If its numbers can be read in two ways.
    """
    import pandas as pd

    if isinstance(answer.dtype, pd.CategoricalDtype):
        answer = answer.astype(answer.cat.categories.dtype)
    of_type = {"b": bool, "u": np.uint64, "i": np.int64, "f": np.float64}.get(answer.dtype.kind)
    if of_type is not None:
        return _whole_again(answer.to_numpy(dtype=of_type), gaps=gaps)
    if not is_text(answer):
        found = type(answer.iloc[0]).__name__ if answer.dtype == object else str(answer.dtype)
        raise DataError(f"{path}: expected numbers or text in column '{answer.name}', the target, found {found}")
    return _of_text(answer, path, task, marks, gaps=gaps, typed=typed)


def _whole_again(numbers: Array, *, gaps: bool) -> Array:
    whole = gaps and numbers.dtype.kind == "f" and (numbers == np.rint(numbers)).all()
    return numbers.astype(np.int64) if whole else numbers


def _of_text(
    answer: "pd.Series[Any]",
    path: Path,
    task: Task | str,
    marks: Marks,
    *,
    gaps: bool,
    typed: bool,
) -> Array:
    written = read_written(answer.tolist())
    stripped = {text: text.strip() for text in written.counts}
    if task != "regression" and not typed and all(map(_COUNT.fullmatch, stripped.values())):
        _reject_blanks(answer, stripped, path)
        integers = _integers([int(stripped[text]) for text in answer.tolist()])
        return np.array(answer.tolist(), dtype=str) if integers is None else integers
    floats = task != "regression" and not typed and (gaps or task == "classification")
    if floats and all(map(_WHOLE_FLOAT.fullmatch, stripped.values())):  # of integers, made by a data frame
        return _whole_again(np.array([float(text) for text in answer.tolist()]), gaps=True)
    if task != "classification":
        numbers = _quantities(answer, written, path, mark_of(written, marks), sure=task == "regression")
        if numbers is not None:
            return np.array([numbers[text] for text in answer.tolist()])
    _reject_blanks(answer, stripped, path)
    return np.array(answer.tolist(), dtype=str)


def _quantities(
    answer: "pd.Series[Any]", written: Written, path: Path, mark: Mark | None, *, sure: bool
) -> dict[str, float] | None:
    """Return each text as a number; None where they are names."""
    what = f"{path}: expected numbers{' for task regression' if sure else ''} in column '{answer.name}', the target"
    names = "" if sure else "; if these are names, set dataset.params.task: classification"
    if not sure and (dates := dates_among(written, len(answer))):
        row, word = first_of(answer, dates)
        raise DataError(f"{what}, found dates or times, such as {word!r} in {row}{names}")
    read = dict(written.read[mark or "."])
    words = written.counts.keys() - read.keys()
    numbers = written.read["."].keys() | written.read[","].keys()
    fractions = any(_QUANTITY.search(text.strip()) for text in numbers)
    codes = any(_CODE.match(text.strip()) for text in read) and not any("." in text or "," in text for text in read)
    if not sure and (not fractions or codes or written.share(*MARKS) < 0.5):
        return None
    if mark is None:
        raise ambiguous_number(written, str(answer.name), path)
    if bad := words or without_percent(read):
        row, word = first_of(answer, bad)
        raise DataError(f"{what}, found {word!r} in {row}{names}")
    return read


def _reject_blanks(answer: "pd.Series[Any]", stripped: dict[str, str], path: Path) -> None:
    """Reject labels that differ only by blanks around them, which are hardly two classes."""
    if len(set(stripped.values())) < len(stripped):
        seen: dict[str, str] = {}
        for text, plain in stripped.items():
            other = seen.setdefault(plain, text)
            if other != text:
                row, _ = first_of(answer, [text])
                raise DataError(
                    f"{path}: expected names that differ by more than blanks in column '{answer.name}', the target, "
                    f"found {other[:40]!r} and, in {row}, {text[:40]!r}"
                )


def _integers(values: list[int]) -> Array | None:
    """Return the values as an integer array; None where no integer type holds them."""
    low, high = min(values), max(values)
    if low >= -(2**63) and high < 2**63:
        return np.array(values, np.int64)
    return np.array(values, np.uint64) if low >= 0 and high < 2**64 else None


def missing_words(labels: Array) -> list[str]:
    """Return the names among text labels that elsewhere mean a missing value."""
    return sorted(set(MISSING) & set(map(str, np.unique(labels)))) if labels.dtype.kind == "U" else []
