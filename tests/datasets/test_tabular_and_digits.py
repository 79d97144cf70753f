"""Tables with a known law, and the real digits."""

import numpy as np
import pytest

from mlx.core.errors import DataError
from mlx.datasets import DatasetSettings, open_dataset


def opened(name, **params):
    dataset = open_dataset(DatasetSettings(name=name, params=params))
    return dataset, next(dataset.blocks(10**6))


def test_least_squares_recovers_the_true_weights_within_theory():
    noise_std, within = 0.5, []
    for seed in range(20):
        dataset, block = opened("synthetic_regression", n_samples=500, noise_std=noise_std, seed=seed)
        found = np.linalg.lstsq(block.X, block.y, rcond=None)[0]
        error = noise_std * np.sqrt(np.diag(np.linalg.inv(block.X.T @ block.X)))
        within.extend(np.abs(found - dataset.details["weights"]) / error < 1.96)
    assert np.mean(within) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / len(within)))


def test_targets_are_the_law_plus_the_recorded_noise():
    dataset, block = opened("synthetic_regression", n_samples=4000, noise_std=2.0)
    np.testing.assert_allclose(block.X @ dataset.details["weights"] + block.factors["noise"], block.y)
    assert np.std(block.factors["noise"]) == pytest.approx(2.0, rel=0.05)
    exact = opened("synthetic_regression", noise_std=0.0)
    np.testing.assert_allclose(exact[1].X @ exact[0].details["weights"], exact[1].y, atol=1e-12)


@pytest.mark.parametrize(("n_informative", "expected"), [(None, 10), (3, 3), (1, 1)])
def test_as_many_weights_as_informative_features_are_not_zero(n_informative, expected):
    dataset, _ = opened("synthetic_regression", n_informative=n_informative)
    assert np.count_nonzero(dataset.details["weights"]) == expected


def test_blobs_lie_around_their_recorded_centres():
    dataset, block = opened("blobs", n_samples=3000, n_features=5, cluster_std=0.5, center_box=[-3.0, 3.0])
    centers = np.array(dataset.details["centers"])
    assert centers.shape == (3, 5)
    assert np.abs(centers).max() <= 3
    away = block.X - centers[block.y]
    assert away.std() == pytest.approx(0.5, rel=0.05)
    np.testing.assert_allclose(block.factors["center_distance"], np.linalg.norm(away, axis=1))


@pytest.mark.parametrize("name", ["blobs", "synthetic_regression"])
def test_a_table_over_one_gigabyte_is_refused_with_the_estimate(name):
    settings = DatasetSettings(name=name, params={"n_samples": 2_000_000, "n_features": 99})
    with pytest.raises(DataError, match=rf"{name}: 2,000,000 samples of 99 features need 1\.6 GB"):
        open_dataset(settings)


def test_digits_are_images_whose_full_ink_is_255():
    from sklearn.datasets import load_digits

    dataset, block = opened("digits")
    assert dataset.class_names == tuple("0123456789")
    assert block.X.shape == (1797, 8, 8, 1)
    assert block.X.dtype == np.uint8
    assert (block.X.min(), block.X.max()) == (0, 255)
    np.testing.assert_array_equal(np.rint(block.X[..., 0] * (16 / 255)), load_digits().images)
