"""Sparse representations, in memory or in a file of ``scipy.sparse.save_npz``."""

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.core.errors import DataError
from mlx.core.reading import existing, reading

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PARTS = frozenset({"format.npy", "shape.npy", "data.npy"})
"""What every file of ``save_npz`` has."""


def is_sparse(given: Any) -> bool:
    """Say whether it is sparse: by its kind in memory, by the names of its parts in a file.

    A damaged ``.npz`` file counts as one, so that what is wrong with it is said of a sparse one.
    """
    if not isinstance(given, str | os.PathLike):
        return hasattr(given, "tocsr")
    path = Path(given)
    if path.suffix.lower() != ".npz" or (path.exists() and not path.is_file()):
        return False
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return set(archive.namelist()) >= PARTS
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return True


def sparse_rows(given: Any, what: str) -> "csr_array[Any]":
    """Return sparse rows of numbers, in whatever format they are.

    Raises
    ------
    DataError
        The file is damaged, or holds something else.
    OSError
        The file can't be opened.
    """
    from scipy.sparse import csr_array, load_npz

    if isinstance(given, str | os.PathLike):
        what = str(given)
        with (
            reading(Path(given), "a file of scipy.sparse.save_npz", remedy=""),
            existing(Path(given)).open("rb") as file,
        ):
            rows = csr_array(load_npz(file))
            rows.check_format(full_check=True)
    else:
        rows = csr_array(given)
    if rows.dtype.kind not in "biuf":
        raise DataError(f"{what}: expected representations that are numbers, found {rows.dtype}")
    return rows
