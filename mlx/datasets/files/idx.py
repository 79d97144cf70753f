"""IDX files, the format of MNIST: a header with the shape, then the values; gzipped or not.

Format: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", "File formats":
two zero bytes, a byte for the type (8: unsigned byte), a byte for the number of dimensions, each dimension
as a big-endian 32-bit integer, the values in C order.
"""

import gzip
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.core.reading import pass_on

UNSIGNED_BYTE = 8
CHUNK_BYTES = 1 << 20
MOST_INFLATED = 1032
"""How many times its size a gzip file can hold: a match of 258 bytes takes at least two bits."""

LARGEST_ENTRY = 1 << 24
"""In bytes; an entry is the least that is read at once."""


@dataclass(frozen=True)
class IdxFile:
    """An IDX file of unsigned bytes whose header was read.

    Attributes
    ----------
    path
        Where it is.
    shape
        Of its array.
    """

    path: Path
    shape: tuple[int, ...]

    def chunks(self) -> Iterator[Array]:
        """Yield the rows in order, about a megabyte at a time, as uint8 of shape (rows, …).

        Raises
        ------
        DataError
            If the file ends early, goes on after its last row, or is not a valid gzip file.
        """
        width = math.prod(self.shape[1:])
        rows = max(1, CHUNK_BYTES // width)
        with _opened(self.path) as file:
            _read(file, self.path, 4 + 4 * len(self.shape))
            for start in range(0, self.shape[0], rows):
                wanted = min(rows, self.shape[0] - start)
                content = _read(file, self.path, wanted * width)
                if len(content) < wanted * width:
                    raise self._not_as_long_as_said(start + len(content) // width)
                yield np.frombuffer(content, np.uint8).reshape(wanted, *self.shape[1:])
            if _read(file, self.path, 1):
                raise self._not_as_long_as_said(None)

    def _not_as_long_as_said(self, rows: int | None) -> DataError:
        found = "more" if rows is None else f"only {rows}: it is truncated"
        return DataError(f"{self.path}: expected {self.shape[0]} entries, as its header says, found {found}")


def open_idx(path: Path, ndim: int) -> IdxFile:
    """Read the header of an IDX file of unsigned bytes with `ndim` dimensions.

    Raises
    ------
    DataError
        If it has another magic number, an empty dimension or entries too large for images, or if an
        uncompressed file differs in size from its header, a gzipped one is too small.
    """
    with _opened(path) as file:
        header = _read(file, path, 4 + 4 * ndim)
    magic = (UNSIGNED_BYTE << 8) + ndim
    found = int.from_bytes(header[:4], "big")
    if len(header) < 4 or found != magic:
        shown = f"{found} (0x{found:08x})" if len(header) >= 4 else f"a file of {len(header)} bytes"
        raise DataError(f"{path}: expected magic number {magic} (0x{magic:08x}) of an IDX file, found {shown}")
    if len(header) < 4 + 4 * ndim:
        raise DataError(f"{path}: expected a header of {4 + 4 * ndim} bytes, found {len(header)}: it is truncated")
    shape = tuple(int(length) for length in np.frombuffer(header, ">u4", offset=4))
    if 0 in shape:
        raise DataError(f"{path}: expected at least one entry in each dimension, found shape {shape}")
    _check_size(path, len(header) + math.prod(shape), shape)
    if math.prod(shape[1:]) > LARGEST_ENTRY:
        raise DataError(f"{path}: expected entries of at most {LARGEST_ENTRY} bytes, found shape {shape}")
    return IdxFile(path, shape)


def _check_size(path: Path, expected: int, shape: tuple[int, ...]) -> None:
    found = path.stat().st_size
    if _gzipped(path):
        if expected > MOST_INFLATED * found:
            raise DataError(
                f"{path}: expected a gzip file that can hold {expected} bytes, as its header says (shape {shape}), "
                f"found one of {found}"
            )
    elif found != expected:
        what = "it is truncated" if found < expected else "there is something behind its end"
        raise DataError(f"{path}: expected {expected} bytes, as its header says (shape {shape}), found {found}: {what}")


def _gzipped(path: Path) -> bool:
    with path.open("rb") as file:  # by content: browsers unpack files and keep the name
        return file.read(2) == b"\x1f\x8b"


def _opened(path: Path) -> BinaryIO:
    try:
        return cast(BinaryIO, gzip.open(path, "rb") if _gzipped(path) else path.open("rb"))
    except OSError as error:
        raise DataError(f"{path}: could not be read: {error.strerror}") from None


def _read(file: BinaryIO, path: Path, size: int) -> bytes:
    """Read up to `size` bytes; fewer only at the end of the file."""
    try:
        return file.read(size)
    except EOFError:
        raise DataError(f"{path}: expected a whole gzip file, found one that is truncated") from None
    except (OSError, zlib.error) as error:  # gzip.BadGzipFile is an OSError
        pass_on(error, path)
        raise DataError(f"{path}: expected a gzip file, found a damaged one ({error})") from None
