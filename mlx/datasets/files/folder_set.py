"""A dataset out of a folder of images a class; ``imagenet`` and ``custom`` are made so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from mlx.core.array_types import Array, Indices
from mlx.datasets.custom.metadata import read_metadata
from mlx.datasets.dataset import Block, Dataset, Factors
from mlx.datasets.files.decoding import one_after_another
from mlx.datasets.files.image_folder import ImageFolder
from mlx.datasets.files.image_measures import image_measures
from mlx.datasets.files.stored import StoredParams, augmentation_of, stored_blocks, stored_dataset
from mlx.datasets.files.subsets import choose_rows, counted
from mlx.datasets.params import bad_value
from mlx.datasets.roles import Roles, reject_absent

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


@dataclass(frozen=True)
class ImageForm:
    """The form in which images are read.

    Attributes
    ----------
    size
        Height and width, or one number for both; None where the images must have the same size, which is kept.
    channels
        1 or 3.
    skip_corrupt
        Whether images that can't be read are left out.
    """

    size: int | list[int] | None
    channels: int
    skip_corrupt: bool


def open_image_folder(
    name: str,
    folder: ImageFolder,
    params: StoredParams,
    form: ImageForm,
    metadata: Path | None = None,
    roles: Mapping[str, str] | None = None,
) -> Dataset:
    """Return the dataset `name` of the images in `folder`; X has shape (n_samples, height, width, channels).

    Parameters
    ----------
    metadata
        Table with a column ``file`` whose other columns are the factors.
    roles
        Of columns of that table.

    Raises
    ------
    DataError
        If no image of a class can be read, the sizes differ, or the table doesn't fit.
    SettingsError
        If more images are asked for than there are.
    """
    details = {"augmentation": augmentation_of(name, params), "ignored_files": len(folder.passed_over)}
    notes, total = folder.notes(), len(folder.files)
    if form.skip_corrupt:
        folder, bad = folder.without_unreadable()
        details["skipped"] = {"count": len(bad), "first": bad[:NAMED_IN_DETAILS]}
        if bad:
            notes.append(f"{folder.root}: left out {len(bad)} of {total} images that can't be read, such as {bad[0]}")
    index = choose_rows(folder.labels, params.n_samples, params.seed)
    shape = folder.common_size() if form.size is None else height_width(form.size)
    factors, columns = _metadata(metadata, [folder.files[row] for row in index], roles or {})
    dataset = stored_dataset(
        name,
        params,
        partial(folder.read, shape, form.channels),
        index,
        folder.labels,
        class_names=folder.class_names,
        sample_shape=(*shape, form.channels),
        source=f"{counted(index, total)} images in {len(folder.class_names)} folders of {folder.root.name}",
        details=details,
        factors=factors or None,
        measure=partial(_measured, folder),
        notes=tuple(notes),
    )
    roles_of = Roles(columns, roles or {}, None if folder.parts is None else folder.parts[index])
    blocks = _FolderBlocks(folder, shape, form.channels, index, folder.labels[index], factors, params.normalize)
    return replace(dataset, roles=roles_of, blocks=blocks)


@dataclass(frozen=True)
class _FolderBlocks:
    """The blocks of a dataset of images, of which any can be read without those before it."""

    folder: ImageFolder
    shape: tuple[int, int]
    channels: int
    index: Indices
    y: Array
    factors: Factors | None
    normalize: bool

    def __call__(self, rows: int) -> Iterator[Block]:
        """Yield the samples in order, `rows` at a time, read on every core."""
        measure = None if self.factors else partial(_measured, self.folder)
        read = partial(self.folder.read, self.shape, self.channels)
        return stored_blocks(read, self.index, self.y, self.factors or None, measure, normalize=self.normalize)(rows)

    def between(self, start: int, stop: int) -> Block:
        """Read samples start … stop − 1, in this thread."""
        factors = {name: values[start:stop] for name, values in (self.factors or {}).items()}
        here = replace(self.folder, run=one_after_another)
        own = replace(self, folder=here, index=self.index[start:stop], y=self.y[start:stop], factors=factors)
        return next(own(stop - start))


def _measured(folder: ImageFolder, X: Array, rows: Indices) -> Factors:
    return image_measures(X) | folder.file_measures(rows)


def _metadata(
    path: Path | None, files: Sequence[str], roles: Mapping[str, str]
) -> tuple[Factors | None, dict[str, Array]]:
    """Return the factors of the images `files`, and the columns with a role."""
    factors, columns = (None, {}) if path is None else read_metadata(path, len(files), files, roles)
    reject_absent(roles, [*(factors or {}), *columns], "dataset.params.metadata" if path is None else str(path))
    return factors, columns
