"""Arrays as they are given, in memory or in a file, as rows that can be read from front to back."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.core.paths import what_is
from mlx.datasets.custom.array_files import ArrayFile, open_npy, open_npz
from mlx.datasets.custom.formats import TABLE_SUFFIXES, suffix_of
from mlx.datasets.custom.rows import MemoryRows, Rows
from mlx.received.tables import one_line, read_array_table

MAGIC = b"\x93NUMPY"
FORMS = ".npy, .npz, .csv, .tsv, .json, .jsonl, .parquet or .feather"
BRAIN_FLOAT = "bfloat16"
"""A type of 16 bits with the exponents of float32, in which networks are evaluated."""
FEWEST_ROWS = 10
"""With fewer rows, numbers may be consecutive by chance."""


def columns_of(rows: Rows) -> tuple[str, ...]:
    """Return the names of a table's columns; none for other arrays, and where they only count the columns."""
    names = rows.columns if isinstance(rows, MemoryRows) else ()
    return () if names == tuple(map(str, range(len(names)))) else names


def counting_columns(rows: Rows) -> list[str]:
    """Return the names of a table's columns that hold each of n consecutive whole numbers, as ids and indices do."""
    if not isinstance(rows, MemoryRows) or len(rows.columns) < 2 or len(rows.values) < FEWEST_ROWS:
        return []
    return [name for name, values in zip(rows.columns, rows.values.T, strict=True) if _counts(values)]


def _counts(values: Array) -> bool:
    ordered = np.sort(values)
    return bool(ordered[0] == np.rint(ordered[0]) and (np.diff(ordered) == 1).all())


def read_rows(given: Any, what: str, *, kind: str, n: int | None = None, labels: bool = False) -> Rows:
    """Take an array, or the name of a file that holds one, without reading a ``.npy`` file's values.

    Parameters
    ----------
    given
        An array, list, data frame or tensor, or a path: ``.npy``; ``.npz`` with one array or one named `kind`;
        ``.csv`` with or without a header, and other tables.
    what
        What it is called where it is given, for messages.
    kind
        What it is, such as ``probabilities``.
    n
        How many rows there have to be, where that is known: it tells a header of a CSV file from a row.
    labels
        Whether they are labels, which may be text and keep their form in a table.

    Raises
    ------
    DataError
        It is no array of numbers or text, or holds Python objects, or the file is damaged.
    OSError
        The file can't be opened.
    """
    if isinstance(given, str | os.PathLike):
        return _from_file(Path(given), kind, n, labels=labels)
    columns = getattr(given, "columns", ())  # of a data frame
    return MemoryRows(array_of(given, what), what, tuple(map(str, columns)))


def _from_file(path: Path, kind: str, n: int | None, *, labels: bool) -> Rows:
    if not path.is_file():  # opening a pipe would block
        raise DataError(f"{path}: expected {kind} in a file, found {what_is(path)}")
    suffix = suffix_of(path)
    if suffix == ".npz":
        return _member(path, kind)
    if suffix in TABLE_SUFFIXES:
        values, columns = read_array_table(path, n=n, labels=labels)
        return MemoryRows(values, str(path), columns)
    if suffix != ".npy":
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
        if start != MAGIC:
            raise DataError(f"{path}: expected {kind} in a file ending in {FORMS}, found another")
    return open_npy(path)


def _member(path: Path, kind: str) -> ArrayFile:
    with path.open("rb"):  # which says what is wrong with a file that can't be opened
        arrays = open_npz(path)
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    if kind in arrays:
        return arrays[kind]
    found = ", ".join(sorted(arrays)[:5]) + (", …" if len(arrays) > 5 else "") or "none"
    raise DataError(f"{path}: expected one array, or one of the name '{kind}', found {found}")


def array_of(given: Any, what: str) -> Array:
    """Return what is in memory as an array of numbers, truth values, text or bytes, in the machine's byte order.

    Raises
    ------
    DataError
        NumPy can't read it, or it holds other objects, or values are missing or masked.
    """
    if hasattr(given, "tocsr"):
        raise DataError(f"{what}: expected a dense array, found a sparse one; give {what}.toarray()")
    if hasattr(given, "detach"):  # a tensor of PyTorch, which NumPy reads without its gradient and off the device
        given = given.detach().cpu()
        given = (
            given.float() if str(getattr(given, "dtype", "")) == f"torch.{BRAIN_FLOAT}" else given
        )  # which NumPy lacks
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        raise DataError(f"{what}: expected a value in each row, found masked ones")
    try:
        array = np.from_dlpack(given) if _only_dlpack(given) else np.asarray(given)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise DataError(f"{what}: expected an array, found {type(given).__name__} ({one_line(error)})") from None
    if isinstance(given, list | tuple) and array.dtype.kind in "US":  # NumPy made texts of all that is in it
        array = np.asarray(given, dtype=object)
    if array.dtype.name == BRAIN_FLOAT:  # of JAX and TensorFlow
        array = array.astype(np.float32)
    if array.dtype.kind == "O" or array.dtype.kind == "T":
        array = _plain(array, what)
    if array.dtype.kind not in "biufUS":
        raise DataError(f"{what}: expected numbers or text, found {array.dtype}")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype(np.float64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _only_dlpack(given: Any) -> bool:
    return hasattr(given, "__dlpack__") and not hasattr(given, "__array__")


def _plain(array: Array, what: str) -> Array:
    """Return an array of Python's numbers or texts, such as a column of pandas, as one of NumPy's."""
    values = array.ravel().tolist()
    for row, value in enumerate(values):
        if value is None or value != value or type(value).__name__ in {"NAType", "NaTType"}:  # a NaN
            raise DataError(f"{what}: row {row}: expected a value, found a missing one")
        if not isinstance(value, str | bytes | bool | int | float | np.generic):
            raise DataError(f"{what}: row {row}: expected a number or a text, found {type(value).__name__}")
    kinds = {"text" if isinstance(value, str | bytes) else "number" for value in values}
    if len(kinds) > 1:
        raise DataError(f"{what}: expected numbers or texts, found both")
    plain = np.array(values).reshape(array.shape)
    if plain.dtype.kind == "O":
        raise DataError(f"{what}: expected numbers of at most 64 bits, found larger ones")
    return plain
