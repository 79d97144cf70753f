"""Where published files are looked for, and that nothing is fetched unless asked."""

import subprocess
import sys
import tarfile
from dataclasses import replace
from functools import partial
from hashlib import md5, sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from written_files import write_cifar10, write_housing, write_mnist

from mlx.core.errors import DataError
from mlx.datasets import DatasetSettings, open_dataset
from mlx.datasets.catalogue import FROM_FILES
from mlx.datasets.files import cifar, mnist, number_tables
from mlx.datasets.inputs import fingerprint, inputs_read


def opened(name, path=None, **params):
    return open_dataset(DatasetSettings(name=name, path=path, params=params))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty Keras home; none needs Keras."""
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
    first = {
        "mnist": "train-images-idx3-ubyte",
        "cifar10": "data_batch_1",
        "cifar100": "train.bin",
        "california_housing": "cal_housing.data",
        "covtype": "covtype.data.gz",
        "olivetti_faces": "olivettifaces.mat",
    }
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
    (cache / "california_housing").mkdir()
    write_housing(cache / "california_housing")
    housing = cache / "california_housing" / "cal_housing.data"
    for name, folder, n in (
        ("fashion_mnist", cache / "fashion-mnist", 4),
        ("cifar10", inside, 6),
        ("california_housing", housing, 1),
    ):
        settings = DatasetSettings(name=name)
        ((key, read),) = inputs_read(settings, open_dataset(settings)).items()
        assert (key, read.path, read.files) == ("dataset.name", str(folder), n)
        assert inputs_read(DatasetSettings(name=name, path=str(cache)), opened(name)).keys() == {"dataset.path"}
    assert read == fingerprint(housing).model_copy(update={"path": str(housing)})


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


class Published(SimpleHTTPRequestHandler):
    """A server of the original files: those of `folder`."""

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def published(tmp_path):
    """A folder and the address that serves it."""
    folder = tmp_path / "published"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Published, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_files_are_fetched_with_their_checksums_and_then_read(published, cache, monkeypatch, capsys):
    folder, address = published
    write_mnist(folder, zipped=True)
    served = [
        replace(
            item,
            url=address + item.name,
            checksum=md5((folder / item.name).read_bytes(), usedforsecurity=False).hexdigest(),
        )
        for item in mnist.FASHION_DOWNLOADS
    ]
    monkeypatch.setattr(mnist, "FASHION_DOWNLOADS", served)
    assert opened("fashion_mnist", download=True).n_samples == 240
    assert {path.name for path in (cache / "fashion-mnist").iterdir()} == {item.name for item in served}
    shown = capsys.readouterr()
    assert not shown.out
    assert shown.err.splitlines() == [f"fetching {item.url}" for item in served]


def test_an_archive_is_fetched_and_unpacked_where_keras_has_it_too(published, cache, monkeypatch):
    folder, address = published
    inside = folder / "cifar-10-batches-py"
    inside.mkdir()
    write_cifar10(inside)
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.add(inside, inside.name)
    digest = sha256((folder / "cifar-10-python.tar.gz").read_bytes()).hexdigest()
    served = replace(cifar.CIFAR10_DOWNLOAD, url=address + "cifar-10-python.tar.gz", checksum=digest)
    monkeypatch.setattr(cifar, "CIFAR10_DOWNLOAD", served)
    assert opened("cifar10", download=True).n_samples == 240
    assert (cache / "cifar-10-batches-py-target" / inside.name / "test_batch").is_file()


def test_an_archive_whose_address_has_no_ending_is_unpacked(published, cache, monkeypatch):
    folder, address = published
    (folder / "CaliforniaHousing").mkdir()
    write_housing(folder / "CaliforniaHousing")
    with tarfile.open(folder / "5976036", "w:gz") as archive:
        archive.add(folder / "CaliforniaHousing", "CaliforniaHousing")
    digest = sha256((folder / "5976036").read_bytes()).hexdigest()
    served = replace(number_tables.HOUSING_DOWNLOAD, url=address + "5976036", checksum=digest)
    monkeypatch.setattr(number_tables, "HOUSING_DOWNLOAD", served)
    assert opened("california_housing", download=True).n_samples == 240
    assert {path.parts[len(cache.parts)] for path in cache.rglob("*")} == {"california_housing"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent", "404 Client Error: File not found"),
        ("other", r"SHA256 hash of downloaded file \(.*\) does not match the known hash"),
    ],
)
def test_a_failed_download_says_why_and_what_to_do_and_leaves_nothing(published, cache, monkeypatch, name, reason):
    folder, address = published
    (folder / "other").write_bytes(b"something else")
    served = replace(mnist.MNIST_DOWNLOADS[0], url=address + name)
    monkeypatch.setattr(mnist, "MNIST_DOWNLOADS", [served])
    with pytest.raises(DataError, match=f"could not download {address}{name}: {reason}.*; its files are not .* into a"):
        opened("mnist", download=True)
    assert not list(cache.rglob("mnist*"))


def test_a_server_that_is_not_there_is_named_in_one_line(monkeypatch):
    served = replace(mnist.MNIST_DOWNLOADS[0], url="http://127.0.0.1:9/mnist.npz")
    monkeypatch.setattr(mnist, "MNIST_DOWNLOADS", [served])
    with pytest.raises(DataError, match=r"could not download http://127.0.0.1:9/mnist.npz: .*Connection refused; its"):
        opened("mnist", download=True)


@pytest.mark.slow
def test_tensorflow_is_not_imported_to_look_for_files(tmp_path):
    write_mnist(tmp_path)
    code = (
        "import sys; from mlx.datasets import DatasetSettings, open_dataset; "
        f"next(open_dataset(DatasetSettings(name='mnist', path={str(tmp_path)!r})).blocks(10)); "
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'pandas', 'PIL')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
