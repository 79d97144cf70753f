"""What datasets read from files share: parameters, and the dataset of their samples."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.column_descriptions import ColumnDescription, Kind
from mlx.core.errors import DataError
from mlx.core.settings import Settings
from mlx.datasets.dataset import Block, Dataset, Factors, blocks_of, spans
from mlx.datasets.files.image_measures import image_measures
from mlx.datasets.files.subsets import ReadRows, choose_rows, counted
from mlx.datasets.params import Count, Seed
from mlx.datasets.roles import Roles

UINT8 = np.dtype(np.uint8)

Measure = Callable[[Array, Indices], Factors]
"""``measure(X, rows)`` returns factors of images X (n, height, width, channels), which are these rows of the source."""


class SubsetParams(Settings):
    """Parameters of every set that is not generated.

    Attributes
    ----------
    n_samples
        How many samples to use, drawn with `seed` so that each class keeps its share and has at least
        one; all where it is not given. They stay in the files' order.
    seed
        What the subset is drawn with; it has no effect where all samples are used.
    """

    n_samples: Count | None = None
    seed: Seed = 42


class StoredParams(SubsetParams):
    """Parameters of every set of images, and of the user's own data.

    Attributes
    ----------
    normalize
        Write images as float32 from 0 to 1 instead of uint8 from 0 to 255.
    augmentation
        Shift the training images at random, and mirror them where that changes nothing, differently in each epoch.
    """

    normalize: bool = False
    augmentation: bool = False


class FetchedParams(SubsetParams):
    """Parameters of every set whose files can be downloaded.

    Attributes
    ----------
    download
        Fetch the files into Keras's cache where no ``dataset.path`` is set and they are not there yet.
    """

    download: bool = False


Subset = Literal["train", "test", "all"]


class PublishedParams(FetchedParams, StoredParams):
    """Parameters of every set that is published in a training and a test part.

    Attributes
    ----------
    subset
        The published training images, the test images, or both, training first.
    """

    subset: Subset = "all"


MIRRORABLE = frozenset({"fashion_mnist", "cifar10", "cifar100", "imagenet", "olivetti_faces"})
"""Sets whose labels hold for mirrored images; those of digits don't, and for the user's data it is unknown."""


def augmentation_of(name: str, params: StoredParams) -> dict[str, Any] | None:
    """Return what training may do to the images of set `name`, None where it was not asked to.

    ``flip``: mirror them; ``shift``: move them by up to this share of their height and width.
    """
    return {"flip": name in MIRRORABLE, "shift": 0.1} if params.augmentation else None


def stored_blocks(
    read: ReadRows,
    index: Indices,
    y: Array,
    factors: Factors | None = None,
    measure: Measure | None = None,
    *,
    normalize: bool = False,
) -> Callable[[int], Iterator[Block]]:
    """Return the ``blocks`` of a dataset whose samples are `index` of what `read` reads.

    Parameters
    ----------
    y, factors
        Of the samples in `index` alone, shape (len(index),).
    measure
        What measures the factors, where none are known.
    normalize
        Divide uint8 images by 255.
    """

    def blocks(rows: int) -> Iterator[Block]:
        for (start, stop), X in zip(spans(len(index), rows), read(index, rows), strict=True):
            if factors is not None:
                part: Factors | None = {name: values[start:stop] for name, values in factors.items()}
            else:
                part = None if measure is None else measure(X, index[start:stop])
            yield Block(unit(X) if normalize else X, y[start:stop], part)

    return blocks


def measured(X: Array, _: Indices) -> Factors:
    """Return what is measured of any images."""
    return image_measures(X)


def unit(X: Array) -> Array:
    """Return 8-bit images as float32 from 0 to 1."""
    return X.astype(np.float32) / np.float32(255)


def checked_labels(file: Path, labels: Array, n_classes: int) -> Array:
    """Return `labels` as int64 where each is below `n_classes`.

    Raises
    ------
    DataError
        One is not: names its image.
    """
    if labels.max() >= n_classes:
        row = int(np.argmax(labels >= n_classes))
        raise DataError(f"{file}: expected labels 0 to {n_classes - 1}, found {labels[row]} for image {row}")
    return labels.astype(np.int64)


def stored_dataset(
    name: str,
    params: StoredParams,
    read: ReadRows,
    index: Indices,
    y: Array,
    *,
    class_names: tuple[str, ...],
    sample_shape: tuple[int, ...],
    source: str,
    details: dict[str, Any],
    dtype: np.dtype[Any] = UINT8,
    factors: Factors | None = None,
    measure: Measure = measured,
    inferred: str = "",
    notes: tuple[str, ...] = (),
    roles: Roles | None = None,
    columns: Sequence[ColumnDescription] = (),
    files: Sequence[Path] = (),
) -> Dataset:
    """Return the dataset of the samples `index` of what `read` reads.

    Parameters
    ----------
    y
        Labels or, without `class_names`, targets of all samples that `read` reads.
    factors
        Of the samples in `index` alone.
    measure
        What measures the factors of images for which none are given.
    roles
        Of all samples that `read` reads.
    files
        Of a published set.
    """
    is_measured = factors is None and len(sample_shape) == 3
    own = y if len(index) == len(y) else y[index]
    return Dataset(
        name=name,
        task="classification" if class_names else "regression",
        class_names=class_names,
        sample_shape=sample_shape,
        dtype=np.dtype(np.float32) if params.normalize else dtype,
        n_samples=len(index),
        source=source,
        seed=None if params.n_samples is None else params.seed,
        blocks=stored_blocks(read, index, own, factors, measure if is_measured else None, normalize=params.normalize),
        details=details,
        has_factors=is_measured or bool(factors),
        inferred=inferred,
        notes=notes,
        roles=Roles() if roles is None else roles.take(index),
        columns=tuple(columns),
        files=tuple(files),
    )


def stored_table(
    name: str,
    params: SubsetParams,
    X: Array,
    y: Array,
    *,
    class_names: Sequence[str],
    features: Sequence[str],
    source: str,
    target: str = "target",
    files: Sequence[Path] = (),
) -> Dataset:
    """Return the dataset of a published table of numbers.

    Parameters
    ----------
    X
        Features, float64 of shape (rows, features), named by `features`.
    y
        Labels or, without `class_names`, targets, shape (rows,); scikit-learn calls this column `target`.
    files
        That it was read from; none for a table that is installed.
    """
    index = choose_rows(y, params.n_samples, params.seed, stratify=bool(class_names))
    kind: Kind = "categorical" if class_names else "numeric"
    label = ColumnDescription(name=target, kind=kind, use="target", categories=list(class_names))
    return Dataset(
        name=name,
        task="classification" if class_names else "regression",
        class_names=tuple(class_names),
        sample_shape=X.shape[1:],
        dtype=X.dtype,
        n_samples=len(index),
        source=f"{source}, {counted(index, len(y))} samples",
        seed=None if params.n_samples is None else params.seed,
        blocks=blocks_of(X[index], y[index]),
        details={"features": list(features)},
        columns=(*(ColumnDescription(name=name, kind="numeric") for name in features), label),
        files=tuple(files),
    )
