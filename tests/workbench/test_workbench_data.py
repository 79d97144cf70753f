"""The notebook classes do what the pipeline does."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.text import Text

import mlx
from mlx.core.errors import DataError
from mlx.datasets import DatasetSettings, open_dataset


def test_images_are_made_preprocessed_split_and_drawn() -> None:
    generator = mlx.ImageDataGenerator(random_state=42)
    X, y = generator.generate_image_data(method="shapes", n_samples=60, n_classes=3, image_size=(16, 20))
    assert X.shape == (60, 16, 20, 1)
    assert len(generator.class_names) == 3
    assert len(generator.factors["rotation"]) == 60
    scaled = generator.preprocess_images(X)
    np.testing.assert_array_equal(generator.preprocess_images(scaled), X.astype(np.float32) / np.float32(255))
    parts = generator.split_data(scaled, y)
    assert [len(parts[f"X_{part}"]) for part in ("train", "val", "test")] == [42, 6, 12]
    np.testing.assert_array_equal(y[parts["index_test"]], parts["y_test"])
    figure = generator.visualize_images(X, y, n_images_per_class=2)
    written = [text.get_text() for text in figure.findobj(match=Text)]
    assert set(generator.class_names) <= set(written)


def test_the_same_seed_gives_what_the_pipeline_makes() -> None:
    X, y = mlx.DataGenerator(random_state=7).generate_data("blobs", n_samples=50, n_features=3, n_classes=4)
    params = {"n_samples": 50, "n_features": 3, "n_classes": 4, "seed": 7}
    block = next(open_dataset(DatasetSettings(name="blobs", params=params)).blocks(50))
    np.testing.assert_array_equal(X, block.X)
    np.testing.assert_array_equal(y, block.y)


def test_tables_are_scaled_split_and_drawn() -> None:
    generator = mlx.DataGenerator()
    X, y = generator.generate_data("synthetic_regression", n_samples=40, random_state=1)
    assert generator.preprocess_data(X).std(axis=0) == pytest.approx(1)
    assert len(generator.split_data(X, y, random_state=1)["y_test"]) == 8
    assert generator.visualize_data(X, y).axes
    X, y = generator.generate_data("blobs", n_samples=40, random_state=1)
    assert generator.visualize_data(X, y).axes


def test_a_call_without_any_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a seed"):
        mlx.DataGenerator().generate_data("blobs")


def test_what_does_not_fit_in_memory_is_refused_before_it_is_made() -> None:
    generator = mlx.ImageDataGenerator(random_state=1)
    with pytest.raises(DataError, match=r"2,000,000 samples of 32x32x1 need 2\.0 GB in memory"):
        generator.generate_image_data(n_samples=2_000_000)


def test_a_name_that_mlx_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'mlx' has no attribute 'array'"):
        mlx.array  # noqa: B018  # what a user of the other mlx would try


@pytest.mark.slow
def test_importing_the_classes_imports_neither_tensorflow_nor_matplotlib() -> None:
    code = (
        "import sys\nfrom mlx.workbench import ModelSelector, VisualizationAnalyzer\n"
        "sys.exit(', '.join({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_rows_are_divided_by_groups_an_order_or_given_parts() -> None:
    X, y = np.arange(60.0)[:, None], np.arange(60) % 2
    generator = mlx.DataGenerator(random_state=0)
    groups = np.arange(60) // 4
    parts = generator.split_data(X, y, groups=groups)
    assert not set(groups[parts["index_test"]]) & set(groups[parts["index_train"]])
    parts = generator.split_data(X, y, 10, 5, order=np.arange(60))
    assert parts["index_test"].tolist() == list(range(50, 60))
    parts = generator.split_data(X, y, parts=np.where(np.arange(60) < 45, "train", "test"))
    assert parts["index_test"].tolist() == list(range(45, 60))
    folds = [generator.split_data(X, y, fold=(i, 3))["index_test"] for i in range(3)]
    assert sorted(np.concatenate(folds)) == list(range(60))
    with pytest.raises(ValueError, match="expected at most one of groups, order and parts, found 2"):
        generator.split_data(X, y, groups=groups, order=groups)
