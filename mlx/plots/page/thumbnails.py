"""Small images of samples, and pictures as addresses."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.arrays import rows_of
from mlx.plots.images import as_rgb

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from PIL.Image import Image

    from mlx.core.array_types import Array, Integers

SIDE = 40  # pixels: of the longer side of a thumbnail, where the image has as many


def shrink(images: ArrayLike, *, side: int = SIDE, low: float = 0.0, high: float = 1.0) -> NDArray[np.uint8]:
    """Thumbnails of images (m, h, w, c), shape (m, h', w', 3), at most `side` pixels long, averaged over each pixel.

    Images of other types than 8 bits are scaled from the range `low` to `high` of all images that are shown together.
    """
    from PIL import Image

    x = np.asarray(images)
    if x.dtype != np.uint8 and (low < 0 or high > 1):
        x = (np.nan_to_num(x.astype(np.float32)) - low) / (high - low)
    rgb = (as_rgb(x) * 255).round().astype(np.uint8)
    height, width = rgb.shape[1:3]
    factor = side / max(height, width)
    if factor >= 1:
        return rgb
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = [np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX)) for image in rgb]
    return np.stack(small)


def thumbnails_of(X: Array, rows: Integers, *, side: int = SIDE) -> NDArray[np.uint8]:
    """Return thumbnails of some of the images `X` (n, h, w, c), read a block at a time."""
    block = rows_of(int(np.prod(X.shape[1:])) * 4)
    blocks = [rows[first : first + block] for first in range(0, len(rows), block)]
    low, high = 0.0, 1.0
    if X.dtype != np.uint8:  # one scale for all images, as where they are drawn beside each other
        ends = [(float(np.nanmin(X[chosen])), float(np.nanmax(X[chosen]))) for chosen in blocks]
        low, high = min(0.0, *(a for a, _ in ends)), max(1.0, *(b for _, b in ends))
    return np.concatenate([shrink(X[chosen], side=side, low=low, high=high) for chosen in blocks])


def image_url(image: NDArray[np.uint8]) -> str:
    """Return one thumbnail (h, w, 3) as the address of a picture."""
    stream = BytesIO()
    image_of(image).save(stream, "PNG")
    return data_url("png", stream.getvalue())


def webp(image: Image, **options: Any) -> bytes:
    """Encode a picture as WebP with options of Pillow."""
    stream = BytesIO()
    image.save(stream, format="webp", **{"method": 4, **options})
    return stream.getvalue()


def image_of(pixels: NDArray[np.uint8]) -> Image:
    """Return pixels (h, w, 3) as a picture of Pillow."""
    from PIL import Image

    return Image.fromarray(pixels)


def data_url(kind: str, content: bytes) -> str:
    """Return the address of a picture that holds its bytes."""
    return f"data:image/{kind};base64,{b64encode(content).decode('ascii')}"
