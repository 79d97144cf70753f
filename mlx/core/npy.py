"""Reads ``.npy`` headers from untrusted files: NumPy's own reader raises seven kinds of error on a damaged one.

NumPy evaluates the header as a Python literal, tokenizes it again where that fails, and allocates the memory of the
shape before it compares it with the file. Here the header must match the format, and the file must hold its array.
"""

import math
import re
import zipfile
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from mlx.core.array_types import Array

LONGEST_HEADER = 10_000
"""In bytes; NumPy's own limit."""

_ITEM = re.compile(
    r"\s*(['\"])(?P<key>descr|fortran_order|shape)\1\s*:\s*"
    r"(?:(['\"])(?P<descr>[<>|=]?[?biufcSUO][0-9]{0,9})\3|(?P<order>True|False)|\((?P<shape>[0-9, ]*)\))\s*(?:,|$)"
)
_FIELD = {"descr": "descr", "fortran_order": "order", "shape": "shape"}


@dataclass(frozen=True)
class Header:
    """The type, shape and place of the array in an ``.npy`` file.

    The first number is at `offset`, in bytes.
    """

    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    fortran_order: bool
    offset: int

    @property
    def end(self) -> int:
        """The number of bytes that the file must have."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes], size: int) -> Header:
    """Read the header at the start of `file`, which holds `size` bytes.

    Raises
    ------
    ValueError
        The header is not that of an array, the array holds Python objects, or the file is shorter than it says.
    """
    start = file.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        raise ValueError("no header of an .npy file")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > LONGEST_HEADER:
        raise ValueError(f"a header of {length} bytes")
    content = file.read(length)
    header = _parsed(content.decode("utf-8" if start[6] == 3 else "latin-1"), 8 + width + length)
    if len(content) < length or header.end > size:
        raise ValueError(f"{header.dtype} of shape {header.shape} in {size} bytes")
    return header


def _parsed(text: str, offset: int) -> Header:
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        raise ValueError("not the header of an array")
    inside, place, found = text[1:-1].strip(), 0, {}
    while place < len(inside):
        item = _ITEM.match(inside, place)
        if item is None or item["key"] in found or item[_FIELD[item["key"]]] is None:
            raise ValueError("not the header of an array")
        found[item["key"]] = item[_FIELD[item["key"]]]
        place = item.end()
    if found.keys() != _FIELD.keys():
        raise ValueError("a header without type, order or shape")
    dtype = np.dtype(found["descr"])
    if dtype.hasobject:
        raise ValueError("Python objects")
    shape = tuple(int(width) for width in found["shape"].replace(" ", "").split(",") if width)
    return Header(shape, dtype, found["fortran_order"] == "True", offset)


def read_entry(archive: zipfile.ZipFile, name: str, *, compressed: bool = False) -> Array:
    """Read the array `name` of an ``.npz`` archive.

    An entry may be `compressed`, as those of SciPy are, only where that is said.

    Raises
    ------
    ValueError
        The entry is compressed and must not be, claims more than the archive can hold, or holds no array.
    KeyError, OSError, zipfile.BadZipFile, …
        As `zipfile` raises them for an archive that is damaged.
    """
    entry = archive.getinfo(f"{name}.npy")
    if entry.compress_type not in ({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} if compressed else {zipfile.ZIP_STORED}):
        raise ValueError("an entry is compressed, which may unfold to any size")
    held = entry.compress_size * (1 if entry.compress_type == zipfile.ZIP_STORED else MOST_DEFLATED)
    if entry.file_size > held or entry.compress_size > _size(archive):
        raise ValueError(f"an entry '{name}' that is larger than the archive")
    with archive.open(entry) as file:
        header = read_header(file, entry.file_size)
        array = np.empty(math.prod(header.shape), header.dtype)
        place = memoryview(array.view(np.uint8)) if array.nbytes else memoryview(b"")  # type: ignore[arg-type]
        done = 0
        while done < len(place):
            chunk = file.read(min(1 << 20, len(place) - done))
            if not chunk:
                raise EOFError(f"an entry '{name}' that is cut off")
            place[done : done + len(chunk)] = chunk
            done += len(chunk)
        if file.read(1):  # also checks the entry's sum, which comes with its last byte
            raise ValueError(f"an entry '{name}' that is longer than its array")
    return array.reshape(header.shape, order="F" if header.fortran_order else "C")


MOST_DEFLATED = 1032
"""How many bytes one byte of deflated data can stand for at most."""


def entries(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the arrays in an ``.npz`` archive.

    Raises
    ------
    ValueError
        It holds something else, or a name twice.
    """
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    if len(set(names)) < len(names) or not all(name.endswith(".npy") for name in archive.namelist()):
        raise ValueError("a name that stands twice, or an entry that is no array")
    return names


def _size(archive: zipfile.ZipFile) -> int:
    file = archive.fp
    assert file is not None
    place = file.tell()
    size = file.seek(0, 2)
    file.seek(place)
    return size
