"""The generated classification tables: their geometry, and what is known of their law."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from mlx.core.errors import DataError
from mlx.datasets import Block, Dataset, DatasetSettings, open_dataset
from mlx.datasets.catalogue import GENERATED


def opened(name: str, **params: object) -> tuple[Dataset, Block]:
    dataset = open_dataset(DatasetSettings(name=name, params=params))
    return dataset, next(dataset.blocks(10**6))


def sorted_rows(X: np.ndarray) -> np.ndarray:
    rounded = np.round(X, 9) + 0.0  # no negative zeros
    return rounded[np.lexsort(rounded.T)]


@pytest.mark.parametrize(("name", "extra"), [("moons", {}), ("circles", {"factor": 0.8})])
def test_two_curves_without_noise_are_those_of_scikit_learn(name, extra):
    from sklearn import datasets

    _, block = opened(name, n_samples=500, noise=0.0, **extra)
    X, y = getattr(datasets, f"make_{name}")(500, noise=None, **extra)
    for label in (0, 1):
        np.testing.assert_allclose(sorted_rows(block.X[block.y == label]), sorted_rows(X[y == label]), atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3, 4, 7])
def test_moons_of_any_number_interlock_without_touching(n_classes):
    _, block = opened("moons", n_classes=n_classes, n_samples=400 * n_classes, noise=0.0)
    for first in range(n_classes):
        for second in range(first):
            one, other = block.X[block.y == first], block.X[block.y == second]
            nearest = np.linalg.norm(one[:, None] - other, axis=2).min()
            assert nearest > (0.35 if first - second == 1 else 0.3)


def test_circles_lie_evenly_between_the_outermost_and_the_innermost():
    _, block = opened("circles", n_classes=4, factor=0.1, noise=0.0)
    radius = np.linalg.norm(block.X, axis=1)
    np.testing.assert_allclose(radius, np.array([1.0, 0.7, 0.4, 0.1])[block.y])
    np.testing.assert_allclose(np.mod(np.arctan2(*block.X.T[::-1]), 2 * np.pi), block.factors["angle"], atol=1e-9)


@pytest.mark.parametrize("name", ["moons", "circles"])
def test_noise_moves_points_by_the_recorded_displacement_and_other_features_are_noise(name):
    _, exact = opened(name, n_samples=4000, noise=0.0)
    _, block = opened(name, n_samples=4000, noise=0.2, n_features=5)
    away = block.X[:, :2] - exact.X
    np.testing.assert_array_equal(block.y, exact.y)
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), block.factors["displacement"])
    assert away.std() == pytest.approx(0.2, rel=0.03)
    assert block.X[:, 2:].std() == pytest.approx(1, rel=0.03)
    assert np.abs(np.corrcoef(block.X[:, 2:].T, block.y)[-1, :-1]).max() < 0.08


@pytest.mark.parametrize("name", ["blobs", "synthetic_classification"])
def test_clusters_are_round_and_lie_where_the_details_say(name):
    dataset, block = opened(name, n_samples=4000, n_features=5, n_classes=3)
    centers = np.array(dataset.details["centers" if name == "blobs" else "means"])
    away = block.X - centers[block.y]
    np.testing.assert_allclose(np.cov(away.T), np.eye(5), atol=0.1)
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), block.factors["center_distance"])


def test_class_sep_scales_the_means_and_noise_features_have_none():
    near, far = (
        np.array(opened("synthetic_classification", n_informative=4, class_sep=sep)[0].details["means"])
        for sep in (1.0, 3.0)
    )
    np.testing.assert_allclose(far, 3 * near)
    assert np.count_nonzero(near, axis=0).tolist() == [2] * 4 + [0] * 6


def test_features_of_a_classification_are_of_the_kinds_that_the_details_say():
    dataset, block = opened("classification", n_samples=2000, n_informative=5, n_redundant=3, n_repeated=2)
    assert dataset.details["features"] == {"informative": 5, "redundant": 3, "repeated": 2, "noise": 10}
    informative, redundant, repeated, noise = np.split(block.X, [5, 8, 10], axis=1)
    assert np.linalg.matrix_rank(np.hstack([informative, redundant]), tol=1e-6) == 5
    for column in repeated.T:
        assert np.abs(block.X[:, :8] - column[:, None]).max(axis=0).min() == 0
    assert np.abs(np.corrcoef(noise.T, block.y)[-1, :-1]).max() < 0.1


def test_clusters_of_a_classification_belong_to_their_classes():
    _, block = opened("classification", n_classes=3, n_samples=1001, n_clusters_per_class=3, class_sep=4.0)
    np.testing.assert_array_equal(block.factors["cluster"] % 3, block.y)
    assert np.ptp(np.bincount(block.y)) <= 1
    assert np.bincount(block.factors["cluster"]).min() >= 109
    means = np.array([block.X[block.factors["cluster"] == k].mean(axis=0) for k in range(9)])
    assert np.linalg.norm(means[:, None] - means, axis=2)[np.triu_indices(9, 1)].min() > 4


MIXTURE = {
    "means": [[0.0, 0.0], [2.0, 0.0], [0.0, 3.0]],
    "covariances": [[[1.0, 0.3], [0.3, 0.5]], [[0.7, 0.0], [0.0, 2.0]], [[1.0, -0.6], [-0.6, 1.0]]],
    "class_weights": [5, 3, 2],
}


def densities(dataset: Dataset, X: np.ndarray) -> np.ndarray:
    law = zip(*(dataset.details[key] for key in ("weights", "means", "covariances")), strict=True)
    return np.stack([w * multivariate_normal(mean, cov).pdf(X) for w, mean, cov in law], axis=1)


@pytest.mark.parametrize("params", [MIXTURE, {"n_classes": 4, "n_features": 6, "class_sep": 0.7}])
def test_posteriors_are_those_of_bayes_rule_with_scipys_densities(params):
    dataset, block = opened("gaussian_mixture", n_samples=500, **params)
    expected = densities(dataset, block.X)
    expected /= expected.sum(axis=1, keepdims=True)
    found = np.stack([block.factors[f"posterior_{k}"] for k in range(expected.shape[1])], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("label_noise", [0.0, 0.3])
@pytest.mark.parametrize("params", [MIXTURE, {"n_classes": 4, "n_features": 6, "class_sep": 0.7}])
def test_bayes_error_and_entropy_agree_with_an_independent_simulation(params, label_noise):
    dataset, _ = opened("gaussian_mixture", label_noise=label_noise, **params)
    rng, n = np.random.default_rng(2024), 100_000
    details = dataset.details
    y = rng.choice(len(details["weights"]), n, p=details["weights"])
    X = np.empty((n, len(details["means"][0])))
    for k, (mean, cov) in enumerate(zip(details["means"], details["covariances"], strict=True)):
        X[y == k] = rng.multivariate_normal(mean, cov, (y == k).sum())
    best = densities(dataset, X)
    best /= best.sum(axis=1, keepdims=True)
    wrong = rng.random(n) < label_noise
    y = np.where(wrong, (y + rng.integers(1, best.shape[1], n)) % best.shape[1], y)
    error = (best.argmax(axis=1) != y).mean()
    se = np.hypot(np.sqrt(error * (1 - error) / n), details["bayes_error_se"])
    assert details["bayes_error"] == pytest.approx(error, abs=4 * se)
    noisy = (1 - label_noise) * best + label_noise * (1 - best) / (best.shape[1] - 1)
    entropy = -(noisy * np.log(np.maximum(noisy, 1e-300))).sum(axis=1)
    se = np.hypot(entropy.std() / np.sqrt(n), details["bayes_entropy_se"])
    assert details["bayes_entropy"] == pytest.approx(entropy.mean(), abs=4 * se)


def test_two_equal_normal_classes_have_the_textbook_bayes_error():
    from scipy.stats import norm

    identity = [[1.0, 0.0], [0.0, 1.0]]
    dataset, _ = opened("gaussian_mixture", means=[[0.0, 0.0], [2.0, 0.0]], covariances=[identity, identity])
    assert dataset.details["bayes_error"] == pytest.approx(norm.cdf(-1), abs=4 * dataset.details["bayes_error_se"])


def test_a_mixture_takes_its_sizes_from_its_means_and_has_their_law():
    dataset, block = opened("gaussian_mixture", n_samples=10_000, **MIXTURE)
    assert dataset.sample_shape == (2,)
    assert np.bincount(block.y).tolist() == [5000, 3000, 2000]
    for k in range(3):
        mine = block.X[block.y == k]
        np.testing.assert_allclose(mine.mean(axis=0), MIXTURE["means"][k], atol=0.12)
        np.testing.assert_allclose(np.cov(mine.T), MIXTURE["covariances"][k], atol=0.15)
    _, same = opened(
        "gaussian_mixture",
        n_samples=10_000,
        weights=[5, 3, 2],
        **{k: MIXTURE[k] for k in ("means", "covariances")},
    )
    np.testing.assert_array_equal(same.X, block.X)


@pytest.mark.parametrize("sep", [0.5, 3.0])
def test_the_closest_means_of_a_drawn_mixture_are_two_class_seps_apart(sep):
    means = np.array(opened("gaussian_mixture", n_classes=5, n_features=3, class_sep=sep)[0].details["means"])
    gaps = np.linalg.norm(means[:, None] - means, axis=2)[np.triu_indices(5, 1)]
    assert gaps.min() == pytest.approx(2 * sep)


TABLES = [name for name in GENERATED if "n_features" in GENERATED[name].params.model_fields]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_over_one_gigabyte_is_refused_with_the_estimate(name):
    settings = DatasetSettings(name=name, params={"n_samples": 2_000_000, "n_features": 99})
    with pytest.raises(DataError, match=rf"{name}: 2,000,000 samples of 99 features need 1\.6 GB"):
        open_dataset(settings)
