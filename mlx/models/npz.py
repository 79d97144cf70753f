"""Weights as ``.npz`` files without dates in them, read without unpickling."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mlx.core.artifacts import REMAKE, replacing
from mlx.core.errors import ArtifactError
from mlx.models.contract import Array

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date that every zip entry carries: the earliest one that the format knows."""

DAMAGE = (
    OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile,
    MemoryError, OverflowError,  # a header may claim any shape
    RuntimeError,  # an entry, to be encrypted or of another version of the format
)  # fmt: skip
"""What reading a file of arrays raises where it is none."""


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write named arrays, uncompressed; the same bytes for the same arrays."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", EPOCH), "w") as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def read_npz(path: Path, names: Sequence[str]) -> dict[str, Array]:
    """Read the arrays `names`.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, lacks one of `names`, or holds values that are not finite.
    """
    try:
        arrays = _arrays(path, names)
    except FileNotFoundError:
        raise ArtifactError(f"{path}: expected a checkpoint, found none; run the training again") from None
    except DAMAGE:
        wanted = " and ".join(names)
        raise ArtifactError(f"{path}: expected a checkpoint with {wanted}, found a damaged file{REMAKE}") from None
    for name, array in arrays.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ArtifactError(f"{path}: expected finite numbers in '{name}', found others{REMAKE}")
    return arrays


def read_all(path: Path) -> dict[str, Array]:
    """Read all arrays of numbers that `write_npz` wrote, whatever their names and types are.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or holds something else.
    """
    try:
        arrays = _arrays(path)
    except FileNotFoundError:
        raise ArtifactError(f"{path}: expected named arrays, found none") from None
    except DAMAGE:
        raise ArtifactError(f"{path}: expected named arrays, found a damaged file") from None
    if odd := [
        name for name, array in arrays.items() if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf"
    ]:
        raise ArtifactError(f"{path}: expected arrays of numbers, found another kind in '{odd[0]}'")
    return arrays


def _arrays(path: Path, names: Sequence[str] | None = None) -> dict[str, Array]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.zip.infolist()):
            raise ValueError("an entry is compressed, which may unfold to any size")
        return {name: archive[name] for name in (archive.files if names is None else names)}
