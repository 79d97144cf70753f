"""Arrays in ``.npy`` and ``.npz`` files, described by their headers and read from front to back.

Nothing is unpickled: an array of Python objects is rejected by its header, before its values are read.
Format: NumPy Enhancement Proposal 1.
"""

import io
import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import rows_of
from mlx.core.errors import DataError
from mlx.core.paths import what_is
from mlx.core.reading import pass_on
from mlx.datasets.custom.rows import CHUNK_BYTES
from mlx.datasets.dataset import IN_MEMORY_LIMIT

LONGEST_HEADER = 1 << 16
LARGEST_ROW = 1 << 28
"""In bytes; a row is the least that is read at once."""

_DAMAGED = (
    ValueError, TypeError, OSError, EOFError, zlib.error, zipfile.BadZipFile,
    tokenize.TokenError, SyntaxError, RecursionError, MemoryError,  # of a header that is no literal
)  # fmt: skip


@dataclass(frozen=True)
class ArrayFile:
    """An array in a file whose header was read.

    Attributes
    ----------
    path
        The ``.npy`` or ``.npz`` file.
    member
        The name in the ``.npz`` file; None for ``.npy``.
    shape, dtype
        Of the array.
    fortran
        Whether the values are stored column by column.
    """

    path: Path
    member: str | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    def __str__(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}: {self.member}"

    def chunks(self) -> Iterator[Array]:
        """Yield the rows in order, about a megabyte at a time.

        Raises
        ------
        DataError
            If the file ends early or is damaged.
        """
        width = math.prod(self.shape[1:])
        rows = rows_of(width * self.dtype.itemsize, CHUNK_BYTES)
        if self.fortran:  # the rows lie scattered over the file
            whole = self.whole()
            yield from (whole[start : start + rows] for start in range(0, len(whole), rows))
            return
        with _opened(self.path, self.member) as file:
            _header(file)
            for start in range(0, self.shape[0], rows):
                wanted = min(rows, self.shape[0] - start)
                yield self._values(file, wanted * width).reshape(wanted, *self.shape[1:])

    def whole(self) -> Array:
        """Return the array, read into memory.

        Raises
        ------
        DataError
            If it takes more than `IN_MEMORY_LIMIT`, or the file ends early or is damaged.
        """
        count = math.prod(self.shape)
        if count * self.dtype.itemsize > IN_MEMORY_LIMIT:
            raise DataError(
                f"{self}: expected at most {IN_MEMORY_LIMIT / 1e9:.0f} GB in an array that is read at once, "
                f"found {count * self.dtype.itemsize / 1e9:.1f} GB; save it in C order, row by row"
            )
        with _opened(self.path, self.member) as file:
            _header(file)
            values = self._values(file, count)
        return values.reshape(self.shape[::-1]).T if self.fortran else values.reshape(self.shape)

    def _values(self, file: IO[bytes], count: int) -> Array:
        try:
            content = file.read(count * self.dtype.itemsize)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            pass_on(error, self.path)
            raise DataError(f"{self}: expected an array, found a damaged file ({error})") from None
        if len(content) < count * self.dtype.itemsize:
            raise DataError(f"{self}: expected an array of shape {self.shape}, found a truncated file")
        return np.frombuffer(content, self.dtype)


def open_npy(path: Path) -> ArrayFile:
    """Read the header of an ``.npy`` file.

    Raises
    ------
    DataError
        If the file is of another kind, is truncated, or holds Python objects.
    """
    _require_file(path)
    with path.open("rb") as file:
        array = _described(path, None, file)
        length = path.stat().st_size - file.tell()
    expected = math.prod(array.shape) * array.dtype.itemsize
    if length < expected:
        raise DataError(f"{path}: expected {expected} bytes of values for shape {array.shape}, found {length}")
    return array


def open_npz(path: Path) -> dict[str, ArrayFile]:
    """Read the headers of the arrays in an ``.npz`` file.

    Raises
    ------
    DataError
        If the file is of another kind, or one of its arrays holds Python objects.
    """
    _require_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
    except (zipfile.BadZipFile, OSError) as error:
        pass_on(error, path)
        raise DataError(f"{path}: expected an .npz file, found a damaged one ({error})") from None
    arrays = {}
    for name in names:
        with _opened(path, name.removesuffix(".npy")) as file:
            arrays[name.removesuffix(".npy")] = _described(path, name.removesuffix(".npy"), file)
    return arrays


def _require_file(path: Path) -> None:
    """Reject a pipe, which may never yield data, a folder, and anything else that is not a file."""
    if path.exists() and not path.is_file():
        raise DataError(f"{path}: expected an array in a file, found {what_is(path)}")


def _opened(path: Path, member: str | None) -> IO[bytes]:
    if member is None:
        return path.open("rb")
    try:
        # a member of a closed archive stays readable: it holds the file open itself
        with zipfile.ZipFile(path) as archive:
            return archive.open(f"{member}.npy")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        pass_on(error, path)
        raise DataError(f"{path}: {member}: expected an array, found a damaged one ({error})") from None


def _described(path: Path, member: str | None, file: IO[bytes]) -> ArrayFile:
    where = str(path) if member is None else f"{path}: {member}"
    try:
        shape, fortran, dtype = _header(file)
    except _DAMAGED as error:
        pass_on(error, path)
        raise DataError(f"{where}: expected an array, found a damaged file ({error})") from None
    if dtype.hasobject:
        raise DataError(
            f"{where}: expected numbers or text, found Python objects ({dtype}), which are not read as that "
            "could run code; convert with .astype(float) or .astype(str)"
        )
    _check_shape(where, shape, dtype)
    return ArrayFile(path, member, shape, dtype, fortran)


def _check_shape(where: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Reject what can't be read row by row: a header can claim any shape, and a small archive unpack to any size."""
    if not all(0 <= length < 2**63 for length in shape):  # the message leaves it out, as it may be too long to print
        raise DataError(f"{where}: expected an array, found one of an impossible shape")
    if not dtype.itemsize:
        raise DataError(f"{where}: expected values of at least one byte each, found {dtype}")
    row = math.prod(shape[1:]) * dtype.itemsize
    if row > LARGEST_ROW:
        raise DataError(f"{where}: expected rows of at most {LARGEST_ROW} bytes, found {row} (shape {shape})")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version not in {(1, 0), (2, 0), (3, 0)}:
        raise ValueError(f"unknown version {version}")
    prefix = file.read(2 if version == (1, 0) else 4)
    length = int.from_bytes(prefix, "little")
    if length > LONGEST_HEADER:  # NumPy reads it before it looks at its length
        raise ValueError(f"a header of {length} bytes")
    content = io.BytesIO(prefix + file.read(length))
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(content)
    return np.lib.format.read_array_header_2_0(content)  # 3.0 differs in the encoding of field names alone
