"""Weights as ``.npz`` files, written deterministically and read without unpickling."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.artifacts import replacing
from mlx.core.errors import ArtifactError
from mlx.core.npy import entries, read_entry
from mlx.core.reading import REMAKE, existing, reading


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write named arrays, uncompressed; the same bytes for the same arrays."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            large = array.nbytes > 1 << 30  # zipfile must know beforehand of 2 GiB; np.savez sets it for every array
            with archive.open(f"{name}.npy", "w", force_zip64=large) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def read_npz(path: Path, names: Sequence[str]) -> dict[str, Array]:
    """Read the arrays `names`.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, lacks one of `names`, or holds values that are not finite.
    """
    arrays = _arrays(path, f"a checkpoint with {' and '.join(names)}", names)
    for name, array in arrays.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ArtifactError(f"{path}: expected finite numbers in '{name}', found others{REMAKE}")
    return arrays


def read_all(path: Path) -> dict[str, Array]:
    """Read all numeric arrays that `write_npz` wrote.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or contains other arrays.
    """
    arrays = _arrays(path, "named arrays", remedy="")
    if odd := [name for name, array in arrays.items() if array.dtype.kind not in "biuf"]:
        raise ArtifactError(f"{path}: expected arrays of numbers, found another kind in '{odd[0]}'")
    return arrays


def _arrays(path: Path, expected: str, names: Sequence[str] | None = None, *, remedy: str = REMAKE) -> dict[str, Array]:
    with (
        reading(path, expected, remedy=remedy, sizes_are_checked=True),
        existing(path).open("rb") as file,
        zipfile.ZipFile(file) as archive,
    ):
        return {name: read_entry(archive, name) for name in (entries(archive) if names is None else names)}
