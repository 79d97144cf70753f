"""Parameters at the edge of reason are refused before any work, with one message."""

from typing import Any

import pytest
from pydantic import ValidationError

from mlx.core.errors import DataError, SettingsError
from mlx.datasets import DatasetSettings, open_dataset


@pytest.mark.parametrize(
    ("name", "params", "key"),
    [
        ("blobs", {"cluster_std": 1e308}, "cluster_std"),
        ("blobs", {"center_box": [-1e308, 1e308]}, "center_box"),
        ("blobs", {"n_classes": 10**7, "n_samples": 10**7}, "n_classes"),
        ("shapes", {"n_samples": 10**17}, "n_samples"),
        ("classification", {"class_sep": 1e308}, "class_sep"),
        ("moons", {"noise": 1e308}, "noise"),
        ("synthetic_regression", {"noise_std": 1e308}, "noise_std"),
        ("gaussian_mixture", {"n_classes": 2, "n_features": 1, "means": [[0.0], [1e308]]}, "means"),
        ("shapes", {"n_classes": 3, "class_weights": [1e308, 1e308, 1e308]}, "class_weights"),
    ],
)
def test_a_number_beyond_any_use_is_refused_at_its_key(name: str, params: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DatasetSettings(name=name, params=params)
    assert {error["loc"][1] for error in caught.value.errors()} == {key}


def test_a_mixture_whose_law_fills_the_memory_is_refused() -> None:
    with pytest.raises(DataError, match=r"150 classes in 500 features take 48,750,000 numbers"):
        open_dataset(DatasetSettings(name="gaussian_mixture", params={"n_classes": 150, "n_features": 500}))


def test_more_clusters_than_samples_are_refused() -> None:
    params = {"n_features": 40, "n_clusters_per_class": 10**9}
    with pytest.raises(SettingsError, match="expected at most 500, the samples of the smallest class"):
        open_dataset(DatasetSettings(name="classification", params=params))


def test_digits_take_a_subset_and_normalize() -> None:
    dataset = open_dataset(DatasetSettings(name="digits", params={"n_samples": 100, "normalize": True}))
    block = next(dataset.blocks(100))
    assert block.X.dtype == "float32"
    assert block.X.max() == 1
    assert sorted(set(block.y.tolist())) == list(range(10))
