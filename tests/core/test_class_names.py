"""No two classes may have names that read the same, wherever the names come from."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlx.core.class_names import clash_of
from mlx.core.descriptions import ModelDescription, read_description
from mlx.core.errors import ArtifactError, DataError, SettingsError
from mlx.datasets import DatasetSettings, open_dataset

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
INVISIBLE = "\u00ad\u200b\u200d\u200e\u202e\u2060\u2066\ufe0f\ufeff\U000e0041"
FULL_WIDTH, LIGATURE = "\uff11", "\ufb01n"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("a", "b", "a"), "'a' for classes 0 and 2"),
        ((COMPOSED, DECOMPOSED), "differ only in how Unicode writes them"),
        (("1", FULL_WIDTH), "U+FF11"),
        (("fin", LIGATURE), "U+FB01"),
        (("cat", "cat "), "in spaces or in invisible characters"),
        (("big cat", "big\u00a0 cat"), "in spaces or in invisible characters"),
        ((COMPOSED, "cafe\u200b\u0301"), "U+200B"),
        *((("cat", f"c{unseen}at"), f"U+{ord(unseen):04X}") for unseen in INVISIBLE),
    ],
)
def test_names_that_read_the_same_clash(names: tuple[str, ...], found: str) -> None:
    assert found in (clash_of(names) or "")


def test_names_that_read_differently_do_not_clash() -> None:
    assert clash_of(["a", "A", "01", "1", COMPOSED, "cafe", "", "None"]) is None


PAIRS = [("cat", "cat"), (COMPOSED, DECOMPOSED), ("1", FULL_WIDTH), ("cat", "c\u00adat"), ("cat", "cat\ufeff")]


@pytest.mark.parametrize("pair", PAIRS)
def test_names_that_are_set_for_ones_own_data_must_differ(tmp_path: Path, pair: tuple[str, str]) -> None:
    np.save(tmp_path / "X.npy", np.zeros((6, 2)))
    np.save(tmp_path / "y.npy", np.arange(6) % 2)
    settings = DatasetSettings(name="custom", path=str(tmp_path), params={"class_names": list(pair)})
    with pytest.raises(SettingsError, match="expected names that differ from each other"):
        open_dataset(settings)


@pytest.mark.parametrize(("one", "other"), PAIRS[1:])
def test_labels_that_read_the_same_are_rejected_and_not_two_classes(tmp_path: Path, one: str, other: str) -> None:
    np.save(tmp_path / "X.npy", np.zeros((6, 2)))
    np.save(tmp_path / "y.npy", np.array([one, other, "tea"] * 2))
    with pytest.raises(DataError, match="expected class names that differ from each other"):
        open_dataset(DatasetSettings(name="custom", path=str(tmp_path)))
    (tmp_path / "t.csv").write_text("y,x\n" + "".join(f"{name},1\n" for name in (one, other, "tea")), encoding="utf-8")
    with pytest.raises(DataError, match="expected (class )?names that differ"):
        open_dataset(DatasetSettings(name="custom", path=str(tmp_path / "t.csv"), params={"target": "y"}))


def test_a_label_without_a_visible_character_is_rejected(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.zeros((6, 2)))
    np.save(tmp_path / "y.npy", np.array(["\u200b", "tea"] * 3))
    with pytest.raises(DataError, match=r"found '\\u200b', in which nothing is visible"):
        open_dataset(DatasetSettings(name="custom", path=str(tmp_path)))


def test_a_label_is_found_by_its_name_however_unicode_writes_it(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.zeros((6, 2)))
    np.save(tmp_path / "y.npy", np.array([DECOMPOSED, "tea"] * 3))
    settings = DatasetSettings(name="custom", path=str(tmp_path), params={"class_names": ["tea", COMPOSED]})
    (block,) = open_dataset(settings).blocks(10)
    assert block.y.tolist() == [1, 0] * 3


@pytest.mark.parametrize("pair", PAIRS[1:])
def test_folders_of_images_whose_names_read_the_same_are_rejected(tmp_path: Path, pair: tuple[str, str]) -> None:
    for name in pair:
        (tmp_path / name).mkdir(exist_ok=True)
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system takes both names for one")
    for name in pair:
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / name / "a.png")
    with pytest.raises(DataError, match="expected class names that differ from each other"):
        open_dataset(DatasetSettings(name="custom", path=str(tmp_path)))


def test_an_artifact_with_two_classes_of_one_name_is_rejected(tmp_path: Path) -> None:
    described = ModelDescription(
        name="mlp", params={}, task="classification", class_names=["a", "b"], sample_shape=[2], layers=["input"],
        penultimate="input", parameters=1,
    ).as_dict()  # fmt: skip
    path = tmp_path / "model.json"
    path.write_text(json.dumps(described | {"class_names": ["a", "a"]}))
    with pytest.raises(ArtifactError, match="class_names: expected class names that differ from each other, found 'a'"):
        read_description(path, ModelDescription)
