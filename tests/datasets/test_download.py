"""Where published files are looked for, and that nothing is fetched unless asked."""

import subprocess
import sys
import types

import pytest
from written_files import write_cifar10, write_mnist

from mlx.core.errors import DataError
from mlx.datasets import DatasetSettings, open_dataset
from mlx.datasets.catalogue import FROM_FILES


def opened(name, path=None, **params):
    return open_dataset(DatasetSettings(name=name, path=path, params=params))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty Keras home, and no Keras to fill it."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setitem(sys.modules, "keras", None)
    return tmp_path / "keras" / "datasets"


@pytest.mark.parametrize("name", sorted(FROM_FILES.keys() - {"custom"}))
def test_absent_files_are_named_with_the_folders_and_where_to_put_them(cache, name):
    with pytest.raises(DataError) as caught:
        opened(name)
    text = str(caught.value)
    assert text.startswith(f"dataset {name}: its files are not there; looked in {cache}")
    assert "set dataset.path to" in text
    first = {"mnist": "train-images-idx3-ubyte", "cifar10": "data_batch_1", "cifar100": "train.bin"}
    assert first.get(name, "") in text
    assert ("dataset.params.download: true" in text) == (name != "imagenet")


def test_files_in_the_cache_are_used_without_keras(cache):
    (cache / "fashion-mnist").mkdir(parents=True)
    write_mnist(cache / "fashion-mnist", zipped=True)
    assert opened("fashion_mnist").n_samples == opened("fashion_mnist", download=True).n_samples == 240
    inside = cache / "cifar-10-batches-py-target" / "cifar-10-batches-py"
    inside.mkdir(parents=True)
    write_cifar10(inside)
    assert opened("cifar10").n_samples == 240


def test_a_path_is_the_only_place_looked_into(cache, tmp_path):
    cache.mkdir(parents=True)
    write_mnist(cache)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected the IDX files .*, found none of them$"):
        opened("mnist", str(tmp_path / "empty"), download=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda place: place.exists(), "expected a folder with the files of cifar10, found nothing there"),
        (lambda place: place.write_bytes(b"x"), "expected a folder with the files of cifar10, found a file"),
        (
            lambda place: place.mkdir(),
            "expected the python batches .*, or the binary batches .* none of them",
        ),
    ],
)
def test_a_path_where_nothing_is_says_so(tmp_path, make, message):
    make(tmp_path / "there")
    with pytest.raises(DataError, match=message):
        opened("cifar10", str(tmp_path / "there"))


def test_an_archive_is_to_be_unpacked(tmp_path):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"x")
    with pytest.raises(DataError, match=r"found none of them; unpack cifar-10-python\.tar\.gz first"):
        opened("cifar10", str(tmp_path))


def fake_keras(monkeypatch, get_file):
    module = types.ModuleType("keras")
    module.utils = types.SimpleNamespace(get_file=get_file)
    monkeypatch.setitem(sys.modules, "keras", module)


def test_a_download_is_asked_for_with_its_checksum_and_then_read(cache, monkeypatch, capsys):
    asked = []

    def get_file(**wanted):
        print("100 %")  # noqa: T201 - as Keras does
        asked.append(wanted)
        folder = cache.parent / wanted["cache_subdir"]
        folder.mkdir(parents=True, exist_ok=True)
        if len(asked) == 4:
            write_mnist(folder, zipped=True)

    fake_keras(monkeypatch, get_file)
    assert opened("fashion_mnist", download=True).n_samples == 240
    assert [len(wanted["file_hash"]) for wanted in asked] == [32] * 4
    assert {wanted["cache_dir"] for wanted in asked} == {str(cache.parent)}
    assert capsys.readouterr().out == ""


def test_a_failed_download_says_what_to_do(monkeypatch):
    def get_file(**wanted):
        raise Exception("URL fetch failure")

    fake_keras(monkeypatch, get_file)
    with pytest.raises(
        DataError, match=r"could not download https://.*mnist.npz: URL fetch failure; its files are not .* into a"
    ):
        opened("mnist", download=True)


def test_tensorflow_is_not_imported_to_look_for_files(tmp_path):
    write_mnist(tmp_path)
    code = (
        "import sys; from mlx.datasets import DatasetSettings, open_dataset; "
        f"next(open_dataset(DatasetSettings(name='mnist', path={str(tmp_path)!r})).blocks(10)); "
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'pandas', 'PIL')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
