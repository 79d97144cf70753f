"""Figures with photographs on a dark page: all but the photographs is inverted."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pixels = npt.NDArray[np.uint8]

INVERT = 0.885
"""Share of the inversion, as in styles/base.css: white becomes the dark page's color of cards."""

TURN = np.array([[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]])
"""``hue-rotate(180deg)`` of Filter Effects Module Level 1, https://www.w3.org/TR/filter-effects-1/."""


BLOCK = 64
"""Rows that are inverted at a time: as floats, a whole figure takes a hundred megabytes."""


def dark_png(figure: Figure, png: bytes) -> bytes | None:
    """Return a variant of a rendered figure for dark pages; None without photographs, as a page can invert by itself.

    Parameters
    ----------
    figure
        After it was rendered.
    png
        Its picture.
    """
    from PIL import Image

    images = [image for ax in figure.axes for image in ax.images]
    photographs = [one for one in images if (array := one.get_array()) is not None and array.ndim == 3]
    if not photographs:
        return None
    picture = Image.open(BytesIO(png))
    light = np.asarray(picture.convert("RGB"))
    dark = np.concatenate([_inverted(light[start : start + BLOCK]) for start in range(0, len(light), BLOCK)])
    height = len(light)
    for image in photographs:
        left, bottom, right, top = np.round(image.get_window_extent().extents).astype(int)
        place = slice(max(height - top, 0), height - bottom), slice(max(left, 0), right)
        dark[place] = light[place]
    stream = BytesIO()
    Image.fromarray(dark).save(stream, format="png", dpi=picture.info["dpi"], compress_level=6)
    return stream.getvalue()


def _inverted(light: Pixels) -> Pixels:
    """Invert rows of pixels (m, width, 3), and turn their hues back."""
    turned = np.clip((light / 255 * (1 - 2 * INVERT) + INVERT) @ TURN.T, 0, 1)
    inverted: Pixels = (turned * 255).round().astype(np.uint8)
    return inverted
