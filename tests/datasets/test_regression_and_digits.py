"""The regression table with its known weights, and the real digits."""

import numpy as np
import pytest

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


def test_digits_are_images_whose_full_ink_is_255():
    from sklearn.datasets import load_digits

    dataset, block = opened("digits")
    assert dataset.class_names == tuple("0123456789")
    assert block.X.shape == (1797, 8, 8, 1)
    assert block.X.dtype == np.uint8
    assert (block.X.min(), block.X.max()) == (0, 255)
    np.testing.assert_array_equal(np.rint(block.X[..., 0] * (16 / 255)), load_digits().images)
