"""Figures of the page: as small as they are without loss, or with as much loss as it takes to fit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from mlx.plots.page.thumbnails import data_url, webp

if TYPE_CHECKING:
    from PIL.Image import Image

DOTS = 150
"""Pixels of the page for an inch of a figure, which has twice as many dots by default (`report.dpi`)."""

FAST = {"lossless": True, "quality": 20, "method": 1}  # a tenth larger than the smallest, in a tenth of the time

THREADS = min(4, os.cpu_count() or 1)
"""That encode at the same time: each holds a decoded picture of some megabytes."""

QUALITIES = (85, 60, 30)
LOSSLESS_BITS, LEAST_BITS = 1.5, 0.25  # a pixel: with fewer a photograph never fits, or is not worth the pixels
SMALLEST = 64  # pixels


@dataclass(frozen=True)
class PagePicture:
    """A picture of the page.

    Attributes
    ----------
    url
        Its ``data:`` address.
    width, height
        In pixels of the page.
    dark
        Address of its variant for dark pages; empty where the style inverts it.
    has_loss
        Whether it was compressed with loss.
    """

    url: str
    width: int
    height: int
    dark: str = ""
    has_loss: bool = False


def fit_pictures(
    pictures: Mapping[str, bytes], dark: Mapping[str, bytes] | None = None, *, budget: int
) -> dict[str, PagePicture]:
    """Return PNG pictures for the page, with those that are `dark` by the same names.

    All addresses together have at most `budget` characters: pictures that would take more lose detail.
    """
    dark = {name: png for name, png in (dark or {}).items() if name in pictures}
    files = (*pictures.values(), *dark.values())
    with ThreadPoolExecutor(THREADS) as threads:  # Pillow encodes without the interpreter's lock
        content = list(threads.map(lambda png: webp(_decoded(png), **FAST), files))
    total, room = sum(map(len, content)), budget * 3 // 4 - 100 * len(content)  # base64: 4 for 3 bytes
    if has_loss := total > room:
        shares = [int(room * len(one) / total) for one in content]
        content = [_encoded(_decoded(png), share) for png, share in zip(files, shares, strict=True)]
    urls = [data_url("webp", one) for one in content]
    dark_urls = dict(zip(dark, urls[len(pictures) :], strict=True))
    return {
        name: PagePicture(url, *_size(png), dark=dark_urls.get(name, ""), has_loss=has_loss)
        for (name, png), url in zip(pictures.items(), urls[: len(pictures)], strict=True)
    }


def _decoded(png: bytes) -> Image:
    """Decode a picture that is not kept: decoded, all figures take some hundred megabytes."""
    from PIL import Image

    return Image.open(BytesIO(png)).convert("RGB")


def _size(png: bytes) -> tuple[int, int]:
    from PIL import Image

    image = Image.open(BytesIO(png))
    dots = image.info.get("dpi", (DOTS, DOTS))[0]
    return round(image.width * DOTS / dots), round(image.height * DOTS / dots)


def _encoded(image: Image, budget: int) -> bytes:
    """Encode as WebP, losslessly if that fits the budget, else with as much loss as it takes."""
    bits = 8 * budget / (image.width * image.height)
    if bits > LOSSLESS_BITS:
        content = webp(image, lossless=True, quality=40)
        if len(content) <= budget:
            return content
    while 8 * budget / (image.width * image.height) < LEAST_BITS and max(image.size) > SMALLEST:
        image = image.reduce(2)
    while True:
        for quality in QUALITIES:
            content = webp(image, quality=quality)
            if len(content) <= budget or max(image.size) <= SMALLEST:
                return content
        image = image.reduce(2)
