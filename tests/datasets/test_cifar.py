"""The CIFAR batches in both published forms, and what becomes of damaged ones."""

import pickle
import tracemalloc

import numpy as np
import pytest
from written_files import planes, python2_batch, write_cifar10, write_cifar100

from mlx.core.errors import DataError
from mlx.datasets.files.cifar import Cifar10Params, Cifar100Params, open_cifar10, open_cifar100
from mlx.datasets.files.cifar_names import COARSE, FINE, TEN


def everything(dataset, rows=64):
    blocks = list(dataset.blocks(rows))
    return np.concatenate([b.X for b in blocks]), np.concatenate([b.y for b in blocks])


@pytest.mark.parametrize("binary", [False, True], ids=["python", "binary"])
@pytest.mark.parametrize(
    ("subset", "rows"), [("all", slice(0, 240)), ("train", slice(0, 200)), ("test", slice(200, 240))]
)
def test_cifar10_comes_back_as_written(tmp_path, binary, subset, rows):
    X, y = write_cifar10(tmp_path, binary=binary)
    dataset = open_cifar10(Cifar10Params(subset=subset), str(tmp_path))
    read, labels = everything(dataset)
    np.testing.assert_array_equal(read, X[rows])
    np.testing.assert_array_equal(labels, y[rows])
    assert (dataset.class_names, dataset.sample_shape) == (TEN, (32, 32, 3))


@pytest.mark.parametrize("binary", [False, True], ids=["python", "binary"])
@pytest.mark.parametrize(("kind", "names"), [("fine", FINE), ("coarse", COARSE)])
def test_cifar100_has_fine_and_coarse_labels(tmp_path, binary, kind, names):
    X, *both = write_cifar100(tmp_path, binary=binary)
    dataset = open_cifar100(Cifar100Params(labels=kind), str(tmp_path))
    read, labels = everything(dataset)
    np.testing.assert_array_equal(read, X)
    np.testing.assert_array_equal(labels, both[kind == "coarse"])
    assert dataset.class_names == names
    assert dataset.details["labels"] == kind


@pytest.mark.parametrize("write", ["python 2", "python 3, protocol 2", "python 3, protocol 5"])
def test_batches_are_read_whoever_pickled_them(tmp_path, write):
    X, y = write_cifar10(tmp_path)
    for file in tmp_path.iterdir() if write != "python 2" else ():
        rows = np.array_split(np.arange(240), 6)[5 if "test" in file.name else int(file.name[-1]) - 1]
        batch = {b"batch_label": b"part", b"labels": y[rows].tolist(), b"data": planes(X[rows])}
        content = pickle.dumps(batch, protocol=int(write[-1]))
        # NumPy writes arrays otherwise from protocol 5 on; what protocol 4 says is what is supported
        file.write_bytes(content if "2" in write else pickle.dumps(batch, protocol=4))
    np.testing.assert_array_equal(everything(open_cifar10(Cifar10Params(), str(tmp_path)))[0], X)


def test_the_folder_of_the_unpacked_archive_is_found(tmp_path):
    inside = tmp_path / "cifar-10-batches-py"
    inside.mkdir()
    write_cifar10(inside)
    assert open_cifar10(Cifar10Params(), str(tmp_path)).n_samples == 240


@pytest.mark.parametrize("binary", [False, True], ids=["python", "binary"])
def test_the_archive_names_the_classes(tmp_path, binary):
    write_cifar100(tmp_path, binary=binary)
    names = [f"kind {k}" for k in range(20)]
    if binary:
        (tmp_path / "coarse_label_names.txt").write_text("\n".join(names) + "\n\n")
    else:
        content = pickle.dumps({b"coarse_label_names": [n.encode() for n in names]}, protocol=2)
        (tmp_path / "meta").write_bytes(content)
    assert open_cifar100(Cifar100Params(labels="coarse"), str(tmp_path)).class_names == tuple(names)
    (tmp_path / ("coarse_label_names.txt" if binary else "meta")).write_bytes(
        b"one\ntwo\n" if binary else pickle.dumps({b"coarse_label_names": [b"one", b"two"]}, protocol=2)
    )
    with pytest.raises(DataError, match="expected 20 different class names, found 2 entries"):
        open_cifar100(Cifar100Params(labels="coarse"), str(tmp_path))


def test_a_subset_is_the_same_in_both_forms(tmp_path):
    read = []
    for binary in (False, True):
        folder = tmp_path / str(binary)
        folder.mkdir()
        write_cifar10(folder, binary=binary)
        read.append(everything(open_cifar10(Cifar10Params(n_samples=30), str(folder))))
    np.testing.assert_array_equal(read[0][0], read[1][0])
    assert np.bincount(read[0][1]).tolist() == [3] * 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[:-1], r"expected records of 3073 bytes, found 122919 .* 39 records and 3072 bytes"),
        (lambda c: c[:0], "found 0 bytes"),
        (lambda c: b"\x0a" + c[1:], "expected labels 0 to 9, found 10 for image 0"),
    ],
)
def test_a_damaged_binary_batch_is_named(tmp_path, change, message):
    write_cifar10(tmp_path, binary=True)
    file = tmp_path / "data_batch_3.bin"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(DataError, match=message) as caught:
        open_cifar10(Cifar10Params(), str(tmp_path))
    assert str(file) in str(caught.value)


DATA = np.zeros((3, 3072), np.uint8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (python2_batch(DATA, {"labels": [0, 1, 2]}, "x")[:-200], "a whole pickle, found a damaged file"),
        (python2_batch(DATA, {"labels": [0, 1, 2]}, "x")[:3000], "a whole pickle, found a damaged file"),
        (b"", "found an empty file"),
        (b"\x89PNG", "found a damaged file"),
        (python2_batch(DATA, {"labels": [0, 1]}, "x"), "expected 3 labels, one an image, found 2"),
        (python2_batch(DATA, {"labels": [0, 1, 10]}, "x"), "expected labels 0 to 9, found 10 for image 2"),
        (python2_batch(DATA, {"fine_labels": [0, 1, 2]}, "x"), "expected a list 'labels'"),
        (python2_batch(DATA[:, :3000], {"labels": [0, 1, 2]}, "x"), r"'data' .* \(3, 3000\)"),
        (pickle.dumps({b"labels": [1]}, protocol=2), "expected an array 'data' .* found none"),
        (pickle.dumps([1, 2], protocol=2), "expected an array 'data' .* found none"),
        (pickle.dumps({b"data": DATA.astype(float)}, protocol=2), "found a damaged file .*unsigned bytes"),
    ],
    ids=str,
)  # fmt: skip
def test_a_damaged_python_batch_is_named(tmp_path, content, message):
    write_cifar10(tmp_path)
    (tmp_path / "data_batch_2").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        open_cifar10(Cifar10Params(), str(tmp_path))
    assert str(tmp_path / "data_batch_2") in str(caught.value)


@pytest.mark.parametrize(
    "names", [5, "text", b"text", None, {"a": "b"}, [1] * 10, [["a"]] * 10, ("a",) * 10, ["a", None] * 5], ids=repr
)
def test_class_names_that_are_no_list_of_text_are_refused(tmp_path, names):
    write_cifar10(tmp_path)
    (tmp_path / "batches.meta").write_bytes(pickle.dumps({"label_names": names}, protocol=2))
    with pytest.raises(DataError, match=r"batches.meta: expected (a list 'label_names' of text|plain values)"):
        open_cifar10(Cifar10Params(), str(tmp_path))


def test_a_list_of_class_names_that_is_not_utf_8_is_refused(tmp_path):
    write_cifar10(tmp_path, binary=True)
    (tmp_path / "batches.meta.txt").write_bytes(b"caf\xe9\n" * 10)
    with pytest.raises(DataError, match=r"batches.meta.txt: expected class names as text in UTF-8"):
        open_cifar10(Cifar10Params(), str(tmp_path))


@pytest.mark.slow
def test_memory_is_that_of_a_few_copies_of_one_batch(tmp_path):
    write_cifar10(tmp_path, n=6000)
    size = (tmp_path / "data_batch_1").stat().st_size
    tracemalloc.start()
    for _ in open_cifar10(Cifar10Params(), str(tmp_path)).blocks(100):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * size + (4 << 20)
