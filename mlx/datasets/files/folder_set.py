"""A dataset out of a folder of images a class; ``imagenet`` and ``custom`` are made so."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from mlx.datasets.custom.table_files import read_metadata
from mlx.datasets.dataset import Dataset
from mlx.datasets.files.image_folder import ImageFolder
from mlx.datasets.files.stored import StoredParams, augmentation_of, choose_rows, image_dtype, stored_blocks
from mlx.datasets.params import bad_value

LARGEST = 4096
NAMED_IN_DETAILS = 20


def _one_or_two_lengths(value: Any) -> Any:
    lengths = value if isinstance(value, list) and len(value) == 2 else [value]
    if value is not None and not all(type(length) is int and 1 <= length <= LARGEST for length in lengths):
        raise bad_value(f"an integer from 1 to {LARGEST}, or [height, width]", value)
    return value


PixelSize = Annotated[int | list[int], BeforeValidator(_one_or_two_lengths)]
"""Pixels: one number for square images, or height and width."""


def height_width(size: int | list[int]) -> tuple[int, int]:
    """Return height and width; a single number is both."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def open_image_folder(
    name: str,
    folder: ImageFolder,
    params: StoredParams,
    *,
    size: int | list[int] | None,
    channels: int,
    skip_corrupt: bool,
    metadata: Path | None = None,
) -> Dataset:
    """Return the dataset `name` of the images in `folder`; X has shape (n_samples, height, width, channels).

    Parameters
    ----------
    size
        What the images are brought to; None where they must have the same size, which is kept.
    metadata
        Table with a column ``file`` whose other columns are the factors.

    Raises
    ------
    DataError
        If no image of a class can be read, the sizes differ, or the table doesn't fit.
    SettingsError
        If more images are asked for than there are.
    """
    details: dict[str, Any] = {"augmentation": augmentation_of(name, params), "ignored_files": len(folder.passed_over)}
    notes = folder.notes()
    total = len(folder.files)
    if skip_corrupt:
        folder, bad = folder.without_unreadable()
        details["skipped"] = {"count": len(bad), "first": bad[:NAMED_IN_DETAILS]}
        if bad:
            notes.append(f"{folder.root}: left out {len(bad)} of {total} images that can't be read, such as {bad[0]}")
    index = choose_rows(folder.labels, params.n_samples, params.seed)
    shape = folder.common_size() if size is None else height_width(size)
    factors = None
    if metadata is not None:
        factors = read_metadata(metadata, len(index), [folder.files[row] for row in index])
    of = "" if len(index) == total else f" of {total}"
    return Dataset(
        name=name,
        task="classification",
        class_names=folder.class_names,
        sample_shape=(*shape, channels),
        dtype=image_dtype(normalize=params.normalize),
        n_samples=len(index),
        source=f"{len(index)}{of} images in {len(folder.class_names)} folders of {folder.root.name}",
        seed=None if params.n_samples is None else params.seed,
        blocks=stored_blocks(
            partial(folder.read, shape, channels),
            index,
            folder.labels[index].astype(np.int64),
            factors,
            normalize=params.normalize,
        ),
        details=details,
        has_factors=bool(factors),
        notes=tuple(notes),
    )
