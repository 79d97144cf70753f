"""One contract for every dataset: what any reader of blocks may rely on."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from written_files import files_of

from mlx.datasets import DATASETS, Block, Dataset, DatasetSettings, open_dataset
from mlx.datasets.catalogue import GENERATED, OUTPUTS

SMALL = {
    "blobs": {"n_samples": 301, "n_classes": 4},
    "circles": {"n_samples": 301, "n_classes": 3, "n_features": 4, "factor": 0.2, "noise": 0.05},
    "classification": {"n_samples": 301, "n_classes": 3, "n_repeated": 1},
    "gaussian_mixture": {"n_samples": 301, "n_classes": 4, "n_features": 3},
    "gradients": {"n_samples": 701, "image_size": 16},
    "moons": {"n_samples": 301, "n_classes": 3},
    "noise": {"n_samples": 701, "image_size": 16},
    "patterns": {"n_samples": 701, "image_size": 16},
    "synthetic_classification": {"n_samples": 301, "n_informative": 4},
    "digits": {},
    "shapes": {"n_samples": 701, "image_size": 16},
    "synthetic_regression": {"n_samples": 301},
}
PLAIN = {"jitter": 0.0, "noise": 0.0, "occlusion": 0.0, "min_contrast": 0.8}
EASY = {
    "shapes": {"jitter": 0.0, "min_size": 0.6, "rotation": 10.0},
    "gradients": PLAIN,
    "noise": PLAIN,
    "patterns": PLAIN | {"max_frequency": 3.0},
}
EVERY = sorted(DATASETS.keys() - OUTPUTS.keys())  # which have samples
SEEDED = sorted(GENERATED)
CLASSES = [name for name in SEEDED if "n_classes" in DATASETS[name].params.model_fields]
IMAGES = [name for name in SEEDED if "image_size" in DATASETS[name].params.model_fields]
TABLES = [name for name in CLASSES if name not in IMAGES]


def opened(name: str, **params: object) -> Dataset:
    return open_dataset(DatasetSettings(name=name, path=files_of(name), params=SMALL.get(name, {}) | params))


def whole(dataset: Dataset, rows: int = 10**6) -> Block:
    return joined(list(dataset.blocks(rows)))


@cache
def samples_of(name: str) -> Block:
    """All samples of a dataset with the settings that most tests use, made once."""
    return whole(opened(name))


def joined(blocks: Sequence[Block]) -> Block:
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
    dataset, block = opened(name), samples_of(name)
    assert dataset.name == name
    assert dataset.n_samples == SMALL.get(name, {}).get("n_samples", dataset.n_samples)
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
    dataset, y = opened(name), samples_of(name).y
    if dataset.task == "regression":
        assert dataset.class_names == ()
        assert y.dtype == np.float64
        return
    counts = np.bincount(y, minlength=len(dataset.class_names))
    assert y.dtype == np.int64
    assert len(counts) == len(set(dataset.class_names))
    assert counts.min() > 0
    if name not in {"breast_cancer", "digits", "wine"}:
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
    blocks = list(dataset.blocks(rows))
    assert [len(block.y) for block in blocks][:-1] == [rows] * ((dataset.n_samples - 1) // rows)
    assert_equal(samples_of(name), joined(blocks))


@pytest.mark.parametrize("name", EVERY)
def test_opening_again_gives_the_same_samples(name):
    assert_equal(samples_of(name), whole(opened(name)))


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_gives_other_samples_and_42_is_the_default(name):
    first, second = samples_of(name), whole(opened(name, seed=7))
    assert (first.X != second.X).mean() > 0.2
    assert (first.y != second.y).mean() > 0.2
    assert opened(name, seed=7).seed == 7
    assert_equal(first, whole(opened(name, seed=42)))


@pytest.mark.parametrize("name", [*IMAGES, "synthetic_regression"])
def test_samples_do_not_depend_on_how_many_follow(name):
    few, many = whole(opened(name, n_samples=300)), whole(opened(name, n_samples=600))
    cut = Block(many.X[:300], many.y[:300], {key: values[:300] for key, values in many.factors.items()})
    assert_equal(few, cut)


@pytest.mark.slow
def test_another_process_makes_the_same_bytes():
    code = (
        "import hashlib, sys; from mlx.datasets import SyntheticDataset\n"
        "for name in sys.argv[1:]:\n"
        "    samples = SyntheticDataset(name, n_samples=300).generate(seed=3)\n"
        "    print(name, hashlib.sha256(samples.X.tobytes() + samples.y.tobytes()).hexdigest())\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *SEEDED], capture_output=True, text=True, check=True)
    blocks = {
        name: whole(open_dataset(DatasetSettings(name=name, params={"n_samples": 300, "seed": 3}))) for name in SEEDED
    }
    assert done.stdout.splitlines() == [
        f"{name} {hashlib.sha256(block.X.tobytes() + block.y.tobytes()).hexdigest()}" for name, block in blocks.items()
    ]


@pytest.mark.parametrize("name", CLASSES)
def test_label_noise_changes_nothing_but_the_labels_and_says_which(name):
    clean, noisy = samples_of(name), whole(opened(name, label_noise=0.25))
    np.testing.assert_array_equal(noisy.X, clean.X)
    np.testing.assert_array_equal(noisy.factors["true_label"], clean.y)
    np.testing.assert_array_equal(noisy.factors["label_flipped"], noisy.y != clean.y)
    assert noisy.factors["label_flipped"].mean() == pytest.approx(0.25, abs=0.06 if name in IMAGES else 0.002)
    assert noisy.factors.keys() - clean.factors.keys() == {"label_flipped", "true_label"}


@pytest.mark.parametrize("name", TABLES)
def test_class_weights_settle_the_counts_of_a_table(name):
    y = whole(opened(name, n_classes=3, n_samples=200, class_weights=[1, 2, 5])).y
    assert np.bincount(y).tolist() == [25, 50, 125]


@pytest.mark.parametrize("name", IMAGES)
def test_class_weights_are_the_shares_of_an_image_set_and_keep_its_samples_apart(name):
    settings = {"n_classes": 3, "class_weights": [1, 2, 5], "label_noise": 0.1}
    block = whole(opened(name, **settings))
    shares = np.bincount(block.factors["true_label"]) / len(block.y)
    np.testing.assert_allclose(shares, [0.125, 0.25, 0.625], atol=0.08)
    few = whole(opened(name, n_samples=300, **settings), 97)
    np.testing.assert_array_equal(few.X, block.X[:300])
    np.testing.assert_array_equal(few.y, block.y[:300])


@pytest.mark.slow
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


def features(X: np.ndarray, name: str) -> np.ndarray:
    """Flatten the samples; textures with their spectra, which show them wherever they lie."""
    values = X.astype(np.float32)
    if name in IMAGES:
        values = np.concatenate([values, np.abs(np.fft.fft2(values, axes=(1, 2)))], axis=-1)
    return values.reshape(len(X), -1)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_small_model_learns_from_true_labels_only(name, shuffled):
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LinearRegression

    dataset = opened(name, **EASY.get(name, {}))
    block = whole(dataset)
    order = np.random.default_rng(1).permutation(dataset.n_samples)  # a folder is read class by class
    X, y = features(block.X, name)[order], block.y[order]
    if shuffled:
        y = np.random.default_rng(0).permutation(y)
    half = len(y) // 2
    regression = dataset.task == "regression"
    model = LinearRegression() if regression else ExtraTreesClassifier(50, random_state=0)
    score = model.fit(X[:half], y[:half]).score(X[half:], y[half:])
    chance = 0.0 if regression else np.bincount(y).max() / len(y)
    noise = 0.1 if regression else 4 * np.sqrt(chance * (1 - chance) / half)
    assert score < chance + noise if shuffled else score > chance + noise
