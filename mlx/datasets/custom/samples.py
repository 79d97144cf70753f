"""The user's features and labels, from any source, as a dataset."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.column_descriptions import ColumnDescription
from mlx.core.errors import DataError, SettingsError
from mlx.datasets.custom.rows import Rows
from mlx.datasets.custom.targets import Target
from mlx.datasets.dataset import Dataset, Factors
from mlx.datasets.files.stored import StoredParams, augmentation_of, stored_dataset
from mlx.datasets.files.subsets import choose_rows, counted, picked
from mlx.datasets.roles import Roles


@dataclass(frozen=True)
class Samples:
    """What was read.

    Attributes
    ----------
    X
        Features (rows, features) or images (rows, height, width[, channels]).
    target
        One label or number a row.
    where
        What they are from, for messages and the description.
    factors
        One value per row each.
    details
        Further facts about the source.
    notes
        What the user should know of how it was read.
    roles
        Columns that are neither features nor factors.
    columns
        Of a table or an array with gaps, whose features have NaN where a value is missing.
    """

    X: Rows
    target: Target
    where: str
    factors: Factors = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    roles: Roles = field(default_factory=Roles)
    columns: tuple[ColumnDescription, ...] = ()


def samples_dataset(samples: Samples, params: StoredParams) -> Dataset:
    """Return the samples as the dataset ``custom``.

    Features become float64 unless they are float32, images stay uint8 or become float32; arrays of three
    dimensions are gray images.

    Raises
    ------
    DataError
        If X has other dimensions or types, or another number of rows than there are targets or factors.
    SettingsError
        If a setting for images is given and the samples are not images.
    """
    target, where = samples.target, samples.where
    shape, dtype = _checked_shape(samples), _checked_dtype(samples)
    _reject_image_settings(params, shape, dtype)
    classes = target.task == "classification"
    index = choose_rows(target.y, params.n_samples, params.seed, stratify=classes)
    kind = f"{len(target.class_names)} classes" if classes else "a regression"
    augmented = {"augmentation": augmentation_of("custom", params)} if len(shape) == 3 else {}
    return stored_dataset(
        "custom",
        params,
        partial(_read, samples, shape, dtype),
        index,
        target.y,
        class_names=target.class_names,
        sample_shape=shape,
        dtype=dtype,
        source=f"{where}: {counted(index, len(target.y))} samples for {kind} ({target.reason})",
        details=samples.details | augmented,
        factors={name: values[index] for name, values in samples.factors.items()} or None,
        inferred=target.inferred,
        notes=samples.notes,
        roles=samples.roles,
        columns=samples.columns,
    )


def _checked_shape(samples: Samples) -> tuple[int, ...]:
    shape, where = samples.X.shape, samples.where
    if len(shape) not in {2, 3, 4} or 0 in shape:
        raise DataError(
            f"{where}: expected X of shape (samples, features) or (samples, height, width[, channels]), found {shape}"
        )
    if len(shape) == 4 and shape[3] not in {1, 3}:
        hint = "; move the channels last" if shape[1] in {1, 3} else ""
        raise DataError(f"{where}: expected images of 1 or 3 channels, found X of shape {shape}{hint}")
    for name, values in {"y": samples.target.y, **samples.factors, **samples.roles.columns}.items():
        if len(values) != shape[0]:
            raise DataError(f"{where}: expected as many rows in X as in {name}, found {shape[0]} and {len(values)}")
    return (*shape[1:], 1) if len(shape) == 3 else shape[1:]


def _checked_dtype(samples: Samples) -> np.dtype[Any]:
    found = samples.X.dtype
    if found.kind not in "biuf":
        raise DataError(f"{samples.where}: expected numbers in X, found {found}")
    if samples.columns:
        return np.dtype(np.float64)
    image = len(samples.X.shape) > 2
    if image and found == np.uint8:
        return np.dtype(np.uint8)
    return np.dtype(np.float32 if image or found in (np.float32, np.float16) else np.float64)


def _reject_image_settings(params: StoredParams, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if params.normalize and dtype != np.uint8:
        raise SettingsError(
            f"expected false, as only 8-bit images are divided by 255, and X is {dtype} of shape {shape} a "
            "sample; preprocessing.scaling scales anything",
            key=("dataset", "params", "normalize"),
        )
    if params.augmentation and len(shape) != 3:
        raise SettingsError(
            f"expected false, as only images can be augmented, and X has shape {shape} a sample",
            key=("dataset", "params", "augmentation"),
        )


def _read(samples: Samples, shape: tuple[int, ...], dtype: np.dtype[Any], index: Indices, rows: int) -> Iterator[Array]:
    done = 0
    for block in picked(samples.X.chunks(), index, rows):
        X = block.reshape(len(block), *shape).astype(dtype, copy=False)
        if dtype.kind == "f":
            bad = (np.isinf(X) if samples.columns else ~np.isfinite(X)).reshape(len(X), -1).any(axis=1)
            if bad.any():
                row = index[done + int(np.argmax(bad))]
                raise DataError(f"{samples.where}: expected finite numbers in X, found others in row {row} from 0")
        done += len(X)
        yield X
