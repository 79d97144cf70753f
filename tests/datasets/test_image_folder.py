"""Folders of images as datasets: the order of samples, unreadable images, and what is left out."""

import os
import pickle
import re
import socket

import numpy as np
import pytest
from PIL import Image
from saved_images import everything, opened
from written_files import write_images

from mlx.core.errors import DataError, SettingsError
from mlx.core.paths import Workspace
from mlx.core.workers import open_workers
from mlx.datasets import DatasetSettings
from mlx.datasets.files.decoding import decode
from mlx.pipeline.generate_data import generate_data


def test_a_folder_is_read_class_by_class_in_the_order_of_names(tmp_path):
    write_images(tmp_path, n=9)
    (tmp_path / "ant" / "notes.txt").write_text("x")
    (tmp_path / "ant" / ".DS_Store").write_text("x")
    (tmp_path / "readme.md").write_text("x")
    dataset = opened(tmp_path, image_size=[20, 24])
    X, y = everything(dataset)
    assert X.shape == (27, 20, 24, 3)
    assert y.tolist() == [0] * 9 + [1] * 9 + [2] * 9
    assert dataset.class_names == ("ant", "bee", "cow")
    assert dataset.details == {"augmentation": None, "ignored_files": 3}
    for k, place in ((0, "ant/000.png"), (26, "cow/008.png")):
        np.testing.assert_array_equal(X[k], decode(tmp_path / place, (20, 24), 3))


def test_blocks_stay_as_they_were_when_later_ones_are_made(tmp_path):
    write_images(tmp_path, n=9)
    first, second, *_ = opened(tmp_path, image_size=16).blocks(5)
    assert (first.X != second.X).any()
    np.testing.assert_array_equal(first.X, next(opened(tmp_path, image_size=16).blocks(5)).X)


def test_a_subset_and_normalization(tmp_path):
    write_images(tmp_path, n=10)
    dataset = opened(tmp_path, image_size=16, n_samples=9, normalize=True)
    X, y = everything(dataset)
    assert np.bincount(y).tolist() == [3, 3, 3]
    assert X.dtype == np.float32
    assert 0 <= X.min() < X.max() <= 1
    block = pickle.loads(pickle.dumps(dataset.blocks)).between(2, 6)  # noqa: S301  # as another process reads it
    np.testing.assert_array_equal(block.X, X[2:6], strict=True)
    np.testing.assert_array_equal(block.y, y[2:6])
    assert {name: values.shape for name, values in block.factors.items()}["file_size"] == (4,)


def broken(tmp_path, count=7):
    write_images(tmp_path, n=12)
    whole = (tmp_path / "bee" / "001.jpg").read_bytes()
    for k in range(count):
        content = [whole[: len(whole) // 2], b"", b"no image", b"GIF89a" + bytes(50)][k % 4]
        (tmp_path / "bee" / f"{k:03}.{'jpg' if k % 2 else 'png'}").write_bytes(content)


def test_unreadable_images_are_all_counted_and_the_first_named(tmp_path, monkeypatch):
    broken(tmp_path / "images")
    with pytest.raises(DataError, match="found 7 of 36 that can't be read") as caught:
        everything(opened(tmp_path / "images", image_size=16))
    text = str(caught.value)
    monkeypatch.setattr("mlx.pipeline.generate_data.BLOCK_BYTES", 1)
    settings = DatasetSettings(name="imagenet", path=str(tmp_path / "images"), params={"image_size": 16})
    with open_workers("threads:2") as workers, pytest.raises(DataError, match=re.escape(text)):
        generate_data(Workspace(tmp_path), workers, dataset=settings)
    assert "bee/000.png (" in text
    assert "truncated" in text.lower()
    assert "bee/004.png" in text
    assert "bee/005.jpg" not in text
    assert "and 2 more; mend or remove them, or set dataset.params.skip_corrupt: true" in text


def test_unreadable_images_are_left_out_on_request_and_counted(tmp_path):
    broken(tmp_path)
    dataset = opened(tmp_path, image_size=16, skip_corrupt=True)
    X, y = everything(dataset)
    assert len(X) == dataset.n_samples == 29
    assert np.bincount(y).tolist() == [12, 5, 12]
    assert dataset.details["skipped"]["count"] == 7
    assert dataset.details["skipped"]["first"][0] == "bee/000.png"
    assert dataset.source.startswith("29 of 36 images")


def test_a_class_without_a_readable_image_is_an_error(tmp_path):
    broken(tmp_path, count=12)
    with pytest.raises(DataError, match="bee: expected images, found only such as can't be read"):
        opened(tmp_path, image_size=16, skip_corrupt=True)


def test_a_class_folder_whose_name_is_not_utf_8_is_refused(tmp_path):
    write_images(tmp_path)
    try:
        (tmp_path / os.fsdecode(b"caf\xe9")).mkdir()
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(DataError, match="class folders with names in UTF-8, found b'caf") as caught:
        opened(tmp_path)
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda root: list(root.iterdir()),
            "expected a subfolder of images for each of at least two classes, found none",
        ),
        (lambda root: (root / "ant").mkdir(), "found only ant"),
        (lambda root: [(root / n).mkdir() for n in "ab"], "a: expected images .*, found an empty folder"),
        (lambda root: (write_images(root), (root / "dog").mkdir()), "dog: expected images .*an empty folder"),
        (
            lambda root: (
                write_images(root),
                (root / "dog").mkdir(),
                (root / "dog" / "a.webp").write_text("x"),
            ),
            "dog: expected images .*, found 1 other entries, such as a.webp",
        ),
    ],
)
@pytest.mark.parametrize("name", ["imagenet", "custom"])
def test_a_folder_that_is_no_folder_of_classes_says_why(tmp_path, name, make, message):
    make(tmp_path)
    with pytest.raises(DataError, match=message):
        opened(tmp_path, name)


def test_what_is_passed_over_is_counted_by_kind_and_said(tmp_path):
    write_images(tmp_path, n=2)
    for k in range(3):
        (tmp_path / "ant" / f"{k}.webp").write_bytes(b"x")
    for name in ("bee/a.gif", "bee/b.TIF", "bee/Thumbs.db", "cow/.hidden.png", "cow/list", "readme.md", "left.png"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "cow" / "more.png").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._ant").write_bytes(b"x")
    (tmp_path / "@eaDir").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("imagenet", "custom"):
        dataset = opened(tmp_path, name, image_size=8)
        assert dataset.class_names == ("ant", "bee", "cow")
        assert dataset.details["ignored_files"] == 14
        assert len(dataset.notes) == 1
        assert f"{tmp_path}: passed over 14 entries beside 6 images (3 .webp, " in dataset.notes[0]
        assert "2 hidden" in dataset.notes[0]
        assert "only files ending in .jpg, .jpeg, .png that lie in the folder of a class itself" in dataset.notes[0]


def test_a_folder_of_images_alone_needs_no_word(tmp_path):
    write_images(tmp_path, n=2)
    assert opened(tmp_path, image_size=8).notes == ()


def test_a_class_of_hidden_files_alone_is_not_called_empty(tmp_path):
    write_images(tmp_path, n=2)
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "._a.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"dog: expected images .*, found 1 hidden entries, such as \._a.png"):
        opened(tmp_path)


def test_images_left_out_on_request_are_said(tmp_path):
    broken(tmp_path)
    notes = opened(tmp_path, image_size=16, skip_corrupt=True).notes
    assert notes == (f"{tmp_path}: left out 7 of 36 images that can't be read, such as bee/000.png",)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_an_image_that_is_no_file_is_named_and_not_waited_for(tmp_path, kind):
    write_images(tmp_path, n=2)
    path = tmp_path / "bee" / "x.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        short = os.open(path.parent, os.O_RDONLY)  # names of sockets are limited to about a hundred characters
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{short}/x.png")
        os.close(short)
    for name in ("imagenet", "custom"):
        with pytest.raises(DataError, match=f"bee/x.png: expected an image, found a {kind}; remove it"):
            opened(tmp_path, name)


def test_links_are_followed_once_and_one_that_leads_nowhere_is_an_unreadable_image(tmp_path):
    write_images(tmp_path, n=2)
    (tmp_path / "ant" / "self").symlink_to(tmp_path)  # a loop of folders
    (tmp_path / "bee" / "000.png").rename(tmp_path / "elsewhere.png")
    (tmp_path / "bee" / "000.png").symlink_to(tmp_path / "elsewhere.png")
    dataset = opened(tmp_path, image_size=8)
    assert len(everything(dataset)[0]) == 6
    assert dataset.details["ignored_files"] == 2
    (tmp_path / "bee" / "x.png").symlink_to(tmp_path / "bee" / "x.png")
    (tmp_path / "bee" / "y.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(DataError, match="found 2 of 8 that can't be read: .*bee/x.png"):
        everything(opened(tmp_path, image_size=8))


def test_own_images_keep_their_size_if_they_share_it(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for k in range(3):
            Image.new("RGB", (30, 20), (k, k, k)).save(tmp_path / name / f"{k}.png")
    assert opened(tmp_path, "custom").sample_shape == (20, 30, 3)
    assert opened(tmp_path, "custom", channels=1).sample_shape == (20, 30, 1)
    Image.new("RGB", (31, 20)).save(tmp_path / "b" / "x.png")
    with pytest.raises(DataError, match=r"image_size to scale them; found 20x30 \(a/0.png\) and 20x31 \(b/x.png\)"):
        opened(tmp_path, "custom")
    assert opened(tmp_path, "custom", image_size=10).sample_shape == (10, 10, 3)
    (tmp_path / "b" / "x.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"found 1 of 7 that can't be read: .*x.png \(no JPEG or PNG image\)"):
        opened(tmp_path, "custom")


def test_a_table_beside_the_images_names_their_factors(tmp_path):
    root = tmp_path / "images"
    write_images(root, n=4)
    files = [f"{c}/{k:03}.{'jpg' if k % 2 else 'png'}" for c in ("ant", "bee", "cow") for k in range(4)]
    order = np.random.default_rng(0).permutation(12)
    lines = [f"{files[k]},{k},{'sun' if k % 3 else 'rain'}" for k in order]
    (tmp_path / "about.csv").write_text("\n".join(["file,number,weather", *lines]))
    dataset = opened(root, "custom", image_size=8, metadata=str(tmp_path / "about.csv"), n_samples=6)
    numbers = np.concatenate([block.factors["number"] for block in dataset.blocks(4)])
    assert numbers.tolist() == sorted(numbers)
    assert len(numbers) == 6
    assert next(dataset.blocks(1)).factors["weather"][0] in {"sun", "rain"}
    (tmp_path / "about.csv").write_text("\n".join(["file,number,weather", *lines[1:]]))
    with pytest.raises(DataError, match="expected a row for each image, found none for 1, such as"):
        opened(root, "custom", image_size=8, metadata=str(tmp_path / "about.csv"))
    (tmp_path / "about.csv").write_text("\n".join(["name,number,weather", *lines]))
    with pytest.raises(DataError, match="expected a column 'file'"):
        opened(root, "custom", image_size=8, metadata=str(tmp_path / "about.csv"))


@pytest.mark.parametrize(
    ("params", "key"),
    [({"target": "x"}, "target"), ({"task": "regression"}, "task"), ({"decimal": ","}, "decimal")],
)
def test_parameters_that_mean_nothing_for_images_are_refused(tmp_path, params, key):
    write_images(tmp_path, n=2)
    with pytest.raises(SettingsError, match="no meaning for a folder of images") as caught:
        opened(tmp_path, "custom", **params)
    assert caught.value.key == ("dataset", "params", key)
