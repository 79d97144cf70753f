"""scikit-learn's real datasets have its values, whether they are installed with it or read from their files."""

import gzip
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat
from sklearn import datasets
from written_files import write_covtype, write_housing, write_olivetti

from mlx.core.artifacts import read_json
from mlx.core.errors import DataError
from mlx.core.paths import Workspace
from mlx.datasets import Block, Dataset, DatasetSettings, open_dataset
from mlx.pipeline.generate_data import generate_data


def opened(name: str, path: Path | None = None, **params: Any) -> tuple[Dataset, Block]:
    where = None if path is None else str(path)
    dataset = open_dataset(DatasetSettings(name=name, path=where, params=params))
    return dataset, next(dataset.blocks(10**6))


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_an_installed_table_is_what_scikit_learn_loads(tmp_path: Path, name: str) -> None:
    load: Callable[..., Any] = getattr(datasets, f"load_{name}")
    data = load(scaled=False) if name == "diabetes" else load()
    dataset, block = opened(name)
    np.testing.assert_array_equal(block.X, data.data)
    np.testing.assert_array_equal(block.y, data.target)
    assert dataset.task == ("regression" if name == "diabetes" else "classification")
    generate_data(Workspace(tmp_path), dataset=DatasetSettings(name=name))
    described = read_json(Workspace(tmp_path).raw / "dataset.json")
    assert described["details"]["features"] == list(data.feature_names)
    assert described["class_names"] == [str(k) for k in data.get("target_names", ())]
    last = described["columns"][-1]
    assert (last["name"], last["use"], last["categories"]) == ("target", "target", described["class_names"])


def test_a_part_of_a_table_is_drawn_with_its_seed() -> None:
    whole, few = opened("wine")[1], opened("wine", n_samples=60)
    assert np.bincount(few[1].y).tolist() == [20, 24, 16]
    assert (few[1].X[:, None] == whole.X).all(axis=2).any(axis=1).all()
    assert (few[0].seed, opened("wine")[0].seed) == (42, None)
    assert (opened("diabetes", n_samples=60, seed=1)[1].y != opened("diabetes", n_samples=60)[1].y).any()


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Let scikit-learn fetch a local file, which it deletes once it has read it."""

    def fetch(name: str, module: str, file: Path) -> Any:
        def copied(*_: Any, **__: Any) -> str:
            return str(shutil.copy(file, tmp_path / f"copy-{file.name}"))

        monkeypatch.setattr(f"sklearn.datasets.{module}._fetch_remote", copied)
        return getattr(datasets, f"fetch_{name}")(data_home=tmp_path / "home")

    return fetch


def test_houses_are_what_scikit_learn_makes_of_the_file(tmp_path: Path, fetched: Callable[..., Any]) -> None:
    (tmp_path / "CaliforniaHousing").mkdir()
    write_housing(tmp_path / "CaliforniaHousing")
    with tarfile.open(tmp_path / "cal_housing.tgz", "w:gz") as archive:
        archive.add(tmp_path / "CaliforniaHousing", "CaliforniaHousing")
    data = fetched("california_housing", "_california_housing", tmp_path / "cal_housing.tgz")
    dataset, block = opened("california_housing", tmp_path)
    np.testing.assert_array_equal(block.X, data.data)
    np.testing.assert_array_equal(block.y, data.target)
    assert [column.name for column in dataset.columns] == [*data.feature_names, *data.target_names]


def test_forests_are_what_scikit_learn_makes_of_the_file(tmp_path: Path, fetched: Callable[..., Any]) -> None:
    write_covtype(tmp_path)
    data = fetched("covtype", "_covtype", tmp_path / "covtype.data.gz")
    dataset, block = opened("covtype", tmp_path)
    np.testing.assert_array_equal(block.X, data.data)
    np.testing.assert_array_equal(block.y, data.target - 1)
    assert [column.name for column in dataset.columns] == [*data.feature_names, *data.target_names]


def test_faces_are_what_scikit_learn_makes_of_the_file(tmp_path: Path, fetched: Callable[..., Any]) -> None:
    X = write_olivetti(tmp_path)
    data = fetched("olivetti_faces", "_olivetti_faces", tmp_path / "olivettifaces.mat")
    dataset, block = opened("olivetti_faces", tmp_path, augmentation=True)
    np.testing.assert_array_equal(block.X[..., 0], X)
    np.testing.assert_allclose((X - np.float32(X.min())) / np.float32(np.ptp(X)), data.images, atol=1e-6)
    np.testing.assert_array_equal(block.y, data.target)
    assert dataset.class_names[:2] == ("person 1", "person 2")
    assert dataset.details["augmentation"]["flip"]
    scaled = opened("olivetti_faces", tmp_path, normalize=True)[1].X
    np.testing.assert_array_equal(scaled, block.X.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("california_housing", "cal_housing.data", b"1,2,3\n", "expected 9 numbers in each row.*found 3$"),
        (
            "california_housing",
            "cal_housing.data",
            b"1,2,3,4,5,6,0,8,9\n",
            "one household in column 7, found 0 in row 1$",
        ),
        (
            "california_housing",
            "cal_housing.data",
            b"1,2,3,4,5,6,7,8,9\n1,2",
            r"found something else \(the number of columns changed from 9 to 2 at row 2\)$",
        ),
        ("california_housing", "cal_housing.data", b"", "found an empty file$"),
        ("california_housing", "cal_housing.data", b"1,2,3,4,5,6,7,8,nan", "found a missing or infinite one in row 1$"),
        ("covtype", "covtype.data", b"a,b\n", "expected 55 numbers in each row.*found something else"),
        ("covtype", "covtype.data", b",".join([b"8"] * 55), "a cover type from 1 to 7 in column 55, found 8 in row 1$"),
        ("covtype", "covtype.data.gz", b"1,2\n", "found something else .*gzip"),
        ("covtype", "covtype.data.gz", gzip.compress(b"1,2\n" * 99, mtime=0)[:-9], "found something else"),
        ("olivetti_faces", "olivettifaces.mat", b"faces", "found a damaged file"),
        ("olivetti_faces", "olivettifaces.mat", b"", "found a damaged file"),
    ],
)
def test_a_damaged_file_is_one_message(tmp_path: Path, name: str, file: str, content: bytes, message: str) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        opened(name, tmp_path)
    assert str(caught.value).startswith(str(tmp_path / file))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"other": np.zeros(3)}, "found none$"),
        ({"faces": np.zeros((4096, 15))}, r"found \(4096, 15\)$"),
        ({"faces": np.full((4096, 10), 0.5)}, "found other values$"),
        ({"faces": np.full((4096, 10), np.nan)}, "found other values$"),
    ],
)
def test_an_array_that_holds_no_faces_is_one_message(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    savemat(tmp_path / "olivettifaces.mat", arrays)
    with pytest.raises(DataError, match=message):
        opened("olivetti_faces", tmp_path)
