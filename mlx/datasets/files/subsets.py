"""Which samples of a stored set are used, and how they are read in the order of the files."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mlx.core.apportion import apportion
from mlx.core.array_types import Array, Indices
from mlx.core.errors import SettingsError
from mlx.datasets.dataset import spans
from mlx.datasets.randomness import Stream, generator

ReadRows = Callable[[Indices, int], Iterator[Array]]
"""``read(index, rows)`` yields the samples of the ascending `index` in order, `rows` at a time."""


def choose_rows(labels: Array, n_samples: int | None, seed: int, *, stratify: bool = True) -> Indices:
    """Return the ascending rows of a subset of `n_samples`, all where it is None.

    Parameters
    ----------
    labels
        What each row's class is, shape (rows,).
    stratify
        Give each class its share, by largest remainders, and at least one row.

    Raises
    ------
    SettingsError
        If there are fewer rows than asked for, or more classes.
    """
    n = len(labels)
    if n_samples is None:
        return np.arange(n, dtype=np.int64)
    if n_samples > n:
        raise _unusable(f"at most {n}, as many samples as there are", n_samples)
    rng = generator(seed, Stream.SAMPLES)
    if not stratify:
        drawn: Indices = np.sort(rng.permutation(n)[:n_samples])
        return drawn
    classes, members, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if n_samples < len(classes):
        raise _unusable(f"at least one sample for each of {len(classes)} classes", n_samples)
    order = rng.permutation(n)
    order = order[np.argsort(members[order], kind="stable")]  # class by class, shuffled within
    starts = np.cumsum(counts) - counts
    parts = [order[s : s + k] for s, k in zip(starts, apportion(n_samples, counts, counts), strict=True)]
    chosen: Indices = np.sort(np.concatenate(parts))
    return chosen


def _unusable(expected: str, found: Any) -> SettingsError:
    return SettingsError(f"expected {expected}, found {found}", key=("dataset", "params", "n_samples"))


def picked(chunks: Iterator[Array], index: Indices, rows: int) -> Iterator[Array]:
    """Yield the rows of the ascending `index`, `rows` at a time, from chunks that follow each other.

    One pass from front to back, holding a chunk and a block: files larger than memory and compressed
    ones, which can't be read from the middle, are read alike. The rest of the last file is read as
    well, as only the end of a gzip file shows that it is complete.
    """
    held: list[Array] = []
    waiting = first = 0
    for chunk in chunks:
        low, high = np.searchsorted(index, (first, first + len(chunk)))
        part = chunk if high - low == len(chunk) else chunk[index[low:high] - first]
        first += len(chunk)
        while len(part):
            taken, part = part[: rows - waiting], part[rows - waiting :]
            held.append(taken)
            waiting += len(taken)
            if waiting == rows:
                yield _joined(held)
                held, waiting = [], 0
    if held:
        yield _joined(held)


def rows_in(X: Array) -> ReadRows:
    """Return what reads samples that are in memory."""

    def read(index: Indices, rows: int) -> Iterator[Array]:
        yield from (X[index[start:stop]] for start, stop in spans(len(index), rows))

    return read


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def counted(index: Indices, total: int) -> str:
    """Return how many samples are used, and of how many, for the description of a dataset."""
    return str(total) if len(index) == total else f"{len(index)} of {total}"
