"""What a source publishes as its test part is the test part, and nothing of it trains."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from written_files import write_cifar10, write_cifar100, write_mnist

from mlx.core.artifacts import read_json, read_parquet
from mlx.core.errors import DataError, MlxError
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings


def divided(folder: Path, name: str, path: Path, split: SplitSettings | None = None, **params: Any) -> Workspace:
    """Run both steps on the data at `path`."""
    workspace = Workspace(folder / "run")
    generate_data(workspace, dataset=DatasetSettings(name=name, path=str(path), params=params))
    scaling = PreprocessingSettings(scaling="standard")
    preprocess_split(workspace, split=split or SplitSettings(), preprocessing=scaling)
    return workspace


def check_published(workspace: Workspace, n_train: int, n_test: int, val_share: float = 0.1) -> None:
    described = read_json(workspace.splits / "preprocessing.json")
    index = {part: np.load(workspace.splits / f"index_{part}.npy") for part in ("train", "val", "test")}
    own = read_parquet(workspace.raw / "roles.parquet")["part"]
    assert described["split_method"] == "published"
    assert any("split.test_size: 0.2 has no effect" in note for note in described["notes"])
    assert described["sizes"] == {part: len(rows) for part, rows in index.items()}
    assert (len(index["train"]) + len(index["val"]), len(index["test"])) == (n_train, n_test)
    assert len(index["val"]) == round(val_share * n_train)
    assert set(own[index["test"]]) == {"test"}
    assert set(own[index["train"]]) | set(own[index["val"]]) == {"train"}


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize("zipped", [False, True])
def test_the_test_images_of_mnist_are_the_test_part(tmp_path: Path, name: str, zipped: bool) -> None:
    write_mnist(tmp_path, zipped=zipped)
    check_published(divided(tmp_path, name, tmp_path), 200, 40)


@pytest.mark.slow
def test_files_of_the_published_size_are_divided_as_in_the_literature(tmp_path: Path) -> None:
    write_mnist(tmp_path, n=70_000, n_train=60_000)
    check_published(divided(tmp_path, "mnist", tmp_path), 60_000, 10_000)


def test_the_test_images_of_keras_file_are_the_test_part(tmp_path: Path) -> None:
    X, y = np.zeros((90, 28, 28), np.uint8), np.arange(90, dtype=np.uint8) % 10
    np.savez(tmp_path / "mnist.npz", x_train=X[:60], y_train=y[:60], x_test=X[60:], y_test=y[60:])
    check_published(divided(tmp_path, "mnist", tmp_path, SplitSettings(val_size=0.2)), 60, 30, 0.2)


@pytest.mark.parametrize("binary", [False, True], ids=["python", "binary"])
def test_the_test_batch_of_cifar_is_the_test_part(tmp_path: Path, binary: bool) -> None:
    for name, write, sizes in (("cifar10", write_cifar10, (200, 40)), ("cifar100", write_cifar100, (400, 100))):
        (tmp_path / name).mkdir()
        write(tmp_path / name, binary=binary)
        check_published(divided(tmp_path / name, name, tmp_path / name, SplitSettings(stratify=False)), *sizes)


def test_a_part_of_a_published_set_is_divided_at_random(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    for subset in ("train", "test"):
        workspace = divided(tmp_path, "mnist", tmp_path, SplitSettings(stratify=False), subset=subset)
        assert read_json(workspace.splits / "preprocessing.json")["split_method"] == "random"
        assert not (workspace.raw / "roles.parquet").exists()


def test_all_of_a_published_set_can_be_mixed_on_request(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    workspace = divided(tmp_path, "mnist", tmp_path, SplitSettings(method="random"))
    assert read_json(workspace.splits / "preprocessing.json")["split_method"] == "random"
    assert read_json(workspace.raw / "dataset.json")["parts"] == {"train": 200, "test": 40}


def write_images(folder: Path, n: int, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
        for k in range(n):
            Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)).save(folder / label / f"{k}.png")


@pytest.mark.parametrize("name", ["custom", "imagenet"])
@pytest.mark.parametrize("test", ["test", "val"])
def test_a_folder_beside_train_is_the_test_part(tmp_path: Path, name: str, test: str) -> None:
    write_images(tmp_path / "images" / "train", 12)
    write_images(tmp_path / "images" / test, 5, seed=1)
    check_published(divided(tmp_path, name, tmp_path / "images", image_size=6), 24, 10)


def test_a_folder_with_all_three_parts_keeps_them(tmp_path: Path) -> None:
    for k, (part, n) in enumerate({"train": 9, "val": 4, "test": 5}.items()):
        write_images(tmp_path / "images" / part, n, seed=k)
    workspace = divided(tmp_path, "custom", tmp_path / "images")
    described = read_json(workspace.splits / "preprocessing.json")
    assert described["sizes"] == {"train": 18, "val": 8, "test": 10}
    assert [note.partition(":")[0] for note in described["notes"]] == ["split.test_size", "split.val_size"]


def test_a_test_folder_without_labels_is_passed_over_for_val(tmp_path: Path) -> None:
    write_images(tmp_path / "images" / "train", 12)
    write_images(tmp_path / "images" / "val", 5, seed=1)
    (tmp_path / "images" / "test").mkdir()
    Image.fromarray(np.zeros((6, 6, 3), np.uint8)).save(tmp_path / "images" / "test" / "1.png")
    check_published(divided(tmp_path, "imagenet", tmp_path / "images", image_size=6), 24, 10)


def test_classes_called_train_and_test_are_classes(tmp_path: Path) -> None:
    write_images(tmp_path / "images", 12)
    (tmp_path / "images" / "cat").rename(tmp_path / "images" / "train")
    (tmp_path / "images" / "dog").rename(tmp_path / "images" / "test")
    workspace = divided(tmp_path, "custom", tmp_path / "images")
    assert read_json(workspace.raw / "dataset.json")["class_names"] == ["test", "train"]


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz", "folder", "images"])
def test_a_file_or_folder_of_its_own_is_the_test_part(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), np.array(["a", "b"] * 25)
    params: dict[str, Any] = {}
    for part, rows in (("train", slice(0, 40)), ("test", slice(40, 50))):
        table = pd.DataFrame(X[rows], columns=["p", "q"]).assign(y=y[rows], color=["red", "blue"] * (len(X[rows]) // 2))
        if kind in {"csv", "parquet"}:
            getattr(table, f"to_{kind}")(tmp_path / f"{part}.{kind}", index=False)
            params["target"] = "y"
        elif kind == "npz":
            np.savez(tmp_path / f"{part}.npz", X=X[rows], y=y[rows])
        elif kind == "folder":
            (tmp_path / f"{part}.folder").mkdir()
            np.save(tmp_path / f"{part}.folder" / "X.npy", X[rows])
            np.save(tmp_path / f"{part}.folder" / "y.npy", y[rows])
        else:
            write_images(tmp_path / f"{part}.images", len(X[rows]) // 2, seed=len(X[rows]))
    test = str(tmp_path / f"test.{kind}")
    check_published(divided(tmp_path, "custom", tmp_path / f"train.{kind}", test_path=test, **params), 40, 10)


def test_a_test_part_may_lack_classes_and_have_numbers_of_another_width(tmp_path: Path) -> None:
    X, y = np.arange(80.0).reshape(40, 2), np.arange(40) % 2
    np.savez(tmp_path / "train.npz", X=X, y=y)
    (tmp_path / "test").mkdir()
    np.save(tmp_path / "test" / "X.npy", X[1::2].astype(np.float32))
    np.save(tmp_path / "test" / "y.npy", y[1::2].astype(np.uint8))
    workspace = divided(tmp_path, "custom", tmp_path / "train.npz", test_path=str(tmp_path / "test"))
    np.testing.assert_array_equal(np.load(workspace.raw / "X.npy"), np.concatenate([X, X[1::2]]))
    np.testing.assert_array_equal(np.load(workspace.raw / "y.npy"), np.concatenate([y, y[1::2]]))
    write_images(tmp_path / "images", 15)
    write_images(tmp_path / "others", 3)
    shutil.rmtree(tmp_path / "others" / "dog")
    divided(tmp_path, "custom", tmp_path / "images", test_path=str(tmp_path / "others"))


def test_every_other_pair_of_files_and_folders_says_what_was_expected(tmp_path: Path) -> None:
    table = pd.DataFrame({"p": np.arange(20.0), "y": ["a", "b"] * 10})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "index.csv")
    table.iloc[:0].to_parquet(tmp_path / "empty.parquet")
    table.assign(y=None).to_csv(tmp_path / "gaps.csv", index=False)
    np.savez(tmp_path / "a.npz", X=np.zeros((4, 2)), y=np.arange(4) % 2, **{"factors/age": np.arange(4)})
    for name, n, y, age in (("none", 0, int, int), ("float", 4, float, int), ("text", 4, int, str)):
        arrays = {"X": np.zeros((n, 2)), "y": (np.arange(n) % 2).astype(y), "factors/age": np.arange(n).astype(age)}
        np.savez(tmp_path / f"{name}.npz", **arrays)
    write_images(tmp_path / "images", 4)
    write_images(tmp_path / "parts" / "train", 4)
    write_images(tmp_path / "parts" / "val", 4)
    for path, test, message in (
        ("a.csv", "a.npz", "test_path: .*a.npz: expected a table .* beside .*a.csv, found a file ending in '.npz'"),
        ("a.csv", "images", "test_path: .*images: expected a table .* beside .*a.csv, found a folder"),
        ("a.csv", "empty.parquet", "empty.parquet: expected at least one row below the header, found none"),
        ("a.csv", "gaps.csv", "gaps.csv: expected a row with a value of the target 'y', found none"),
        ("index.csv", "a.csv", "a.csv: expected the columns of .*index.csv, found none without a name .* among p, y"),
        ("a.npz", "a.csv", "test_path: .*a.csv: expected an .npz file, or a folder with X.npy and y.npy, .* '.csv'"),
        ("a.npz", "images", "test_path: .*images: expected an .npz file, or a folder with X.npy .*, found a folder"),
        ("a.npz", "none.npz", "none.npz: expected at least one sample, found none"),
        ("a.npz", "float.npz", "float.npz: expected y of integers, as in .*a.npz, found floats"),
        ("a.npz", "text.npz", "text.npz: expected factor age of numbers, as in .*a.npz, found text"),
        ("images", "a.npz", "test_path: .*a.npz: expected a folder with a subfolder of images .*, found a file"),
        ("parts", "images", "test_path: expected none, as .*parts has a part val/ of its own, .*path to .*train for"),
    ):
        params = {"target": "y"} if path.endswith(".csv") else {}
        with pytest.raises(MlxError, match=message):
            divided(tmp_path, "custom", tmp_path / path, test_path=str(tmp_path / test), **params)
    divided(tmp_path, "custom", tmp_path / "a.csv", test_path=str(tmp_path / "index.csv"), target="y")


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("test.csv", {"q": "r"}, "expected the columns of .*train.csv, found no 'q' among p, r, y"),
        ("test.csv", {}, "expected the columns of .*found 'z' beside them"),
        ("absent.csv", {}, "expected a table .*, found nothing there"),
    ],
)
def test_a_test_part_of_another_kind_is_rejected(
    tmp_path: Path, file: str, change: dict[str, str], message: str
) -> None:
    table = pd.DataFrame({"p": np.arange(20.0), "q": np.arange(20.0) ** 2, "y": ["a", "b"] * 10})
    table.to_csv(tmp_path / "train.csv", index=False)
    (table.rename(columns=change) if change else table.assign(z=1)).to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(MlxError, match=message):
        divided(tmp_path, "custom", tmp_path / "train.csv", target="y", test_path=str(tmp_path / file))


def test_columns_that_are_not_used_may_differ_in_the_test_part(tmp_path: Path) -> None:
    table = pd.DataFrame({"p": range(40), "q": range(40), "y": list("ab") * 20})
    table.assign(old=1).to_csv(tmp_path / "train.csv", index=False)
    table[["y", "q", "p"]].assign(new=2).to_csv(tmp_path / "test.csv", index=False)
    test = str(tmp_path / "test.csv")
    with pytest.raises(MlxError, match="found no 'old' among"):
        divided(tmp_path, "custom", tmp_path / "train.csv", target="y", test_path=test)
    with pytest.raises(MlxError, match="found no 'old' among"):
        divided(tmp_path, "custom", tmp_path / "train.csv", target="y", test_path=test, features=["p", "old"])
    path = tmp_path / "train.csv"
    workspace = divided(tmp_path, "custom", path, target="y", test_path=test, features=["p", "q"])
    np.testing.assert_array_equal(np.load(workspace.raw / "X.npy")[40:], table[["p", "q"]])


def test_a_class_of_the_test_part_alone_is_named(tmp_path: Path) -> None:
    table = pd.DataFrame({"p": range(40), "y": list("ab") * 20})
    table.to_csv(tmp_path / "train.csv", index=False)
    table.replace({"y": {"b": "c"}}).to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(DataError, match="expected training samples of each class, found class 'c' in the test part al"):
        divided(tmp_path, "custom", tmp_path / "train.csv", target="y", test_path=str(tmp_path / "test.csv"))


def test_a_column_that_is_text_in_one_of_both_files_is_read_alike(tmp_path: Path) -> None:
    table = pd.DataFrame({"p": np.arange(1.0, 21), "y": ["a", "b"] * 10})
    table.to_csv(tmp_path / "train.csv", index=False)
    table.assign(p=[f"{p:.0f} 000" for p in table["p"]]).to_csv(tmp_path / "test.csv", index=False)
    workspace = divided(tmp_path, "custom", tmp_path / "train.csv", target="y", test_path=str(tmp_path / "test.csv"))
    assert np.load(workspace.raw / "X.npy")[20:, 0].tolist() == [1000.0 * k for k in range(1, 21)]


@pytest.mark.parametrize("method", ["random", "group", "time", "column"])
def test_nothing_that_is_fitted_sees_validation_or_test_rows(tmp_path: Path, method: str) -> None:
    rng = np.random.default_rng(0)
    columns = {"patient": np.arange(120) // 3, "visit": np.arange(120), "set": np.resize(["train", "val", "test"], 120)}
    table = pd.DataFrame(rng.normal(size=(120, 2)), columns=["p", "q"]).assign(**columns, y=["a", "b"] * 60)
    roles = {"patient": "group", "visit": "order", "set": "part"}
    found = []
    for name in ("clean", "poisoned"):
        (tmp_path / name).mkdir()
        table.to_csv(tmp_path / name / "t.csv", index=False)
        split = SplitSettings(method=method)
        run = divided(tmp_path / name, "custom", tmp_path / name / "t.csv", split, target="y", roles=roles)
        found.append([(run.splits / file).read_bytes() for file in ("X_train.npy", "y_train.npy", "index_train.npy")])
        rows = np.setdiff1d(np.arange(120), np.load(run.splits / "index_train.npy"))
        table.loc[rows, ["p", "q"]] = 1e9 * rng.normal(size=(len(rows), 2))
    assert found[0] == found[1]
