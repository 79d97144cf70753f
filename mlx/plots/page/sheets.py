"""Images of samples, packed into pictures of up to 256 until the room that the page has for them is full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.page.thumbnails import data_url, image_of, thumbnails_of, webp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlx.core.array_types import Array, Integers

COLUMNS, PER_SHEET = 16, 256
SIDES = (128, 96, 64, 40)
"""Pixels of the longer side: the largest with which the mistakes and issues take at most `LARGE_SHARE` of the room."""

LARGE_SHARE = 0.6
TRIED = 64
"""Images that tell how many bytes one takes."""

QUALITY, LOSSLESS_PRICE = 80, 1.5
"""Of a lossy picture; and how many times its bytes a picture without loss may take."""


@dataclass(frozen=True)
class Sheets:
    """Images in rows of pictures: the k-th at place ``k % 256`` of picture ``k // 256``, 16 in a row.

    Attributes
    ----------
    urls
        ``data:`` addresses of the pictures.
    width, height
        Of an image in pixels.
    count
        Images there are.
    """

    urls: tuple[str, ...]
    width: int
    height: int
    count: int


def pack_sheets(images: Array, rows: Integers, n_first: int, budget: int) -> Sheets | None:
    """Pack as many of the images `rows` (m,) of (n, h, w, c), in this order, as fit into `budget` characters.

    The first `n_first` of them are shown as large as the budget allows. None where not one fits.
    """
    room = budget * 3 // 4  # base64: 4 characters for 3 bytes
    tried = rows[:: max(1, len(rows) // TRIED)][:TRIED]
    largest = min(max(images.shape[1:3]), SIDES[0])
    sides = [largest, *(side for side in SIDES if side < largest)]
    for side in sides:
        sheet, lossless = _sheet(thumbnails_of(images, tried, side=side))
        each = len(sheet) / len(tried)
        if each * max(1, n_first) <= LARGE_SHARE * room or side == sides[-1]:
            break
    return _filled(thumbnails_of(images, rows[: max(1, int(1.3 * room / each))], side=side), room, lossless=lossless)


def _filled(thumbnails: NDArray[np.uint8], room: int, *, lossless: bool) -> Sheets | None:
    """Encode sheet after sheet until the next does not fit; of that one, as many of its images as do."""
    urls: list[str] = []
    count, start = 0, 0
    size = PER_SHEET
    while start < len(thumbnails):
        part = thumbnails[start : start + size]
        content = _encoded(part, lossless=lossless)
        if len(content) > room:
            if size == 1:
                break
            size = min(len(part), size) // 2  # of the last sheet
            continue
        urls.append(data_url("webp", content))
        room -= len(content)
        count, start = count + len(part), start + len(part)
        if size < PER_SHEET:
            break
    height, width = thumbnails.shape[1:3]
    return Sheets(tuple(urls), width, height, count) if urls else None


def _sheet(thumbnails: NDArray[np.uint8]) -> tuple[bytes, bool]:
    """Encode with loss where that takes far fewer bytes, and return whether it is without."""
    exact, lossy = (_encoded(thumbnails, lossless=one) for one in (True, False))
    lossless = len(exact) <= LOSSLESS_PRICE * len(lossy)
    return (exact if lossless else lossy), lossless


def _encoded(thumbnails: NDArray[np.uint8], *, lossless: bool) -> bytes:
    m, height, width, _ = thumbnails.shape
    rows = -(-m // COLUMNS)
    canvas = np.zeros((rows * COLUMNS, height, width, 3), np.uint8)
    canvas[:m] = thumbnails
    pixels = canvas.reshape(rows, COLUMNS, height, width, 3).swapaxes(1, 2).reshape(rows * height, COLUMNS * width, 3)
    return webp(image_of(pixels), **({"lossless": True, "quality": 40} if lossless else {"quality": QUALITY}))
