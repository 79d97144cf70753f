"""IDX files and the sets in them: read whole, in parts and in blocks; damaged ones refused."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from written_files import N, ten_classes, write_idx, write_mnist

from mlx.core.errors import DataError, SettingsError
from mlx.datasets.files.mnist import CLOTHES, MnistParams, open_fashion_mnist, open_mnist


def everything(dataset, rows=64):
    blocks = list(dataset.blocks(rows))
    return np.concatenate([b.X for b in blocks]), np.concatenate([b.y for b in blocks])


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize(("subset", "rows"), [("all", slice(0, N)), ("train", slice(0, 200)), ("test", slice(200, N))])
def test_images_and_labels_come_back_as_written(tmp_path, zipped, subset, rows):
    X, y = write_mnist(tmp_path, zipped=zipped)
    dataset = open_mnist(MnistParams(subset=subset), str(tmp_path))
    read, labels = everything(dataset)
    np.testing.assert_array_equal(read, X[rows, ..., np.newaxis])
    np.testing.assert_array_equal(labels, y[rows])
    assert (dataset.class_names, dataset.dtype, dataset.seed) == (tuple("0123456789"), np.uint8, None)


def test_the_content_tells_whether_a_file_is_gzipped_not_its_name(tmp_path):
    X, _ = write_mnist(tmp_path, zipped=True)
    for file in tmp_path.iterdir():
        file.rename(tmp_path / file.name.replace("-idx", ".idx").removesuffix(".gz"))
    np.testing.assert_array_equal(everything(open_mnist(MnistParams(), str(tmp_path)))[0][..., 0], X)


def test_the_file_that_keras_keeps_is_read_too(tmp_path):
    X, y = write_mnist(tmp_path)
    arrays = {"x_train": X[:200], "y_train": y[:200], "x_test": X[200:], "y_test": y[200:]}
    (tmp_path / "own").mkdir()
    np.savez_compressed(tmp_path / "own" / "mnist.npz", **arrays)
    read, labels = everything(open_mnist(MnistParams(), str(tmp_path / "own")))
    np.testing.assert_array_equal(read[..., 0], X)
    np.testing.assert_array_equal(labels, y)


def test_fashion_has_the_names_of_its_classes(tmp_path):
    write_mnist(tmp_path)
    assert open_fashion_mnist(MnistParams(), str(tmp_path)).class_names == CLOTHES
    assert len(set(CLOTHES)) == 10


def test_normalized_images_are_those_divided_by_255(tmp_path):
    X, _ = write_mnist(tmp_path)
    dataset = open_mnist(MnistParams(normalize=True, augmentation=True), str(tmp_path))
    read, _ = everything(dataset)
    assert read.dtype == dataset.dtype == np.float32
    np.testing.assert_allclose(read[..., 0], X / 255, rtol=1e-6)
    assert dataset.details["augmentation"] == {"flip": False, "shift": 0.1}


def test_a_subset_keeps_the_shares_of_the_classes_and_the_order_of_the_file(tmp_path):
    X, y = write_mnist(tmp_path)
    dataset = open_mnist(MnistParams(n_samples=50, seed=3), str(tmp_path))
    read, labels = everything(dataset, rows=7)
    assert np.bincount(labels).tolist() == [5] * 10
    where = [int(np.flatnonzero((image[..., 0] == X).all(axis=(1, 2)))[0]) for image in read]
    assert where == sorted(where)
    np.testing.assert_array_equal(y[where], labels)
    assert dataset.seed == 3
    other, _ = everything(open_mnist(MnistParams(n_samples=50, seed=4), str(tmp_path)))
    assert (other != read).any()


@pytest.mark.parametrize(
    ("n_samples", "message"),
    [(241, "at most 240"), (9, "at least one sample for each of 10 classes, found 9")],
)
def test_a_subset_that_can_not_be_drawn_is_an_error_at_its_key(tmp_path, n_samples, message):
    write_mnist(tmp_path)
    with pytest.raises(SettingsError, match=message) as caught:
        open_mnist(MnistParams(n_samples=n_samples), str(tmp_path))
    assert caught.value.key == ("dataset", "params", "n_samples")


@pytest.mark.slow
def test_memory_is_that_of_a_block(tmp_path):
    n = 60_000
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((n, 28, 28), np.uint8))
    write_idx(tmp_path / "train-labels-idx1-ubyte", ten_classes(n))
    tracemalloc.start()
    assert sum(len(b.X) for b in open_mnist(MnistParams(subset="train"), str(tmp_path)).blocks(1000)) == n
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def damaged(tmp_path, file, change):
    write_mnist(tmp_path)
    path = tmp_path / file
    path.write_bytes(change(path.read_bytes()))
    return path


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (IMAGES, lambda c: c[:-1], "expected 31376 bytes, .*, found 31375: it is truncated"),
        (IMAGES, lambda c: c + b"x", "found 31377: there is something behind its end"),
        (IMAGES, lambda c: c[:9], "expected a header of 16 bytes, found 9: it is truncated"),
        (IMAGES, lambda c: c[:0], "expected magic number 2051 .*, found a file of 0 bytes"),
        (IMAGES, lambda c: struct.pack(">I", 2049) + c[4:], "expected magic number 2051 .*, found 2049"),
        (LABELS, lambda c: struct.pack(">I", 2051) + c[4:], "expected magic number 2049 .*, found 2051"),
        (LABELS, lambda c: c[:4] + struct.pack(">I", 39) + c[8:-1], "39 images, one a label, found 40"),
        (LABELS, lambda c: c[:4] + bytes(4), "expected at least one entry in each dimension"),
        (LABELS, lambda c: c[:10] + b"\x0a" + c[11:], "expected labels 0 to 9, found 10 for image 2"),
        (IMAGES, lambda c: c[:4] + b"\xff" * 12 + c[16:], "found 31376: it is truncated"),
        (IMAGES, lambda c: gzip.compress(c)[:-9], "expected a whole gzip file, found one that is truncated"),
        (IMAGES, lambda c: gzip.compress(c)[:500] + b"\xff" * 5000, "found a damaged one"),
        (IMAGES, lambda c: gzip.compress(c[:-784]), "expected 40 entries, as its header says, found only 39"),
        (IMAGES, lambda c: gzip.compress(c + b"x"), "expected 40 entries, as its header says, found more"),
        (IMAGES, lambda c: gzip.compress(c)[:-8] + bytes(8), "found a damaged one .*CRC"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_with_what_was_expected_and_found(tmp_path, file, change, message):
    path = damaged(tmp_path, file, change)
    with pytest.raises(DataError, match=message) as caught:
        everything(open_mnist(MnistParams(), str(tmp_path)))
    assert str(path.parent) in str(caught.value)
    assert file.split("-")[0] in str(caught.value)


@pytest.mark.parametrize(
    ("file", "shape", "message"),
    [
        (IMAGES, (10, 2**32 - 1, 2**32 - 1), r"expected a gzip file that can hold \d+ bytes, .*, found one of"),
        (IMAGES, (1, 5000, 5000), r"expected entries of at most 16777216 bytes, found shape \(1, 5000, 5000\)"),
        (LABELS, (2**31,), "expected a gzip file that can hold"),
        (LABELS, (10**6,), "expected 1000000 images, one a label, found 40"),
    ],
)
def test_a_gzip_file_that_claims_more_than_is_there_or_can_be_used_is_not_read(tmp_path, file, shape, message):
    write_mnist(tmp_path)
    header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    (tmp_path / file).write_bytes(gzip.compress(header + bytes(10**6) + np.random.default_rng(0).bytes(30_000)))
    tracemalloc.start()
    with pytest.raises(DataError, match=message):
        open_mnist(MnistParams(subset="test"), str(tmp_path))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_images_of_another_size_in_the_other_part_are_refused(tmp_path):
    write_mnist(tmp_path)
    write_idx(tmp_path / IMAGES, np.zeros((40, 27, 28), np.uint8))
    with pytest.raises(DataError, match=r"expected images of 28x28 pixels .*, found 27x28"):
        open_mnist(MnistParams(), str(tmp_path))


def test_a_subset_needs_its_own_files_only(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / IMAGES).unlink()
    assert open_mnist(MnistParams(subset="train"), str(tmp_path)).n_samples == 200
    with pytest.raises(DataError, match=f"expected all IDX files of mnist, missing {IMAGES}"):
        open_mnist(MnistParams(), str(tmp_path))
