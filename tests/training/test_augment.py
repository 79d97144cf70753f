"""Augmentation moves and mirrors images, and does nothing else."""

import numpy as np
import pytest

from mlx.core.descriptions import AugmentationDescription
from mlx.core.errors import DataError
from mlx.training.augment import Augmentation, augmentation_of
from mlx.training.settings import AugmentationSettings


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


def test_a_crop_shows_a_part_of_the_image_enlarged_to_the_whole() -> None:
    X = np.arange(30.0)[None, :, None, None] + 100 * np.arange(30.0)[None, None, :, None] + np.zeros((200, 1, 1, 1))
    changed = Augmentation(crop=0.5).apply(X, np.random.default_rng(1))
    rows, columns = changed[:, :, 0, 0] % 100, changed[:, 0, :, 0] // 100
    for places in (rows, columns):
        assert (np.diff(places, axis=1) >= 0).all()
        assert np.isin(np.diff(places, axis=1), (0, 1)).all()  # nothing within the part is left out
        widths = places[:, -1] - places[:, 0] + 1
        assert widths.min() < 18
        assert widths.min() >= 15
        assert widths.max() > 27
        assert {0.0, 29.0} <= set(places[:, [0, -1]].ravel())
    extents = [places[:, -1] - places[:, 0] for places in (rows, columns)]
    assert np.abs(extents[0] - extents[1]).max() <= 1  # it keeps its proportions


def test_noise_is_normal_with_the_deviation_asked_for_and_suits_tables_too() -> None:
    X = np.full((300, 50), 7, np.uint8)
    changed = Augmentation(noise=0.5).apply(X, np.random.default_rng(1))
    assert changed.dtype == np.float32
    assert changed.mean() == pytest.approx(7, abs=0.02)
    assert changed.std() == pytest.approx(0.5, rel=0.02)
    assert Augmentation(noise=0.5).apply(X.astype(np.float64), np.random.default_rng(1)).dtype == np.float64


def test_the_training_section_overrides_the_dataset() -> None:
    allowed = AugmentationDescription(flip=True, shift=0.1)
    assert augmentation_of(AugmentationSettings(), allowed) == Augmentation(flip=True, shift=0.1)
    assert augmentation_of(AugmentationSettings(flip=False, noise=0.2), allowed) == Augmentation(shift=0.1, noise=0.2)
    assert not augmentation_of(AugmentationSettings(), None)
    recorded = AugmentationSettings.model_validate(AugmentationSettings(noise=0.2).as_dict())
    assert augmentation_of(recorded, allowed) == Augmentation(flip=True, shift=0.1, noise=0.2)
