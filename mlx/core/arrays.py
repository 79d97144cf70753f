"""Arrays on disk: ``.npy`` files written row block by row block, opened memory-mapped or streamed."""

import copyreg
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Array
from mlx.core.artifacts import naming_final, replacing
from mlx.core.errors import ArtifactError
from mlx.core.npy import read_header
from mlx.core.reading import REMAKE, existing, reading


class ArrayWriter:
    """Writes an ``.npy`` file of known shape in blocks of rows, in the memory of one block.

    The file has its final name only once its folder is renamed into place, so it is meant
    for use inside `replacing_folder`.

    Blocks are cast to `dtype`; `shape` is that of the whole array.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)
        self.rows = 0
        self._file: IO[bytes] = path.open("wb")
        header = {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, block: Array) -> None:
        """Add ``(m, …)`` rows."""
        assert block.shape[1:] == self.shape[1:], (block.shape, self.shape)
        with naming_final(self.path, self.path):
            self._file.write(np.ascontiguousarray(block, dtype=self.dtype).data)
        self.rows += len(block) if block.ndim else 0

    def __enter__(self) -> "ArrayWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with naming_final(self.path, self.path):  # closing writes the rest
            self._file.close()
        assert error is not None or self.rows == (self.shape or (0,))[0], (self.path, self.rows, self.shape)


def allocate_array(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
    """Make an ``.npy`` file of known shape whose rows are written by `write_rows`, in any order and process."""
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize)


def write_rows(path: Path, start: int, block: Array) -> None:
    """Write ``(m, …)`` rows, from row `start` on, to a file that `allocate_array` made, whose type they have.

    Raises
    ------
    OSError
        They can't be written; names the file.
    """
    with naming_final(path, path), path.open("r+b", buffering=0) as file:
        header = read_header(file, path.stat().st_size)
        assert (block.dtype, block.shape[1:]) == (header.dtype, header.shape[1:]), (block.dtype, block.shape, header)
        width = int(np.prod(header.shape[1:], dtype=np.int64)) * header.dtype.itemsize
        file.seek(header.offset + start * width)
        content = memoryview(np.ascontiguousarray(block).data).cast("B")
        while len(content):
            content = content[file.write(content) :]


def write_array(path: Path, array: Array) -> None:
    """Write an array that is in memory."""
    whole = np.ascontiguousarray(array) if array.ndim else array
    with replacing(path) as temporary, ArrayWriter(temporary, whole.shape, whole.dtype) as writer:
        writer.append(whole)  # NumPy's own way says neither which file nor why, where a disk is full


def open_array(path: Path, *, ndim: int | None = None, rows: int | None = None, verified: bool = True) -> Array:
    """Open an ``.npy`` file memory-mapped, read-only.

    It has to have `ndim` dimensions and `rows` rows, where these are given; `verified` is as in
    `mlx.core.reading.existing`.

    Raises
    ------
    ArtifactError
        It is missing, truncated, holds Python objects, or has another shape than expected.
    """
    with reading(path, "an array of numbers", sizes_are_checked=True):
        with existing(path, verified=verified).open("rb") as file:
            header = read_header(file, os.fstat(file.fileno()).st_size)
        order: Literal["F", "C"] = "F" if header.fortran_order else "C"
        array: Array = np.memmap(
            path, dtype=header.dtype, mode="r", offset=header.offset, shape=header.shape, order=order
        )
    if array.ndim == 0 or array.dtype.kind not in "biuf" or not array.dtype.isnative:
        raise ArtifactError(f"{path}: expected rows of numbers, found {array.dtype} of shape {array.shape}{REMAKE}")
    if ndim is not None and array.ndim != ndim:
        raise ArtifactError(f"{path}: expected {ndim} dimensions, found shape {array.shape}{REMAKE}")
    if rows is not None and len(array) != rows:
        raise ArtifactError(f"{path}: expected {rows} rows, found {len(array)}{REMAKE}")
    return array


def _by_path(array: "np.memmap[Any, Any]") -> Any:
    """Pickle a memory-mapped file, or consecutive rows of one, by its path, so that a process maps the file itself."""
    if (position := _position(array)) is not None:
        return map_array, (Path(str(array.filename)), array.dtype.str, position, array.shape)
    return np.array(array).__reduce__()


def _position(array: "np.memmap[Any, Any]") -> int | None:
    """Return where in its file an array begins that is one piece of it; None for any other."""
    mapped = getattr(array, "_mmap", None)
    if mapped is None or array.filename is None or array.flags.writeable or not array.flags.c_contiguous:
        return None
    whole = np.frombuffer(mapped, np.uint8)
    inside = array.ctypes.data - whole.ctypes.data
    begin = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY  # where NumPy begins to map
    return begin + inside if 0 <= inside <= len(whole) - array.nbytes else None


def map_array(path: Path, dtype: str, position: int, shape: tuple[int, ...]) -> Array:
    """Map an array (any shape, C order) that begins `position` bytes into a file, read-only.

    Raises
    ------
    ArtifactError
        The file is missing, or shorter.
    """
    with reading(path, "an array of numbers"):
        return np.memmap(existing(path, verified=False), np.dtype(dtype), "r", position, shape)


# A task that another process gets names the file of a mapped array instead of copying its values. This registers how
# such an array is written; reading it back calls `map_array`, which checks the file and unpickles nothing of it.
copyreg.pickle(np.memmap, _by_path)


def stream_rows(path: Path, rows: int) -> Iterator[tuple[slice, Array]]:
    """Read an ``.npy`` file from front to back, `rows` at a time, as writable copies.

    Unlike a memory map, which keeps every touched page in the process's memory, this holds one block.

    Yields
    ------
    where, block
        The slice of rows, and their values.
    """
    whole = open_array(path)
    if not whole.flags.c_contiguous:  # written by columns, by other software: rows are not in one piece
        for first in range(0, len(whole), rows):
            yield slice(first, min(first + rows, len(whole))), np.array(whole[first : first + rows], order="C")
        return
    shape, dtype, start = whole.shape, whole.dtype, getattr(whole, "offset", 0)
    width = int(np.prod(shape[1:], dtype=np.int64))
    del whole
    with path.open("rb") as file:
        file.seek(start)
        for first in range(0, shape[0], rows):
            last = min(first + rows, shape[0])
            block = np.fromfile(file, dtype=dtype, count=(last - first) * width)
            if block.size < (last - first) * width:
                raise ArtifactError(f"{path}: expected {shape[0]} rows, found a shorter file{REMAKE}")
            yield slice(first, last), block.reshape(last - first, *shape[1:])


def rows_of(sample_bytes: int, budget: int = 32 << 20) -> int:
    """Return how many rows of `sample_bytes` each make a block of at most `budget` bytes (at least 1)."""
    return max(1, budget // max(1, sample_bytes))


class RowsOfFile:
    """Reads any rows of a memory-mapped ``.npy`` file into memory of their own.

    A row that is touched in a memory map maps what surrounds it, on some file systems 2 MiB, and all of
    that counts as this process's memory. Here rows are read with system calls.

    Parameters
    ----------
    array
        As `open_array` gives it, in C order; `supports` tells whether an array can be read.
    """

    def __init__(self, array: Array) -> None:
        assert isinstance(array, np.memmap)
        assert array.filename is not None
        self.path, self.start, self.shape, self.dtype = array.filename, array.offset, array.shape, array.dtype
        self.width = int(np.prod(array.shape[1:], dtype=np.int64)) * array.itemsize
        self._file = open(self.path, "rb", buffering=0)  # noqa: SIM115, PTH123  # the caller closes it

    @staticmethod
    def supports(array: Array) -> bool:
        """Whether the rows of `array` can be read by system calls."""
        whole = isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap) and array.filename is not None
        return whole and array.flags.c_contiguous and array.nbytes > 0 and hasattr(os, "preadv")

    def read(self, rows: Array) -> Array:
        """Return ``(m, …)`` the rows of these numbers.

        Raises
        ------
        ArtifactError
            The file has become shorter.
        """
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        content, width = memoryview(found.reshape(-1).view(np.uint8)), self.width  # type: ignore[arg-type]
        for i, row in enumerate(rows.tolist()):
            place = content[i * width : (i + 1) * width]
            if os.preadv(self._file.fileno(), [place], self.start + row * width) != width:
                raise ArtifactError(f"{self.path}: expected {self.shape[0]} rows, found a shorter file{REMAKE}")
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def release_pages(array: Array) -> None:
    """Release the memory of the pages read from a memory-mapped file; they are read again on the next use.

    Does nothing for an array in memory, for one that may hold changes, and where the system has no such call.
    """
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and not array.flags.writeable and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
