"""What a published set will be once it has been fetched, for checks that must not fetch it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlx.core.streams import stream
from mlx.datasets.dataset import Block, Dataset, spans
from mlx.datasets.files.cifar import CIFAR10_DOWNLOAD, CIFAR100_DOWNLOAD, Cifar100Params
from mlx.datasets.files.download import Download
from mlx.datasets.files.mnist import FASHION_DOWNLOADS, MNIST_DOWNLOADS
from mlx.datasets.files.number_tables import COVTYPE_DOWNLOAD, HOUSING_DOWNLOAD
from mlx.datasets.files.olivetti import OLIVETTI_DOWNLOAD
from mlx.datasets.files.stored import FetchedParams, PublishedParams, StoredParams, augmentation_of
from mlx.datasets.roles import Roles, two_parts


@dataclass(frozen=True)
class Published:
    """The facts of a published set.

    Attributes
    ----------
    sample_shape
        Of one image, or of a table's row.
    n_classes
        How many there are; 0 for regression.
    sizes
        Samples of the published training and test part, or of the whole where it is published in one.
    downloads
        What is fetched.
    """

    sample_shape: tuple[int, ...]
    n_classes: int
    sizes: tuple[int, ...]
    downloads: tuple[Download, ...]


PUBLISHED = {
    "mnist": Published((28, 28, 1), 10, (60_000, 10_000), MNIST_DOWNLOADS),
    "fashion_mnist": Published((28, 28, 1), 10, (60_000, 10_000), FASHION_DOWNLOADS),
    "cifar10": Published((32, 32, 3), 10, (50_000, 10_000), (CIFAR10_DOWNLOAD,)),
    "cifar100": Published((32, 32, 3), 100, (50_000, 10_000), (CIFAR100_DOWNLOAD,)),
    "california_housing": Published((8,), 0, (20_640,), (HOUSING_DOWNLOAD,)),
    "covtype": Published((54,), 7, (581_012,), (COVTYPE_DOWNLOAD,)),
    "olivetti_faces": Published((64, 64, 1), 40, (400,), (OLIVETTI_DOWNLOAD,)),
}


def stand_in(name: str, params: FetchedParams) -> Dataset:
    """Return a dataset of the shape and size that set `name` has, whose samples are noise."""
    facts = PUBLISHED[name]
    subset = params.subset if isinstance(params, PublishedParams) else "all"
    available = {"train": facts.sizes[0], "test": facts.sizes[-1], "all": sum(facts.sizes)}[subset]
    n = min(params.n_samples or available, available)
    k = 20 if isinstance(params, Cifar100Params) and params.labels == "coarse" else facts.n_classes
    table = len(facts.sample_shape) == 1
    unit = table or (isinstance(params, StoredParams) and params.normalize)
    dtype = np.dtype(np.float64 if table else np.float32 if unit else np.uint8)

    def blocks(rows: int) -> Iterator[Block]:
        rng = stream(0)
        for start, stop in spans(n, rows):
            X = rng.integers(0, 256, size=(stop - start, *facts.sample_shape), dtype=np.uint8)
            y = np.arange(start, stop) % k if k else rng.random(stop - start)
            yield Block(X.astype(dtype) / dtype.type(255) if unit else X, y, None)

    return Dataset(
        name=name,
        task="classification" if k else "regression",
        class_names=tuple(map(str, range(k))),
        sample_shape=facts.sample_shape,
        dtype=dtype,
        n_samples=n,
        source=f"noise of the shape of {name}",
        seed=None,
        blocks=blocks,
        details={"augmentation": augmentation_of(name, params)} if isinstance(params, StoredParams) else {},
        roles=_parts(n, facts.sizes) if subset == "all" else Roles(),
    )


def _parts(n: int, sizes: tuple[int, ...]) -> Roles:
    if len(sizes) == 1:
        return Roles()
    n_test = max(1, round(n * sizes[1] / sum(sizes)))
    return Roles(parts=two_parts(n - n_test, n_test))
