"""Augmentation moves and mirrors images, and does nothing else."""

import numpy as np
import pytest

from mlx.core.errors import DataError
from mlx.training.augment import Augmentation


def test_every_image_is_a_shift_of_itself_mirrored_or_not() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((40, 8, 10, 2)).astype(np.float32)
    changed = Augmentation(flip=True, shift=0.25).apply(X, np.random.default_rng(1))
    assert changed.shape == X.shape
    assert changed.dtype == X.dtype
    kinds = set()
    for image, result in zip(X, changed, strict=True):
        padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="edge")
        found = [
            (mirror, dy, dx)
            for mirror in (False, True)
            for dy in range(5)
            for dx in range(5)
            if np.array_equal(padded[dy : dy + 8, dx : dx + 10][:, :: -1 if mirror else 1], result)
        ]
        assert len(found) == 1
        kinds.add(found[0])
    assert {mirror for mirror, _, _ in kinds} == {False, True}
    assert len({(dy, dx) for _, dy, dx in kinds}) > 10


def test_nothing_allowed_is_nothing_done() -> None:
    X = np.random.default_rng(0).random((5, 4, 4, 1))
    np.testing.assert_array_equal(Augmentation(flip=False, shift=0.0).apply(X, np.random.default_rng(1)), X)


def test_tables_are_refused() -> None:
    with pytest.raises(DataError, match=r"expected images .*, found samples of \(3,\)"):
        Augmentation(flip=False, shift=0.1).apply(np.zeros((2, 3)), np.random.default_rng(0))
