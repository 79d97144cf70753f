"""How alike is a sample to its classmates? Mean cosine similarities in O(n·d), without the n × n matrix.

Every mean follows from the sum of unit vectors S of the group: Σ_j u_i·u_j = u_i·S, of which u_i·u_i = 1
is the sample itself. Representations are read in blocks of rows and may be larger than memory.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlx.core.checks import BLOCK_BYTES, Floats, Integers, Scores, check_finite, check_matrix, row_blocks

KEEP_BYTES = 1 << 27
"""Unit vectors up to this size are kept; larger ones are computed again from their rows each time."""


@dataclass(frozen=True)
class UnitRows:
    """The rows of a representation scaled to length 1, in float64.

    Attributes
    ----------
    representation
        (n_samples, n_features), finite.
    norms
        (n_samples,), Euclidean lengths; a row of length 0 has no direction and must not be taken.
    """

    representation: Scores
    norms: Floats

    @property
    def defined(self) -> Integers:
        """Rows that have a direction."""
        return np.flatnonzero(self.norms > 0)

    @cached_property
    def _kept(self) -> Floats | None:
        if self.representation.size * 8 > KEEP_BYTES:
            return None
        return self._scaled(np.asarray(self.representation, dtype=np.float64), self.norms)

    def take(self, rows: Integers) -> Floats:
        """Return unit vectors (len(rows), n_features) of the given rows."""
        if self._kept is not None:
            return self._kept[rows]
        return self._scaled(np.asarray(self.representation[rows], dtype=np.float64), self.norms[rows])

    @staticmethod
    def _scaled(block: Floats, norms: Floats) -> Floats:
        return block / np.where(norms > 0, norms, 1.0)[:, None]


def unit_rows(name: str, representation: Scores, n_samples: int) -> UnitRows:
    """Measure the rows of a representation (n_samples, n_features), refusing what can't be measured.

    Raises
    ------
    DataError
        If the shape or type is wrong, or for the first row with a value that is not finite.
    """
    check_matrix(name, representation, (n_samples, None))
    norms = np.empty(n_samples)
    for rows in row_blocks(*representation.shape):
        block = np.asarray(representation[rows], dtype=np.float64)
        check_finite(name, block, rows.start)
        # Scaled by the largest entry first, so that no square over- or underflows.
        largest = np.abs(block).max(axis=1)
        block = block / np.where(largest > 0, largest, 1.0)[:, None]
        norms[rows] = largest * np.sqrt(np.einsum("ij,ij->i", block, block))
    return UnitRows(representation, norms)


def group_similarity(units: UnitRows, labels: Integers, *, block_bytes: int = BLOCK_BYTES) -> Floats:
    """Mean cosine similarity of every sample to all others of its group.

    a_i = (u_i·S_c − 1) / (n_c − 1) with S_c the sum of the unit vectors of group c and n_c their number.

    Parameters
    ----------
    units
        Directions of n_samples rows.
    labels
        (n_samples,), the group of each sample, integers from 0.
    block_bytes
        Memory of one block of rows; changes nothing beyond the last rounding.

    Returns
    -------
    Floats
        (n_samples,), in [−1, 1], higher is more alike; NaN for a row without direction and for the only
        member of a group.
    """
    n_samples, n_features = units.representation.shape
    n_groups = int(labels.max()) + 1
    sums = np.zeros((n_groups, n_features))
    for rows in row_blocks(n_samples, n_features, block_bytes):
        _add_group_sums(sums, units, labels, np.arange(rows.start, rows.stop))
    sizes = np.bincount(labels[units.defined], minlength=n_groups)
    similarity = np.full(n_samples, np.nan)
    for rows in row_blocks(n_samples, n_features, block_bytes):
        members = np.arange(rows.start, rows.stop)
        members = members[(units.norms[rows] > 0) & (sizes[labels[rows]] > 1)]
        group = labels[members]
        total = np.einsum("ij,ij->i", units.take(members), sums[group])
        similarity[members] = np.clip((total - 1) / (sizes[group] - 1), -1.0, 1.0)
    return similarity


def _add_group_sums(sums: Floats, units: UnitRows, labels: Integers, rows: Integers) -> None:
    rows = rows[units.norms[rows] > 0]
    if rows.size == 0:
        return
    rows = rows[np.argsort(labels[rows], kind="stable")]
    groups, starts = np.unique(labels[rows], return_index=True)
    sums[groups] += np.add.reduceat(units.take(rows), starts, axis=0)
