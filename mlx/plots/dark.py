"""Figures with photographs on a dark page: all but the photographs is inverted."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INVERT = 0.885
"""Share of the inversion, as in styles/base.css: white becomes the dark page's color of cards."""

TURN = np.array([[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]])
"""``hue-rotate(180deg)`` of Filter Effects Module Level 1, https://www.w3.org/TR/filter-effects-1/."""


def dark_png(figure: Figure, png: bytes) -> bytes | None:
    """Return a variant of a rendered figure for dark pages; None without photographs, as a page can invert by itself.

    Parameters
    ----------
    figure
        After it was rendered.
    png
        Its picture.
    """
    from matplotlib.image import AxesImage
    from PIL import Image

    images = figure.findobj(AxesImage)
    photographs = [one for one in images if (array := one.get_array()) is not None and array.ndim == 3]
    if not photographs:
        return None
    picture = Image.open(BytesIO(png))
    light = np.asarray(picture.convert("RGB"), float) / 255
    dark = np.clip((light * (1 - 2 * INVERT) + INVERT) @ TURN.T, 0, 1)
    height = len(light)
    for image in photographs:
        left, bottom, right, top = np.round(image.get_window_extent().extents).astype(int)
        place = slice(max(height - top, 0), height - bottom), slice(max(left, 0), right)
        dark[place] = light[place]
    stream = BytesIO()
    made = Image.fromarray((dark * 255).round().astype(np.uint8))
    made.save(stream, format="png", dpi=picture.info["dpi"], compress_level=6)
    return stream.getvalue()
