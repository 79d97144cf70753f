"""From JPEG and PNG files to arrays of one shape, on all cores.

Threads, not processes: Pillow lets go of the interpreter's lock while it decodes and resizes, and the
pixels need not be copied from one process to another.
"""

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mlx.core.array_types import Array

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG")  # Pillow has decoders for dozens, some of which start other programs
SUFFIXES = (".jpg", ".jpeg", ".png")

T = TypeVar("T")
R = TypeVar("R")


class UnreadableImageError(Exception):
    """A file that is not a complete JPEG or PNG image; the text says why."""


def decode(path: Path, size: tuple[int, int], channels: int) -> Array:
    """Return an image as uint8 of shape (height, width, channels).

    It is turned upright by its EXIF data, scaled so that it just covers `size`, height and width, and
    cropped at its center. Transparent parts become white, be it by an alpha channel or by a color that is
    declared transparent; 16-bit values are scaled to 8 bits; CMYK and palette images are converted. A JPEG
    much larger than `size` is decoded at a half, quarter or eighth of its size, which its format allows, but
    never below twice `size`.

    Raises
    ------
    UnreadableImageError
        If the file is damaged, truncated, or of another format.
    """
    from PIL import Image, ImageOps

    height, width = size
    with _opened(path) as image:
        _adapt_color_key(image)
        smallest = (2 * height, 2 * width) if _swaps_sides(image) else (2 * width, 2 * height)
        image.draft("RGB" if channels == 3 else "L", smallest)
        upright = ImageOps.exif_transpose(image)
        plain = to_mode(upright, "RGB" if channels == 3 else "L")
        if plain.size != (width, height):
            plain = ImageOps.fit(plain, (width, height), Image.Resampling.BILINEAR)
        return np.asarray(plain).reshape(height, width, channels)


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width of an upright image from its header.

    Raises
    ------
    UnreadableImageError
        If the file is of another format.
    """
    with _opened(path) as image:
        width, height = image.size
        return (width, height) if _swaps_sides(image) else (height, width)


def _swaps_sides(image: "Image") -> bool:
    """Whether turning `image` upright exchanges its sides."""
    return image.getexif().get(0x0112, 1) in {5, 6, 7, 8}


def _adapt_color_key(image: "Image") -> None:
    """Bring the transparent color of a PNG to the 8 bits of its pixels: the file has it in its own depth.

    Of 16-bit colors all that become the same 8 bits are transparent then. To be called first, as
    reading the pixels, or the EXIF data behind them, forgets what depth they had.
    """
    key = image.info.get("transparency")
    tiles = getattr(image, "tile", None)
    depth = str(tiles[0][3]) if tiles else ""
    if isinstance(key, int) and depth in {"L;2", "L;4"}:
        image.info["transparency"] = key * (85 if depth == "L;2" else 17)
    elif isinstance(key, tuple) and depth == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in key)


def to_mode(image: "Image", mode: str) -> "Image":
    """Return `image` as ``RGB`` or ``L``, from any mode."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":  # 16 bits; Pillow's own conversion clips at 255
        values = np.asarray(image, np.float32)
        gray = np.rint((values / 257).clip(0, 255)).astype(np.uint8)
        gray[values == image.info.get("transparency", -1)] = 255
        image = Image.fromarray(gray)
    if image.mode == mode and not image.has_transparency_data:
        return image
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", image.size, "white")
        image.alpha_composite(layer)
    return image.convert(mode)


class _opened:  # noqa: N801 - used like a function
    """Opens an image and turns every error of its content into an `UnreadableImageError`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> "Image":
        from PIL import Image

        try:
            self.image = Image.open(self.path, formats=FORMATS)
        except Exception as error:  # Pillow and its decoders raise many kinds on a damaged file
            raise _unreadable(error) from None
        return self.image

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.image.close()
        if isinstance(error, Exception):  # on damaged data Pillow raises almost anything
            raise _unreadable(error) from None


def _unreadable(error: Exception) -> UnreadableImageError:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return UnreadableImageError("no JPEG or PNG image")
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return UnreadableImageError("more pixels than any photograph has")
    return UnreadableImageError(str(error) or type(error).__name__)


def in_parallel(work: Callable[[T], R], items: Iterable[T], *, ahead: int = 64) -> Iterator[R]:
    """Yield ``work(item)`` for each item, in order, computed on all cores up to `ahead` items in advance."""
    _accept_large_images()
    source = iter(items)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting: deque[Future[R]] = deque(pool.submit(work, item) for item in islice(source, ahead))
        try:
            while waiting:
                done = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in islice(source, 1))
                yield done
        finally:
            for future in waiting:  # a reader that stops early does not wait for the rest
                future.cancel()


def one_after_another(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield ``work(item)`` for each item, in order, computed in this thread."""
    _accept_large_images()
    yield from map(work, items)


def _accept_large_images() -> None:
    """Let Pillow read images above 89 megapixels without a warning; it rejects those above twice that.

    Set for the process, as the filters can't be changed in one thread alone.
    """
    from PIL import Image

    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
