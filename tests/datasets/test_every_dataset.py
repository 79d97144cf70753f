"""One contract for every dataset: what any reader of blocks may rely on."""

import json
import subprocess
import sys

import numpy as np
import pytest

from mlx.datasets import DATASETS, Block, Dataset, DatasetSettings, open_dataset

SMALL = {
    "blobs": {"n_samples": 301, "n_classes": 4},
    "digits": {},
    "shapes": {"n_samples": 701, "image_size": 16},
    "synthetic_regression": {"n_samples": 301},
}
EASY = {"shapes": {"jitter": 0.0, "min_size": 0.6, "rotation": 10.0}}
EVERY = sorted(DATASETS)
SEEDED = [name for name in EVERY if "seed" in DATASETS[name].params.model_fields]


def opened(name: str, **params: object) -> Dataset:
    return open_dataset(DatasetSettings(name=name, params=SMALL[name] | params))


def whole(dataset: Dataset, rows: int = 10**6) -> Block:
    blocks = list(dataset.blocks(rows))
    tables = [block.factors for block in blocks]
    return Block(
        np.concatenate([block.X for block in blocks]),
        np.concatenate([block.y for block in blocks]),
        {key: np.concatenate([table[key] for table in tables]) for key in tables[0]} if tables[0] else None,
    )


def assert_equal(one: Block, other: Block) -> None:
    np.testing.assert_array_equal(one.X, other.X, strict=True)
    np.testing.assert_array_equal(one.y, other.y, strict=True)
    assert (one.factors or {}).keys() == (other.factors or {}).keys()
    for key, values in (one.factors or {}).items():
        np.testing.assert_array_equal(values, other.factors[key], strict=True)


@pytest.mark.parametrize("name", EVERY)
def test_the_description_fits_the_samples(name):
    dataset = opened(name)
    block = whole(dataset)
    assert dataset.name == name
    assert dataset.n_samples == SMALL[name].get("n_samples", dataset.n_samples)
    assert block.X.shape == (dataset.n_samples, *dataset.sample_shape)
    assert block.X.dtype == dataset.dtype
    assert block.y.shape == (dataset.n_samples,)
    assert np.isfinite(block.X).all()
    assert np.isfinite(block.y).all()
    assert dataset.source
    assert "\n" not in dataset.source
    assert json.loads(json.dumps(dataset.details)) == dataset.details


@pytest.mark.parametrize("name", EVERY)
def test_labels_are_balanced_classes_and_targets_are_numbers(name):
    dataset = opened(name)
    y = whole(dataset).y
    if dataset.task == "regression":
        assert dataset.class_names == ()
        assert y.dtype == np.float64
        return
    counts = np.bincount(y, minlength=len(dataset.class_names))
    assert y.dtype == np.int64
    assert len(counts) == len(set(dataset.class_names))
    assert counts.min() > 0
    if name != "digits":
        assert np.ptp(counts) <= 1


@pytest.mark.parametrize("name", EVERY)
def test_factors_are_aligned_with_the_samples(name):
    dataset = opened(name)
    for block in dataset.blocks(100):
        assert (block.factors is not None) == dataset.has_factors
        for values in (block.factors or {}).values():
            assert values.shape == (len(block.X),) == block.y.shape
            assert np.isfinite(values).all()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("rows", [7, 256])
def test_the_size_of_blocks_changes_nothing(name, rows):
    dataset = opened(name)
    assert [len(block.y) for block in dataset.blocks(rows)][:-1] == [rows] * ((dataset.n_samples - 1) // rows)
    assert_equal(whole(dataset), whole(dataset, rows))


@pytest.mark.parametrize("name", EVERY)
def test_opening_again_gives_the_same_samples(name):
    assert_equal(whole(opened(name)), whole(opened(name)))


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_gives_other_samples_and_42_is_the_default(name):
    first, second = whole(opened(name)), whole(opened(name, seed=7))
    assert (first.X != second.X).mean() > 0.2
    assert (first.y != second.y).mean() > 0.2
    assert opened(name, seed=7).seed == 7
    assert_equal(first, whole(opened(name, seed=42)))


@pytest.mark.parametrize("name", ["shapes", "synthetic_regression"])
def test_samples_do_not_depend_on_how_many_follow(name):
    few, many = whole(opened(name, n_samples=300)), whole(opened(name, n_samples=600))
    cut = Block(many.X[:300], many.y[:300], {key: values[:300] for key, values in many.factors.items()})
    assert_equal(few, cut)


def test_scikit_learn_is_not_loaded_before_it_is_used():
    code = (
        "import sys; from mlx.datasets import DatasetSettings, open_dataset; "
        "next(open_dataset(DatasetSettings(name='shapes')).blocks(10)); "
        "sys.exit('sklearn' in sys.modules or 'scipy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("rows", [0, -1])
def test_a_block_of_no_rows_is_refused(rows):
    with pytest.raises(ValueError, match="expected at least 1"):
        next(opened("shapes").blocks(rows))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_small_model_learns_from_true_labels_only(name, shuffled):
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LinearRegression

    dataset = opened(name, **EASY.get(name, {}))
    block = whole(dataset)
    X, y = block.X.reshape(dataset.n_samples, -1).astype(np.float32), block.y
    if shuffled:
        y = np.random.default_rng(0).permutation(y)
    half = len(y) // 2
    regression = dataset.task == "regression"
    model = LinearRegression() if regression else ExtraTreesClassifier(50, random_state=0)
    score = model.fit(X[:half], y[:half]).score(X[half:], y[half:])
    chance = 0.0 if regression else np.bincount(y).max() / len(y)
    noise = 0.1 if regression else 4 * np.sqrt(chance * (1 - chance) / half)
    assert score < chance + noise if shuffled else score > chance + noise
