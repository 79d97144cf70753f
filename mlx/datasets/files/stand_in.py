"""What a published set will be once it has been fetched, for checks that must not fetch it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlx.datasets.dataset import Block, Dataset, spans
from mlx.datasets.files.cifar import CIFAR10_DOWNLOAD, CIFAR100_DOWNLOAD, Cifar100Params
from mlx.datasets.files.download import Download
from mlx.datasets.files.mnist import FASHION_DOWNLOADS, MNIST_DOWNLOADS
from mlx.datasets.files.stored import PublishedParams, augmentation_of
from mlx.datasets.roles import Roles, two_parts


@dataclass(frozen=True)
class Published:
    """The facts of a published set.

    Attributes
    ----------
    sample_shape : of one image.
    n_classes : how many there are.
    sizes : samples of the published training and test part.
    downloads : what is fetched.
    """

    sample_shape: tuple[int, int, int]
    n_classes: int
    sizes: tuple[int, int]
    downloads: tuple[Download, ...]


PUBLISHED = {
    "mnist": Published((28, 28, 1), 10, (60_000, 10_000), MNIST_DOWNLOADS),
    "fashion_mnist": Published((28, 28, 1), 10, (60_000, 10_000), FASHION_DOWNLOADS),
    "cifar10": Published((32, 32, 3), 10, (50_000, 10_000), (CIFAR10_DOWNLOAD,)),
    "cifar100": Published((32, 32, 3), 100, (50_000, 10_000), (CIFAR100_DOWNLOAD,)),
}


def stand_in(name: str, params: PublishedParams) -> Dataset:
    """Return a dataset of the shape and size that set `name` has, whose images are noise."""
    facts = PUBLISHED[name]
    train, test = facts.sizes
    available = {"train": train, "test": test, "all": train + test}[params.subset]
    n = min(params.n_samples or available, available)
    n_train = n - max(1, round(n * test / (train + test)))
    k = 20 if isinstance(params, Cifar100Params) and params.labels == "coarse" else facts.n_classes
    dtype = np.dtype(np.float32 if params.normalize else np.uint8)

    def blocks(rows: int) -> Iterator[Block]:
        rng = np.random.default_rng(0)
        for start, stop in spans(n, rows):
            pixels = rng.integers(0, 256, size=(stop - start, *facts.sample_shape), dtype=np.uint8)
            X = pixels if dtype == np.uint8 else pixels.astype(dtype) / dtype.type(255)
            yield Block(X, np.arange(start, stop) % k, None)

    return Dataset(
        name=name,
        task="classification",
        class_names=tuple(map(str, range(k))),
        sample_shape=facts.sample_shape,
        dtype=dtype,
        n_samples=n,
        source=f"noise of the shape of {name}",
        seed=None,
        blocks=blocks,
        details={"augmentation": augmentation_of(name, params)},
        roles=Roles(parts=two_parts(n_train, n - n_train) if params.subset == "all" else None),
    )
