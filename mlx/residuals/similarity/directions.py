"""The directions of a representation: its rows scaled to length 1, dense or sparse, read in blocks.

Everything about cosine similarity starts here. A representation may be memory-mapped and larger than
memory, or sparse (the leaves that a forest's trees send a sample to): neither is ever held whole and dense.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.block_sums import joined
from mlx.core.checks import BLOCK_BYTES, check_finite, check_matrix, row_blocks
from mlx.core.errors import DataError
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import in_unit, safe_exponent

KEEP_BYTES = 1 << 27
"""Unit vectors up to this size are kept; larger ones are computed again from their rows each time."""

SAFE_SQUARES = (1e-250, 1e250)
"""A sum of squares between these has lost no square to under- or overflow that matters."""

Representation: TypeAlias = "Scores | sparse.csr_array[Any]"
"""One row a sample."""

Rows: TypeAlias = Any
"""Rows (m, n_features) in float64, an array or a ``csr_array``: both know ``@``, and products with dense
matrices are dense."""


@dataclass(frozen=True)
class Directions:
    """The rows of a representation scaled to length 1, in float64.

    Attributes
    ----------
    representation
        (n_samples, n_features), finite; a sparse one as ``csr_array``.
    norms
        (n_samples,), Euclidean lengths; a row of length 0 has no direction and must not be taken.
    """

    representation: Representation
    norms: Floats

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the unit vectors: another process scales the rows that a task takes, of sparse ones all."""
        state = {"representation": self.representation, "norms": self.norms}
        return state if self.is_sparse else state | {"_kept": None}

    @property
    def is_sparse(self) -> bool:
        """Whether `take` returns sparse rows."""
        return sparse.issparse(self.representation)

    @property
    def n_features(self) -> int:
        """Width of the representation."""
        return int(self.representation.shape[1])

    @property
    def row_entries(self) -> int:
        """Numbers that a row takes in memory, on average."""
        if sparse.issparse(self.representation):
            return int(-(-self.representation.nnz // max(1, self.representation.shape[0])))
        return self.n_features

    @property
    def defined(self) -> Integers:
        """Rows that have a direction."""
        return np.flatnonzero(self.norms > 0)

    def take(self, rows: Integers | slice) -> Rows:
        """Return unit vectors (n_rows, n_features) of the given rows, not to be written to; sparse if those are."""
        where = _as_slice(rows)
        if self._kept is not None:
            return self._kept[where]
        block = self.representation[where]
        assert isinstance(block, np.ndarray), "sparse rows are kept"
        return _scaled(block, self.norms[where])

    def blocks(self, rows: Integers, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[Integers, Rows]]:
        """Go through the given rows, about ``block_bytes`` of them at a time, with their unit vectors."""
        for block in row_blocks(rows.size, self.row_entries, block_bytes):
            yield rows[block], self.take(rows[block])

    @cached_property
    def _kept(self) -> Rows | None:
        if sparse.issparse(self.representation):
            lengths = np.repeat(self.norms, np.diff(self.representation.indptr))
            data = np.divide(self.representation.data, lengths, out=np.zeros(lengths.shape), where=lengths > 0)
            parts = (data, self.representation.indices, self.representation.indptr)
            return sparse.csr_array(parts, shape=self.representation.shape)
        if self.representation.size * 8 > KEEP_BYTES:
            return None
        return _scaled(self.representation, self.norms)


def dense(rows: Rows) -> Floats:
    """Return a small block of rows as an array."""
    filled: Floats = rows if isinstance(rows, np.ndarray) else rows.toarray()
    return filled


def _as_slice(rows: Integers | slice) -> Integers | slice:
    """Rows that follow each other are read in one piece, without a copy."""
    if isinstance(rows, slice) or rows.size == 0 or rows[-1] - rows[0] != rows.size - 1:
        return rows
    return slice(int(rows[0]), int(rows[-1]) + 1) if (np.diff(rows) == 1).all() else rows


def _scaled(block: Scores, norms: Floats) -> Floats:
    # Converted and divided in one go, without a copy in between.
    return np.divide(block, np.where(norms > 0, norms, 1.0)[:, None], dtype=np.float64)


def directions_of(
    name: str, representation: Representation, n_samples: int, *, map: OrderedMap = in_order
) -> Directions:
    """Measure the rows of a representation (n_samples, n_features), and reject those without finite values.

    Parameters
    ----------
    name
        What messages call it.
    representation
        An array, which may be memory-mapped, or any ``scipy.sparse`` matrix.
    n_samples
        Rows that it must have.
    map
        How blocks of rows are measured.

    Raises
    ------
    DataError
        If the shape or type is wrong, or for the first row with a value that is not finite.
    """
    if sparse.issparse(representation):
        rows = _checked_sparse(name, representation, n_samples)
        return Directions(rows, _sparse_norms(rows))
    check_matrix(name, representation, (n_samples, None))
    blocks = row_blocks(*representation.shape)
    norms = joined(_Measure(name, representation), blocks, map=map) if n_samples else np.empty(0)
    return Directions(representation, norms)


@dataclass(frozen=True)
class _Measure:
    """Lengths (m,) of a block of rows."""

    name: str
    representation: Scores
    doing: ClassVar[str] = "measuring rows"

    def __call__(self, where: slice) -> Floats:
        block = np.asarray(self.representation[where], dtype=np.float64)
        squares = np.einsum("ij,ij->i", block, block)
        norms: Floats = np.sqrt(squares)
        # Squares that over- or underflow: scaled by the largest entry first. None is NaN or infinite unless
        # an entry or its square is.
        odd = np.flatnonzero(~((squares > SAFE_SQUARES[0]) & (squares < SAFE_SQUARES[1])))
        if odd.size:
            check_finite(self.name, block, where.start)
            norms[odd] = _scaled_norms(block[odd])
            check_finite(f"{self.name}: length of a row", norms, where.start)
        return norms


def in_range(representation: Any) -> tuple[Any, int]:
    """Divide a representation whose squares would under- or overflow by a power of two, and return its exponent.

    Any other is returned as it is, with exponent 0. What is divided is a copy in memory, in float64.
    """
    if not isinstance(representation, np.ndarray):
        exponent = safe_exponent([representation.data])
        if not exponent:
            return representation, 0
        scaled = representation.astype(np.float64)
        scaled.data = in_unit(scaled.data, exponent)
        return scaled, exponent
    exponent = safe_exponent(representation[rows] for rows in row_blocks(*representation.shape))
    return (in_unit(representation, exponent), exponent) if exponent else (representation, 0)


def _scaled_norms(rows: Floats) -> Floats:
    largest = np.abs(rows).max(axis=1)
    shares = rows / np.where(largest > 0, largest, 1.0)[:, None]
    norms: Floats = largest * np.sqrt(np.einsum("ij,ij->i", shares, shares))
    return norms


def _checked_sparse(name: str, matrix: Any, n_samples: int) -> Any:
    """Return it as ``csr_array`` in canonical form; the one that was given stays as it is."""
    if matrix.ndim != 2 or matrix.shape[0] != n_samples or matrix.shape[1] == 0:
        raise DataError(f"{name}: expected shape ({n_samples}, any), found {matrix.shape}")
    if matrix.dtype.kind not in "biuf":
        raise DataError(f"{name}: expected real numbers, found {matrix.dtype}")
    rows = sparse.csr_array(matrix, dtype=np.float64)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    bad = np.flatnonzero(~np.isfinite(rows.data))
    if bad.size:
        row = int(np.searchsorted(rows.indptr, bad[0], side="right")) - 1
        raise DataError(f"{name}: row {row}: a value is not finite")
    return rows


def _sparse_norms(rows: Any) -> Floats:
    largest = np.asarray(abs(rows).max(axis=1).todense(), dtype=np.float64).ravel()
    scale = np.repeat(largest, np.diff(rows.indptr))
    shares = np.divide(rows.data, scale, out=np.zeros(scale.shape), where=scale > 0)
    squares = sparse.csr_array((shares**2, rows.indices, rows.indptr), shape=rows.shape)
    norms: Floats = largest * np.sqrt(squares.sum(axis=1))
    return norms
