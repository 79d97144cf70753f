"""Samples that are exact duplicates: of the same representation and the same output."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import row_blocks
from mlx.core.streams import stream
from mlx.stats.groups import Groups
from mlx.stats.status import Reason, Status

SUMMED_BYTES = 1 << 20
"""Size of the rows that are summed at a time, in a core's cache."""


@dataclass(frozen=True)
class Duplicates:
    """Which samples are exact duplicates of an earlier one.

    Attributes
    ----------
    first
        (n_samples,), row of the first sample with the same representation and output: its own where there is none.
    """

    first: Integers

    @property
    def count(self) -> int:
        """Samples that repeat an earlier one."""
        return self.count_between(None)

    def count_between(self, groups: Groups | None) -> int:
        """Samples that repeat an earlier one of another group; without groups, of any."""
        n_distinct = np.count_nonzero(self.first == np.arange(self.first.size))
        if groups is None:
            return int(self.first.size - n_distinct)
        return int(np.unique(np.stack([self.first, groups.codes]), axis=1).shape[1] - n_distinct)

    def mark(self, statuses: Iterable[Status], groups: Groups | None) -> Iterator[Status]:
        """Add to each status how many duplicates are counted as independent, if any are."""
        between = self.count_between(groups)
        for status in statuses:
            yield Reason.DUPLICATES(status, between, self.first.size) if between else status

    def warning(self, groups: Groups | None, *, key: str = "residuals.groups") -> str:
        """Say what the duplicates mean for the results; empty without duplicates that are counted as independent.

        ``key`` is that of the configuration that names the groups.
        """
        if not (between := self.count_between(groups)):
            return ""
        advice = f"; {key}: duplicates counts them once" if groups is None else ""
        return (
            f"{between} of {self.first.size} samples are exact duplicates of others (same representation and "
            f"output), and p-values and intervals count them as independent{advice}"
        )


def find_duplicates(representation: Any, outputs: Scores) -> Duplicates:
    """Find samples of the same representation and output, in O(n·d) and one block of rows at a time.

    Parameters
    ----------
    representation
        (n_samples, n_features), an array, which may be memory-mapped, or a ``csr_array``. Only rows whose output
        recurs are read.
    outputs
        (n_samples, n_classes), logits or probabilities; or (n_samples, 1), the predictions of a regression.
    """
    first, seen = np.arange(len(outputs)), dict[tuple[bytes, bytes], int]()
    alike = _perhaps_recurring(outputs)
    by_output = dict(zip(alike.tolist(), _digests(outputs, alike), strict=True))
    times = Counter(by_output.values())
    recurring = np.array([row for row, digest in by_output.items() if times[digest] > 1], dtype=np.intp)
    for row, digest in zip(recurring.tolist(), _digests(representation, recurring), strict=True):
        first[row] = seen.setdefault((by_output[row], digest), row)
    return Duplicates(first)


def first_equal_rows(matrix: Any) -> Integers:
    """Return the first row (n,) equal to each row of a matrix (n, n_columns): its own where there is no earlier one."""
    seen, first = dict[bytes, int](), np.arange(matrix.shape[0])
    recurring = _perhaps_recurring(matrix)
    for row, digest in zip(recurring.tolist(), _digests(matrix, recurring), strict=True):
        first[row] = seen.setdefault(digest, row)
    return first


def _perhaps_recurring(matrix: Any) -> Integers:
    """Return rows some of which may be equal: those whose sums of bits, each times an odd number, are."""
    n, d = matrix.shape
    odd = stream(0).integers(1 << 63, size=d, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    sums = np.empty(n, dtype=np.uint64)
    for block in row_blocks(n, d, SUMMED_BYTES):
        sums[block] = np.einsum("ij,j->i", _values(matrix[block]).view(np.uint64), odd)
    _, which, counts = np.unique(sums, return_inverse=True, return_counts=True)
    return np.flatnonzero(counts[which] > 1)


def _digests(matrix: Any, rows: Integers) -> Iterator[bytes]:
    """Digest of each row; two different rows have the same with a chance of n²/2^129."""
    for block in row_blocks(rows.size, matrix.shape[1]):
        yield from (blake2b(row.data, digest_size=16).digest() for row in _values(matrix[rows[block]]))


def _values(rows: Any) -> Floats:
    """Return rows as an array of float64 in which -0 and 0 are the same bytes."""
    filled = rows if isinstance(rows, np.ndarray) else rows.toarray()
    values: Floats = np.ascontiguousarray(filled, dtype=np.float64) + 0.0
    return values
