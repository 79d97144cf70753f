"""Small images of samples, and pictures made to fit into a page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
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
QUALITIES = (85, 60, 30)
LOSSLESS_BITS, LEAST_BITS = 1.5, 0.25  # a pixel: with fewer a photograph never fits, or is not worth the pixels
SMALLEST = 64  # pixels


@dataclass(frozen=True)
class PagePicture:
    """A picture of the page: its ``data:`` address, and its natural size in pixels."""

    url: str
    width: int
    height: int


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


def fit_pictures(pictures: Mapping[str, bytes], *, budget: int) -> dict[str, PagePicture]:
    """Return PNG pictures as ``data:`` addresses.

    All addresses together have at most `budget` characters; pictures that would take more are compressed further.
    """
    from PIL import Image

    total, room = sum(map(len, pictures.values())), budget * 3 // 4 - 100 * len(pictures)  # base64: 4 for 3 bytes
    found = {}
    for name, png in pictures.items():
        width, height = (int.from_bytes(png[k : k + 4], "big") for k in (16, 20))  # of the PNG's IHDR chunk
        kind, content = "png", png
        if total > room:
            kind, content = _encoded(Image.open(BytesIO(png)).convert("RGB"), int(room * len(png) / total))
        found[name] = PagePicture(data_url(kind, content), width, height)
    return found


def _encoded(image: Image, budget: int) -> tuple[str, bytes]:
    """Encode losslessly if that fits the budget, else with as much loss as it takes."""
    bits = 8 * budget / (image.width * image.height)
    if bits > LOSSLESS_BITS:
        content = webp(image, lossless=True, quality=40)
        if len(content) <= budget:
            return "webp", content
    while 8 * budget / (image.width * image.height) < LEAST_BITS and max(image.size) > SMALLEST:
        image = image.reduce(2)
    while True:
        for quality in QUALITIES:
            content = webp(image, quality=quality)
            if len(content) <= budget or max(image.size) <= SMALLEST:
                return "webp", content
        image = image.reduce(2)


def webp(image: Image, **options: Any) -> bytes:
    """Encode a picture as WebP with options of Pillow."""
    stream = BytesIO()
    image.save(stream, format="webp", method=4, **options)
    return stream.getvalue()


def image_of(pixels: NDArray[np.uint8]) -> Image:
    """Return pixels (h, w, 3) as a picture of Pillow."""
    from PIL import Image

    return Image.fromarray(pixels)


def data_url(kind: str, content: bytes) -> str:
    """Return the address of a picture that holds its bytes."""
    return f"data:image/{kind};base64,{b64encode(content).decode('ascii')}"
