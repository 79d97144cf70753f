"""What recorded arrays have to be: checked once, at the edge, and rejected with the row at fault."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.errors import DataError

SUM_TOLERANCE = 1e-3
"""How far a row of probabilities may be from a sum of 1, or an entry from the softmax of its logits.

Single precision over a thousand classes stays below 1e-4 and half precision over ten near 5e-4; a
forgotten softmax, a dropped class or the logits of another model are far beyond.
"""

BLOCK_BYTES = 1 << 23
"""Size of a block of rows in float64: small beside any memory, large beside the cost of a loop turn."""


def row_blocks(n_rows: int, n_columns: int, block_bytes: int = BLOCK_BYTES) -> Iterator[slice]:
    """Consecutive slices that cover ``n_rows`` rows, each about ``block_bytes`` of float64."""
    step = max(1, block_bytes // (8 * max(1, n_columns)))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def check_labels(name: str, labels: npt.ArrayLike, n_samples: int, n_classes: int) -> Integers:
    """Return ``labels`` as integers (n_samples,) in ``0 … n_classes − 1``.

    Raises
    ------
    DataError
        If the shape or the type is another, or for the first row whose label is no class.
    """
    array = np.asarray(labels)
    if array.shape != (n_samples,):
        raise DataError(f"{name}: expected shape ({n_samples},), found {array.shape}")
    if array.dtype.kind not in "iu":
        raise DataError(f"{name}: expected integer class labels, found {array.dtype}")
    outside = np.flatnonzero((array < 0) | (array >= n_classes))
    if outside.size:
        row = int(outside[0])
        raise DataError(f"{name}: row {row}: expected a class from 0 to {n_classes - 1}, found {array[row]}")
    return array.astype(np.intp)


def check_matrix(name: str, matrix: npt.NDArray[np.generic], shape: tuple[int, int | None]) -> None:
    """Reject a matrix of another shape (None: any number of columns, at least one) or not of numbers.

    Raises
    ------
    DataError
        Names the shape or type found.
    """
    n_columns = matrix.shape[1] if matrix.ndim == 2 else 0
    if matrix.ndim != 2 or len(matrix) != shape[0] or n_columns == 0 or shape[1] not in (None, n_columns):
        expected = f"({shape[0]}, {'any' if shape[1] is None else shape[1]})"
        raise DataError(f"{name}: expected shape {expected}, found {matrix.shape}")
    if matrix.dtype.kind not in "biuf":
        raise DataError(f"{name}: expected real numbers, found {matrix.dtype}")


def check_finite(name: str, block: Floats, first_row: int) -> None:
    """Reject a block of rows with a value that is not finite; ``first_row`` is its place in the whole.

    Raises
    ------
    DataError
        Names the first row at fault.
    """
    if not np.isfinite(block).all():
        row = first_row + int(np.flatnonzero(~np.isfinite(block.reshape(len(block), -1)).all(axis=1))[0])
        raise DataError(f"{name}: row {row}: a value is not finite")


def finite_column(name: str, values: npt.ArrayLike) -> Floats:
    """Return numbers as float64; (n, 1) is flattened to (n,), and another shape is returned as it is.

    Raises
    ------
    DataError
        Names the first row with a value that is not finite.
    """
    column = np.asarray(values, dtype=np.float64)
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim == 1:
        check_finite(name, column, 0)
    return column


def check_rows_sum_to_one(block: Floats, first_row: int) -> None:
    """Reject rows that are not finite, have a negative entry, or don't sum to 1 within `SUM_TOLERANCE`.

    Raises
    ------
    DataError
        Names the first row at fault, and what it sums to.
    """
    check_finite("probabilities", block, first_row)
    sums, lowest = block.sum(axis=1), block.min(axis=1)
    bad = np.flatnonzero((np.abs(sums - 1) > SUM_TOLERANCE) | (lowest < 0))
    if bad.size:
        row = int(bad[0])
        raise DataError(
            f"probabilities: row {first_row + row}: expected values of at least 0 that sum to 1, "
            f"found sum {sums[row]:.6g} and smallest {lowest[row]:.6g}; take the softmax of logits, or divide rounded "
            "rows by their sum"
        )


def check_agreement(probabilities: Floats, softmax: Floats, logits: Scores, first_row: int) -> None:
    """Reject logits whose softmax is not the probabilities: one of the two is of another model.

    Logits stored in few digits have a softmax that is off by up to a quarter of their last digit: ½ max |Δz|, and
    each is rounded by at most half of it.

    Parameters
    ----------
    probabilities, softmax
        (m, n_classes), of one block of rows.
    logits
        (m, n_classes), in the type that they are stored in.
    first_row
        Place of the block in the whole.

    Raises
    ------
    DataError
        Names the first row at fault and by how much it differs.
    """
    gap = np.abs(probabilities - softmax).max(axis=1)
    last_digit = np.spacing(np.abs(logits).max(axis=1)).astype(np.float64) if logits.dtype.kind == "f" else 0.0
    bad = np.flatnonzero(gap > SUM_TOLERANCE + last_digit / 4)
    if bad.size:
        row = int(bad[0])
        raise DataError(
            f"logits: row {first_row + row}: expected the probabilities to be their softmax, "
            f"found a difference of {gap[row]:.3g}"
        )
