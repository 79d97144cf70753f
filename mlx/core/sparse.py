"""Sparse rows on disk: what ``scipy.sparse.save_npz`` writes, row block by row block and without dates."""

import shutil
import tempfile
import zipfile
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.artifacts import naming_final
from mlx.core.errors import ArtifactError
from mlx.core.npy import read_entry
from mlx.core.reading import REMAKE, existing, reading

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy.sparse import csr_array

LARGEST_INT32 = np.iinfo(np.int32).max


class SparseWriter:
    """Writes a CSR array of known shape in blocks of rows, in the memory of one block.

    `scipy.sparse.load_npz` reads the file. Its entries are not compressed: that is several times
    faster, and the bytes don't depend on the version of zlib. Column numbers and values wait in two
    nameless files until all rows are there, as a zip archive is written an entry after the other.

    Like `ArrayWriter`, it is meant for use inside `replacing_folder`.

    Values are cast to `dtype`; `shape` is that of the whole array.
    """

    def __init__(self, path: Path, shape: tuple[int, int], dtype: "npt.DTypeLike") -> None:
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)
        self.rows = 0
        self._stored = np.dtype(np.int32 if shape[1] <= LARGEST_INT32 else np.int64)
        self._counts: list[Array] = []
        self._columns, self._values = (_nameless(path.parent) for _ in range(2))

    def append(self, block: "csr_array[Any]") -> None:
        """Add (m, columns) rows."""
        assert block.shape[1] == self.shape[1], (block.shape, self.shape)
        if not block.has_canonical_format:
            block = block.copy()
            block.sum_duplicates()
        with naming_final(self.path, self.path):
            self._columns.write(block.indices.astype(self._stored, copy=False).data)
            self._values.write(block.data.astype(self.dtype, copy=False).data)
        self._counts.append(np.diff(block.indptr))
        self.rows += block.shape[0]

    def __enter__(self) -> "SparseWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with naming_final(self.path, self.path), self._columns, self._values:
            if error is None:
                assert self.rows == self.shape[0], (self.path, self.rows, self.shape)
                self._assemble()

    def _assemble(self) -> None:
        ends = np.cumsum(np.concatenate([[0], *self._counts]), dtype=np.int64)
        wide = self._stored.itemsize == 8 or ends[-1] > LARGEST_INT32
        index = np.dtype(np.int64 if wide else np.int32)
        with zipfile.ZipFile(self.path, "w") as archive:
            _add_file(archive, "indices", self._columns, self._stored, index)
            _add(archive, "indptr", ends.astype(index))
            _add(archive, "format", np.array(b"csr"))
            _add(archive, "shape", np.array(self.shape, np.int64))
            _add_file(archive, "data", self._values, self.dtype, self.dtype)
            _add(archive, "_is_array", np.array(True))


def _nameless(folder: Path) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder)  # the writer closes it


def _entry(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    # A ZipInfo that is made by its name alone has the earliest date that the format knows.
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)


def _add(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    with _entry(archive, name) as entry:
        np.lib.format.write_array(entry, array, allow_pickle=False)


def _add_file(
    archive: zipfile.ZipFile, name: str, file: IO[bytes], stored: np.dtype[Any], dtype: np.dtype[Any]
) -> None:
    """Add the numbers in `file`, which are of type `stored`, as an array of type `dtype`."""
    n = file.tell() // stored.itemsize
    file.seek(0)
    with _entry(archive, name) as entry:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (n,)}
        np.lib.format.write_array_header_1_0(entry, header)
        if stored == dtype:
            shutil.copyfileobj(file, entry, 1 << 20)
            return
        while chunk := file.read(stored.itemsize << 17):
            entry.write(np.frombuffer(chunk, stored).astype(dtype).data)


def open_sparse(path: Path, *, rows: int | None = None) -> "csr_array[Any]":
    """Read a CSR array whose rows have sorted columns, each at most once.

    It has to have `rows` rows, where these are given.

    Raises
    ------
    ArtifactError
        It is missing or damaged, holds Python objects or another kind of array, or has other rows than expected.
    """
    with reading(path, "sparse rows", sizes_are_checked=True):
        with existing(path).open("rb") as file, zipfile.ZipFile(file) as archive:
            array = _assembled({name: read_entry(archive, name, compressed=True) for name in PARTS})
        array.check_format(full_check=True)
    if rows is not None and array.shape[0] != rows:
        raise ArtifactError(f"{path}: expected {rows} rows, found {array.shape[0]}{REMAKE}")
    array.sum_duplicates()
    return array


PARTS = ("format", "shape", "indptr", "indices", "data", "_is_array")
"""The arrays of an archive that `scipy.sparse.save_npz` writes of CSR rows."""


def _assembled(parts: "dict[str, Array]") -> "csr_array[Any]":
    from scipy.sparse import csr_array

    shape, name = parts["shape"], parts["format"]
    if name.shape != () or name.item() not in (b"csr", "csr") or shape.shape != (2,) or shape.dtype.kind not in "iu":
        raise ValueError("no CSR array")
    if parts["_is_array"].shape != () or not parts["_is_array"].item():
        raise ValueError("a matrix, no array")
    if parts["data"].dtype.kind not in "biuf" or not parts["data"].dtype.isnative:
        raise ValueError("no CSR array of numbers")
    if any(parts[name].ndim != 1 or parts[name].dtype.kind not in "iu" for name in ("indices", "indptr")):
        raise ValueError("rows that are no row numbers")
    return csr_array((parts["data"], parts["indices"], parts["indptr"]), shape=(int(shape[0]), int(shape[1])))
