"""Reads recorded images, in memory or in files, as rows that the page shows."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.console import note
from mlx.core.errors import DataError
from mlx.datasets.custom.rows import Rows
from mlx.datasets.files.decoding import SUFFIXES, UnreadableImageError, decode, image_size, in_parallel
from mlx.received.rows import read_rows

CHANNELS = (1, 3, 4)
LARGEST_SIDE = 128
"""Pixels of the longer side of an image that is kept: the page shows no larger one."""


@dataclass(frozen=True)
class ArrayImages:
    """Images of an array, with their channels last.

    Attributes
    ----------
    source
        (n, h, w), (n, h, w, channels) or (n, channels, h, w).
    channels_first
        Whether it has the channels before height and width, as in PyTorch.
    """

    source: Rows
    channels_first: bool

    def __str__(self) -> str:
        return str(self.source)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, h, w, channels)."""
        n, *image = self.source.shape
        if len(image) == 2:
            return (n, *image, 1)
        return (n, *image[1:], image[0]) if self.channels_first else (n, *image)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the array."""
        return self.source.dtype

    def chunks(self) -> Iterator[Array]:
        """Yield the images in order, about a megabyte at a time."""
        for block in self.source.chunks():
            yield np.moveaxis(block, 1, -1) if self.channels_first else block.reshape(len(block), *self.shape[1:])

    def whole(self) -> Array:
        """Return all images."""
        return np.concatenate(list(self.chunks()))


@dataclass(frozen=True)
class ImageFiles:
    """Images in files of any size, scaled to one.

    Attributes
    ----------
    paths
        n files.
    size
        Height and width.
    """

    paths: Sequence[Path]
    size: tuple[int, int]

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, h, w, 3)."""
        return (len(self.paths), *self.size, 3)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of decoded images."""
        return np.dtype(np.uint8)

    def chunks(self) -> Iterator[Array]:
        """Yield the images in order, one at a time."""
        for image in in_parallel(self._read, self.paths):
            yield image[None]

    def whole(self) -> Array:
        """Return all images."""
        return np.concatenate(list(self.chunks()))

    def _read(self, path: Path) -> Array:
        try:
            return decode(path, self.size, 3)
        except UnreadableImageError as error:
            raise DataError(f"{path}: expected an image, found one that can't be read ({error})") from None


def read_images(given: Any, n: int, what: str) -> Rows:
    """Return images as rows (n, h, w, channels).

    Parameters
    ----------
    given
        An array (n, h, w), (n, h, w, channels) or (n, channels, h, w) of numbers, or a file of it; a folder of n image
        files, which are taken in the order of their names; or n image files.
    n
        Samples there are.
    what
        What it is called where it is given, for messages.

    Raises
    ------
    DataError
        It is none of these, or of another number of images, or a file can't be read.
    """
    if isinstance(given, str | os.PathLike) and Path(given).is_dir():
        paths = sorted(path for path in Path(given).iterdir() if path.suffix.lower() in SUFFIXES)
        return _files(paths, n, str(given))
    if isinstance(given, list | tuple) and all(isinstance(path, str | os.PathLike) for path in given):
        return _files([Path(path) for path in given], n, what)
    return _array(read_rows(given, what, kind="images", n=n), n)


def _array(rows: Rows, n: int) -> Rows:
    shape = rows.shape
    if shape[0] != n or len(shape) not in {3, 4} or 0 in shape or rows.dtype.kind not in "biuf":
        raise DataError(
            f"{rows}: expected images of shape ({n}, height, width) or ({n}, height, width, channels), found "
            f"{rows.dtype} of shape {shape}"
        )
    channels_first = len(shape) == 4 and shape[3] not in CHANNELS and shape[1] in CHANNELS
    if channels_first:
        note(f"{rows}: shape {shape[1:]} is taken for channels, height and width, as in PyTorch")
    elif len(shape) == 4 and shape[3] not in CHANNELS:
        raise DataError(f"{rows}: expected images of 1, 3 or 4 channels, found shape {shape[1:]}")
    return ArrayImages(rows, channels_first)


def _files(paths: Sequence[Path], n: int, what: str) -> Rows:
    if len(paths) != n:
        raise DataError(f"{what}: expected {n} images ({', '.join(SUFFIXES)}), one per sample, found {len(paths)}")
    try:
        height, width = image_size(paths[0])
    except UnreadableImageError as error:
        raise DataError(f"{paths[0]}: expected an image, found one that can't be read ({error})") from None
    scale = min(1, LARGEST_SIDE / max(height, width))
    return ImageFiles(paths, (max(1, round(height * scale)), max(1, round(width * scale))))
