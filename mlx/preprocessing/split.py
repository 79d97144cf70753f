"""Divides the rows of a dataset into train, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.core.apportion import apportion
from mlx.core.array_types import Counts, Indices
from mlx.core.errors import DataError
from mlx.preprocessing.settings import SplitSettings


@dataclass(frozen=True)
class Split:
    """Which rows each part has: three disjoint ascending index arrays that cover all rows."""

    train: Indices
    val: Indices
    test: Indices

    def parts(self) -> dict[str, Indices]:
        """The parts by the name that their files carry."""
        return {"train": self.train, "val": self.val, "test": self.test}


def split_rows(y: npt.NDArray[np.generic], class_names: Sequence[str], settings: SplitSettings) -> Split:
    """Draw a split of ``len(y)`` rows.

    The rows of a part stay in the order of the source, so that a part is one pass over it; training
    shuffles for itself.

    Parameters
    ----------
    y : (n,) class labels 0..K-1, or a regression target.
    class_names : K names; empty for regression, which is never stratified.
    settings : fractions, seed, and whether each class is divided alike.

    Raises
    ------
    DataError
        A part would be empty, or a class has too few samples for each part to get one.
    """
    n = len(y)
    sizes = np.array([round(n * settings.test_size), round(n * settings.val_size)])
    n_train = n - int(sizes.sum())
    if min(n_train, *sizes) < 1:
        raise DataError(
            f"split: expected at least one sample in each part, found {n} samples divided into "
            f"{n_train} train, {sizes[1]} val, {sizes[0]} test; use more samples or other fractions"
        )
    rng = np.random.default_rng(settings.seed)
    if settings.stratify and class_names:
        part = _draw_by_class(np.asarray(y, np.int64), class_names, sizes, rng)
    else:
        part = np.zeros(n, np.int8)
        order = rng.permutation(n)
        part[order[: sizes[0]]] = 2
        part[order[sizes[0] : sizes.sum()]] = 1
    return Split(*(np.flatnonzero(part == code).astype(np.int64) for code in range(3)))


def _draw_by_class(
    y: Indices, class_names: Sequence[str], sizes: Counts, rng: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Return each row's part (0 train, 1 val, 2 test), with every class divided alike."""
    available = np.bincount(y, minlength=len(class_names))
    for name, count in zip(class_names, available, strict=True):
        if count < 3:
            raise DataError(
                f"split.stratify: expected at least 3 samples of each class, one for each part, found "
                f"{count} of class '{name}'; use more samples or stratify: false"
            )
    for part, total in (("train", len(y) - int(sizes.sum())), ("val", sizes[1]), ("test", sizes[0])):
        if total < len(class_names):
            raise DataError(
                f"split.stratify: expected the {part} part to hold a sample of each of {len(class_names)} "
                f"classes, found a part of {total} samples; use more samples, other fractions or stratify: false"
            )
    n_test = apportion(int(sizes[0]), available, available - 2)
    n_val = apportion(int(sizes[1]), available, available - n_test - 1)
    code = np.zeros(len(y), np.int8)
    for label in range(len(class_names)):
        rows = rng.permutation(np.flatnonzero(y == label))
        code[rows[: n_test[label]]] = 2
        code[rows[n_test[label] : n_test[label] + n_val[label]]] = 1
    return code
