"""``mnist`` and ``fashion_mnist``: 70,000 gray images of 28 × 28 pixels in ten classes."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.errors import DataError
from mlx.datasets.custom.array_files import ArrayFile, open_npz
from mlx.datasets.dataset import IN_MEMORY_LIMIT, Dataset
from mlx.datasets.files.download import Download, Layout, locate
from mlx.datasets.files.idx import IdxFile, open_idx
from mlx.datasets.files.stored import PublishedParams, Subset, augmentation_of, checked_labels, stored_dataset
from mlx.datasets.files.subsets import choose_rows, counted, picked
from mlx.datasets.roles import Roles, two_parts

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

MIRROR = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# The checksums are those that Keras and the authors publish.
MNIST_DOWNLOADS = (
    Download("mnist.npz", f"{MIRROR}mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),
)
FASHION_DOWNLOADS = tuple(
    Download(f"{name}.gz", f"{MIRROR}{name}.gz", checksum, "fashion-mnist")
    for name, checksum in {
        "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
    }.items()
)

Part = tuple[IdxFile | ArrayFile, Array]


class MnistParams(PublishedParams):
    """Parameters of ``mnist`` and ``fashion_mnist``: those of every published set."""


def open_mnist(params: MnistParams, path: str | None) -> Dataset:
    """Handwritten digits; X is uint8 of shape (n_samples, 28, 28, 1).

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE 86, 1998.
    """
    return _open("mnist", "handwritten digits", DIGITS, MNIST_DOWNLOADS, params, path)


def open_fashion_mnist(params: MnistParams, path: str | None) -> Dataset:
    """Photographs of clothes; X is uint8 of shape (n_samples, 28, 28, 1).

    Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms", arXiv:1708.07747, 2017.
    """
    return _open("fashion_mnist", "photographs of clothes", CLOTHES, FASHION_DOWNLOADS, params, path)


def _open(
    name: str,
    content: str,
    class_names: tuple[str, ...],
    downloads: Sequence[Download],
    params: MnistParams,
    path: str | None,
) -> Dataset:
    """Open a set in the files of MNIST.

    Raises
    ------
    DataError
        If the files are not there, are damaged, or don't belong together.
    """
    layouts = _layouts(params.subset)
    layout, files = locate(name, path, layouts, downloads, download=params.download)
    parts = _npz_parts(files[0], params.subset) if layout is layouts[1] else _idx_parts(files)
    height, width = _image_shape([images for images, _ in parts])
    labels = np.concatenate([checked_labels(images.path, labels, len(class_names)) for images, labels in parts])
    index = choose_rows(labels, params.n_samples, params.seed)
    sizes = [len(part) for _, part in parts]
    return stored_dataset(
        name,
        params,
        partial(_read, [images for images, _ in parts]),
        index,
        labels,
        class_names=class_names,
        sample_shape=(height, width, 1),
        source=f"{content}, {counted(index, len(labels))} ({params.subset}) from the {layout.kind}",
        details={"subset": params.subset, "augmentation": augmentation_of(name, params)},
        roles=Roles(parts=two_parts(*sizes)) if params.subset == "all" else None,
        files=files,
    )


def _layouts(subset: Subset) -> tuple[Layout, Layout]:
    prefixes = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}[subset]
    kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
    files = tuple(_names(f"{prefix}-{kind}") for prefix in prefixes for kind in kinds)
    return Layout("IDX files", files), Layout("file mnist.npz", (("mnist.npz",),))


def _names(name: str) -> tuple[str, ...]:
    """Return the names that a file goes by: Kaggle's archives have a dot before the type."""
    other = name.replace("-idx", ".idx")
    return name, f"{name}.gz", other, f"{other}.gz"


def _idx_parts(files: Sequence[Path]) -> list[Part]:
    pairs = zip(files[::2], files[1::2], strict=True)
    parts: list[Part] = []
    for images, labels in ((open_idx(images, 3), open_idx(labels, 1)) for images, labels in pairs):
        _check_rows(images, labels)
        parts.append((images, np.concatenate(list(labels.chunks()))))
    return parts


def _npz_parts(file: Path, subset: Subset) -> list[Part]:
    """Read the arrays as Keras repacked them: ``x_train``, ``y_train``, ``x_test``, ``y_test``."""
    arrays = open_npz(file)
    names = ("train", "test") if subset == "all" else (subset,)
    for key in (f"{letter}_{name}" for name in names for letter in "xy"):
        ndim = 3 if key.startswith("x") else 1
        if key not in arrays or arrays[key].dtype != np.uint8 or len(arrays[key].shape) != ndim:
            found = f"{arrays[key].dtype} {arrays[key].shape}" if key in arrays else "none"
            raise DataError(f"{file}: expected an array {key} of {ndim} dimensions of uint8, found {found}")
    for name in names:
        _check_rows(arrays[f"x_{name}"], arrays[f"y_{name}"])
    return [(arrays[f"x_{name}"], arrays[f"y_{name}"].whole()) for name in names]


def _check_rows(images: IdxFile | ArrayFile, labels: IdxFile | ArrayFile) -> None:
    """Compare what the headers say, before labels are read: a small compressed file can claim any number."""
    n_labels, n_images = labels.shape[0], images.shape[0]
    if n_labels != n_images:
        raise DataError(f"{images.path}: expected {n_labels} images, one a label, found {n_images}")
    most = IN_MEMORY_LIMIT // np.dtype(np.int64).itemsize
    if n_labels > most:
        raise DataError(f"{labels.path}: expected at most {most} labels, found {n_labels}")


def _image_shape(images: Sequence[IdxFile | ArrayFile]) -> tuple[int, ...]:
    first = images[0].shape[1:]
    for other in images[1:]:
        if other.shape[1:] != first:
            raise DataError(
                f"{other.path}: expected images of {first[0]}x{first[1]} pixels as in {images[0].path.name}, "
                f"found {other.shape[1]}x{other.shape[2]}"
            )
    return first


def _read(images: Sequence[IdxFile | ArrayFile], index: Indices, rows: int) -> Iterator[Array]:
    chunks = chain.from_iterable(part.chunks() for part in images)
    for X in picked(chunks, index, rows):
        yield X[..., np.newaxis]
