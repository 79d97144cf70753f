"""Samples that are exact duplicates: of the same representation and the same output."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from mlx.core.array_types import Integers, Scores
from mlx.core.checks import row_blocks
from mlx.stats.groups import Groups
from mlx.stats.status import Reason, Status


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
    n = len(outputs)
    by_output = list(_digests(outputs, np.arange(n)))
    times, first, seen = Counter(by_output), np.arange(n), dict[tuple[bytes, bytes], int]()
    recurring = np.array([row for row, digest in enumerate(by_output) if times[digest] > 1], dtype=np.intp)
    for row, digest in zip(recurring.tolist(), _digests(representation, recurring), strict=True):
        first[row] = seen.setdefault((by_output[row], digest), row)
    return Duplicates(first)


def first_equal_rows(matrix: Any) -> Integers:
    """Return the first row (n,) equal to each row of a matrix (n, n_columns): its own where there is no earlier one."""
    seen = dict[bytes, int]()
    rows = np.arange(matrix.shape[0])
    return np.array([seen.setdefault(digest, row) for row, digest in enumerate(_digests(matrix, rows))], dtype=np.intp)


def _digests(matrix: Any, rows: Integers) -> Iterator[bytes]:
    """Digest of each row; two different rows have the same with a chance of n²/2^129."""
    for block in row_blocks(rows.size, matrix.shape[1]):
        # Adding 0 makes -0 and 0 the same bytes.
        chosen = matrix[rows[block]]
        filled = chosen if isinstance(chosen, np.ndarray) else chosen.toarray()
        values = np.ascontiguousarray(filled, dtype=np.float64) + 0.0
        yield from (blake2b(row.data, digest_size=16).digest() for row in values)
