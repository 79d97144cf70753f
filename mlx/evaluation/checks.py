"""What the evaluation accepts: inputs are checked once, here, and refused with the row that is wrong."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mlx.core.errors import DataError

SUM_TOLERANCE = 1e-3
"""How far a row of probabilities may be from a sum of 1.

Single precision over a thousand classes stays below 1e-4 and half precision over ten near 5e-4; a
forgotten softmax or a dropped class is far beyond.
"""

BLOCK_BYTES = 1 << 23
"""Size of a block of rows in float64: small beside any memory, large beside the cost of a loop turn."""


def row_blocks(n_rows: int, n_columns: int, block_bytes: int = BLOCK_BYTES) -> Iterator[slice]:
    """Consecutive slices that cover ``n_rows`` rows, each about ``block_bytes`` of float64."""
    step = max(1, block_bytes // (8 * max(1, n_columns)))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def check_labels(name: str, labels: npt.ArrayLike, n_samples: int, n_classes: int) -> npt.NDArray[np.intp]:
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


def check_scores(name: str, scores: npt.NDArray[np.floating], shape: tuple[int, int]) -> None:
    """Refuse scores (n_samples, n_classes) of another shape or with a value that is not finite.

    Raises
    ------
    DataError
        Names the first row at fault.
    """
    if scores.shape != shape:
        raise DataError(f"{name}: expected shape {shape}, found {scores.shape}")
    for rows in row_blocks(*shape):
        bad = np.flatnonzero(~np.isfinite(scores[rows]).all(axis=1))
        if bad.size:
            raise DataError(f"{name}: row {rows.start + int(bad[0])}: a value is not finite")


def check_probabilities(probabilities: npt.NDArray[np.floating], shape: tuple[int, int]) -> None:
    """Refuse rows that are not finite, have a negative entry, or don't sum to 1 (`SUM_TOLERANCE`).

    Raises
    ------
    DataError
        Names the first row at fault, and what it sums to.
    """
    check_scores("probabilities", probabilities, shape)
    for rows in row_blocks(*shape):
        block = np.asarray(probabilities[rows], dtype=np.float64)
        sums = block.sum(axis=1)
        bad = np.flatnonzero((np.abs(sums - 1) > SUM_TOLERANCE) | (block < 0).any(axis=1))
        if bad.size:
            row = int(bad[0])
            raise DataError(
                f"probabilities: row {rows.start + row}: expected values of at least 0 that sum to 1, "
                f"found sum {sums[row]:.6g} and smallest {block[row].min():.6g}"
            )


def check_pair(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], ...]:
    """Return targets and predictions (n_samples,) as float64; shape (n_samples, 1) is flattened.

    Raises
    ------
    DataError
        If there is no sample, the shapes differ, or a value is not finite (with its row).
    """
    true, pred = (np.asarray(values, dtype=np.float64) for values in (y_true, y_pred))
    true, pred = (v[:, 0] if v.ndim == 2 and v.shape[1] == 1 else v for v in (true, pred))
    if true.ndim != 1 or true.shape != pred.shape or true.size == 0:
        raise DataError(f"expected y_true and y_pred of one shape (n,), found {true.shape} and {pred.shape}")
    for name, values in (("y_true", true), ("y_pred", pred)):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise DataError(f"{name}: row {int(bad[0])}: a value is not finite")
    return true, pred
