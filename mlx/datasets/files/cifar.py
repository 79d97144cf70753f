"""``cifar10`` and ``cifar100``: 60,000 color images of 32 × 32 pixels, in the published batches."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.datasets.dataset import Dataset
from mlx.datasets.files.cifar_batches import (
    FORMS,
    SIZE,
    TEN_CLASSES,
    Form,
    binary_images,
    binary_labels,
    pickled_images,
    pickled_labels,
    read_class_names,
)
from mlx.datasets.files.download import Download, Layout, locate
from mlx.datasets.files.stored import PublishedParams, Subset, augmentation_of, checked_labels, stored_dataset
from mlx.datasets.files.subsets import choose_rows, counted, picked
from mlx.datasets.roles import Roles, two_parts

Labels = Literal["fine", "coarse"]

# The checksums are those that Keras publishes.
CIFAR10_DOWNLOAD = Download(
    "cifar-10-batches-py-target",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    archive=True,
)
CIFAR100_DOWNLOAD = Download(
    "cifar-100-python-target",
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    archive=True,
)


class Cifar10Params(PublishedParams):
    """Parameters of ``cifar10``: those of every published set."""


class Cifar100Params(Cifar10Params):
    """Parameters of ``cifar100``.

    Attributes
    ----------
    labels
        ``fine``: 100 classes; ``coarse``: the 20 groups of five that they form.
    """

    labels: Labels = "fine"


def open_cifar10(params: Cifar10Params, path: str | None) -> Dataset:
    """Photographs of ten kinds of animals and vehicles; X is uint8 of shape (n_samples, 32, 32, 3).

    Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """
    batches = {"train": [f"data_batch_{k}" for k in range(1, 6)], "test": ["test_batch"]}
    layouts = _layouts(params.subset, batches, "cifar-10-batches")
    return _open("cifar10", TEN_CLASSES, layouts, CIFAR10_DOWNLOAD, params, path)


def open_cifar100(params: Cifar100Params, path: str | None) -> Dataset:
    """Photographs in a hundred classes of twenty groups; X is uint8 of shape (n_samples, 32, 32, 3).

    Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """
    layouts = _layouts(params.subset, {"train": ["train"], "test": ["test"]}, "cifar-100")
    form = FORMS[params.labels]
    dataset = _open("cifar100", form, layouts, CIFAR100_DOWNLOAD, params, path)
    return replace(dataset, details=dataset.details | {"labels": params.labels})


def _layouts(subset: Subset, batches: dict[str, list[str]], folder: str) -> tuple[Layout, Layout]:
    names = batches["train"] + batches["test"] if subset == "all" else batches[subset]
    python = "cifar-10-batches-py" if "10-" in folder else "cifar-100-python"
    binary = "cifar-10-batches-bin" if "10-" in folder else "cifar-100-binary"
    return (
        Layout("python batches", tuple((name,) for name in names), (python,)),
        Layout("binary batches", tuple((f"{name}.bin",) for name in names), (binary,)),
    )


def _open(
    name: str,
    form: Form,
    layouts: tuple[Layout, Layout],
    download: Download,
    params: Cifar10Params,
    path: str | None,
) -> Dataset:
    """Open a set in the batches of CIFAR.

    Raises
    ------
    DataError
        If the files are not there, are damaged, or have labels without a name.
    """
    layout, files = locate(name, path, layouts, [download], download=params.download)
    pickled = layout is layouts[0]
    class_names = read_class_names(files[0].parent, form, pickled=pickled)
    read_labels = pickled_labels if pickled else binary_labels
    batches = [checked_labels(file, read_labels(file, form), len(class_names)) for file in files]
    labels = np.concatenate(batches)
    index = choose_rows(labels, params.n_samples, params.seed)
    roles = Roles(parts=two_parts(sum(map(len, batches[:-1])), len(batches[-1]))) if params.subset == "all" else None
    return stored_dataset(
        name,
        params,
        partial(_read, files, form, pickled),
        index,
        labels,
        class_names=class_names,
        sample_shape=(SIZE, SIZE, 3),
        source=f"CIFAR photographs, {counted(index, len(labels))} ({params.subset}) from the {layout.kind}",
        details={"subset": params.subset, "augmentation": augmentation_of(name, params)},
        roles=roles,
        files=files,
    )


def _read(files: list[Path], form: Form, pickled: bool, index: Indices, rows: int) -> Iterator[Array]:
    def chunks() -> Iterator[Array]:
        for file in files:
            yield from pickled_images(file) if pickled else binary_images(file, form)

    return picked(chunks(), index, rows)
