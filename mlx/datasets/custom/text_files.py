"""Text files, which may be packed with gzip: their encoding, their content, and what is wrong with it."""

import codecs
import gzip
import io
from pathlib import Path
from typing import IO, cast

from mlx.core.errors import DataError

LEAST_BOMB, MOST_UNPACKED = 1 << 30, 200
"""A gzip file is rejected where it unpacks to more bytes than the first, and to more than the second times its size."""

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
"""The first bytes of a text file, and its encoding; UTF-32 first, whose mark starts like that of UTF-16."""


def encoding_of(path: Path) -> str:
    """Return the encoding of a text file by its byte order mark; UTF-8 without one."""
    with open_bytes(path) as file:
        start = file.read(4)
    return next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), "utf-8")


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, unpacked where it is a ``.gz``."""
    return cast(IO[bytes], _Unpacked(path)) if is_packed(path) else path.open("rb")


def open_text(path: Path, encoding: str) -> IO[str]:
    """Open a text file, unpacked where it is a ``.gz``, with its line ends."""
    if is_packed(path):
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding, newline="")
    return path.open(encoding=encoding, newline="")


def is_packed(path: Path) -> bool:
    """Whether the name says that the file is packed with gzip."""
    return path.suffix.lower() == ".gz"


class _Unpacked(io.RawIOBase):
    """The content of a gzip file, which ends with an error where it is much larger than a table can be."""

    def __init__(self, path: Path) -> None:
        self._file = gzip.open(path, "rb")  # noqa: SIM115  # closed with the object
        self._path, self._most = path, max(LEAST_BOMB, MOST_UNPACKED * path.stat().st_size)
        self._read = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size if size >= 0 else self._most + 1)
        self._read += len(found)
        if self._read > self._most:
            raise DataError(
                f"{self._path}: expected a packed table, found a file that unpacks to over {MOST_UNPACKED} times its "
                "size; if it is one, unpack it"
            )
        return found

    def close(self) -> None:
        self._file.close()
        super().close()


def not_utf8(path: Path, found: bytes) -> DataError:
    """Return the error of a file in another encoding, in which the bytes `found` are no text in UTF-8."""
    return DataError(f"{path}: expected text in UTF-8, found other bytes ({found!r}); save it as UTF-8")


def bytes_at_fault(path: Path) -> bytes:
    """Return the first bytes of a file that are no text in UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(path) as file:
        while piece := file.read(1 << 20):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                return error.object[error.start : error.start + 4]
    return b""


def zero_byte(path: Path) -> DataError:
    """Return the error of a file with a zero byte in it."""
    return DataError(f"{path}: expected text in UTF-8, found a zero byte; save it as UTF-8")
