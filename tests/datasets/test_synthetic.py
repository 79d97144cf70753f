"""Generated datasets as objects: which seed counts, and what is handed over."""

import numpy as np
import pytest

from mlx.core.errors import DataError
from mlx.datasets import DatasetSettings, SyntheticDataset, open_dataset
from mlx.datasets.catalogue import GENERATED


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_an_object_makes_what_the_pipeline_makes(name):
    samples = SyntheticDataset(name, n_samples=50).generate(seed=9)
    dataset = open_dataset(DatasetSettings(name=name, params={"n_samples": 50, "seed": 9}))
    block = next(dataset.blocks(50))
    np.testing.assert_array_equal(samples.X, block.X)
    np.testing.assert_array_equal(samples.y, block.y)
    assert samples.factors.keys() == block.factors.keys()
    assert samples.class_names == dataset.class_names
    assert samples.details == dataset.details
    X, y = samples
    assert X is samples.X
    assert y is samples.y


def test_the_seed_of_the_construction_is_the_default_and_another_can_be_given():
    moons = SyntheticDataset("Moons", n_samples=100, seed=1)
    first, again, other = moons.generate(), moons.generate(seed=1), moons.generate(seed=2)
    np.testing.assert_array_equal(first.X, again.X)
    assert (first.X != other.X).all()
    assert repr(moons) == "SyntheticDataset('moons', seed=1, n_samples=100)"


def test_the_seed_zero_is_a_seed():
    shapes = SyntheticDataset("shapes", n_samples=20, seed=3)
    assert (shapes.generate(seed=0).X != shapes.generate().X).any()
    SyntheticDataset("shapes", n_samples=20, seed=0).generate()


def test_without_any_seed_the_call_is_refused():
    with pytest.raises(ValueError, match=r"moons: expected a seed, in generate\(seed=…\) or before, found none"):
        SyntheticDataset("moons").generate()


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("mons", {}, "expected one of .*; did you mean 'moons'"),
        ("digits", {}, "expected one of .*, found 'digits'"),
        ("moons", {"n_samples": 0}, "^moons: n_samples: expected an integer of at least 1, found 0$"),
        ("moons", {"nosie": 0.1}, "^moons: nosie: expected one of .*, found an unknown key; did you mean 'noise'"),
        ("moons", {"seed": -1}, "^moons: seed: expected an integer of at least 0.*, found -1$"),
        ("shapes", {"n_classes": 17}, "^shapes: n_classes: expected at most 16 classes, .*, found 17$"),
        ("blobs", {"n_samples": 0, "n_features": 0}, "^blobs: n_samples: .*\nblobs: n_features: "),
    ],
)
def test_what_can_not_be_made_is_refused_at_construction(name, params, message):
    with pytest.raises(ValueError, match=message):
        SyntheticDataset(name, **params)


def test_more_images_than_fit_in_memory_are_refused_before_work_starts():
    with pytest.raises(DataError, match=r"patterns: 2,000,000 samples of 32x32x1 need 2\.0 GB"):
        SyntheticDataset("patterns", n_samples=2_000_000).generate(seed=1)
