"""Opens the arrays that the steps share (targets, row numbers, samples) and checks their values."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import RowsOfFile, open_array, stream_rows
from mlx.core.checks import check_finite, check_labels
from mlx.core.errors import ArtifactError, DataError
from mlx.core.reading import REMAKE, verify


def open_targets(path: Path, *, n_classes: int, rows: int | None = None) -> Array:
    """Read labels (n,) in ``0 … n_classes − 1``, or finite numbers (n,) where there are no classes.

    Raises
    ------
    ArtifactError
        As `open_array`; or for the first row whose value is no label, or not finite.
    """
    targets = np.asarray(open_array(path, ndim=1, rows=rows, verified=False))
    with naming(path):
        if n_classes:
            targets = check_labels(str(path), targets, len(targets), n_classes)
        else:
            check_finite(str(path), targets, 0)
    verify(path)  # last, as what is wrong in a row says more
    return targets


def open_index(path: Path, *, rows: int) -> Array:
    """Read row numbers (n,) of the raw data, each at most once.

    Raises
    ------
    ArtifactError
        As `open_array`; or a number is negative or repeated.
    """
    index = np.asarray(open_array(path, ndim=1, rows=rows, verified=False))
    if index.dtype.kind not in "iu" or len(np.unique(index)) < rows:
        raise ArtifactError(f"{path}: expected different row numbers of the raw data{REMAKE}")
    if (negative := np.flatnonzero(index < 0)).size:
        row = int(negative[0])
        raise ArtifactError(f"{path}: row {row}: expected a row number of the raw data, found {index[row]}{REMAKE}")
    verify(path)
    return index


def open_samples(path: Path, *, rows: int, sample_shape: Sequence[int]) -> Array:
    """Open samples (n, …) of a known shape, memory-mapped.

    Raises
    ------
    ArtifactError
        As `open_array`; or the samples have another shape.
    """
    samples = open_array(path, rows=rows)
    if samples.shape[1:] != tuple(sample_shape):
        expected = (rows, *sample_shape)
        raise ArtifactError(f"{path}: expected shape {expected}, found {samples.shape}{REMAKE}")
    return samples


def finite_rows(path: Path, rows: int) -> Iterator[tuple[slice, Array]]:
    """Yield the blocks of `stream_rows`, of which every number has to be finite.

    Raises
    ------
    ArtifactError
        As `open_array`; or for the first row with a number that is not.
    """
    for where, block in stream_rows(path, rows):
        if block.dtype.kind == "f":
            with naming(path):
                check_finite(str(path), block.reshape(len(block), math.prod(block.shape[1:])), where.start)
        yield where, block


def chosen_rows(path: Path, rows: Array, size: int) -> Iterator[Array]:
    """Yield the `rows` (m,) of an array, `size` at a time; every number has to be finite.

    Raises
    ------
    ArtifactError
        As `open_array`; or for the first row with a number that is not finite.
    """
    whole = open_array(path)
    file = RowsOfFile(whole) if RowsOfFile.supports(whole) else None
    try:
        for first in range(0, len(rows), size):
            chosen = rows[first : first + size]
            block = file.read(chosen) if file else np.array(whole[chosen])
            damaged = ~np.isfinite(block).reshape(len(block), -1).all(axis=1)
            with naming(path):
                check_finite(str(path), block[damaged], int(chosen[np.argmax(damaged)]))
            yield block
    finally:
        if file:
            file.close()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the file and what to do about it to the error of a check that rejects its values.

    Where `path` is a folder, the check names one of its files without the ending.
    """
    try:
        yield
    except DataError as error:
        name = str(error).partition(":")[0]
        files = [path / f"{name}{ending}" for ending in (".npy", ".npz")]
        file = next((str(file) for file in files if file.is_file()), None)
        text = str(error) if file is None else f"{file}{str(error).removeprefix(name)}"
        raise ArtifactError(f"{text}{REMAKE}") from None
