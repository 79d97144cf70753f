"""Plain names and units of the factors of the images that this project draws, for everyone who reads the page."""

from __future__ import annotations

import re

DRAWN = frozenset({"shapes", "patterns", "noise", "gradients"})
"""Datasets whose factors `NAMES` describes; columns of other data keep the names that their owners gave them."""

NAMES = {
    "center_x": ("distance from the left", "share of the width"),
    "center_y": ("distance from the top", "share of the height"),
    "size": ("size", "share of the image's shorter side"),
    "rotation": ("rotation", "degrees, counterclockwise"),
    "foreground": ("brightness of the shape", "0 black to 1 white"),
    "background": ("brightness of the background", "0 black to 1 white"),
    "contrast": ("contrast", "difference of brightness, 0 to 1"),
    "noise": ("noise", "standard deviation of the brightness, 0 none"),
    "occluder_x": ("distance of the occluder from the left", "share of the width"),
    "occluder_y": ("distance of the occluder from the top", "share of the height"),
    "occluder_width": ("width of the occluder", "share of the image's shorter side"),
    "occluder_height": ("height of the occluder", "share of the image's shorter side"),
    "occluder_intensity": ("brightness of the occluder", "0 black to 1 white"),
    "occlusion": ("covered share of the shape", "0 none to 1 all"),
    "hue": ("hue", "degrees"),
    "saturation": ("saturation", "0 gray to 1"),
    "background_hue": ("hue of the background", "degrees"),
    "background_saturation": ("saturation of the background", "0 gray to 1"),
    "frequency": ("frequency", "periods across the image"),
    "phase": ("phase", "share of a period"),
}
"""By factor: its name in words, which tells the direction of larger values, and its unit."""


def plain_text(text: str, dataset: str) -> str:
    """Return a factor, or conditions on factors, in words."""
    if dataset not in DRAWN:
        return text
    return re.sub(r"(?<![\w.])[a-z_]+(?![\w.])", lambda found: NAMES.get(found[0], (found[0],))[0], text)


def unit_of(factor: str, dataset: str) -> str:
    """Return the unit of a factor; empty where it is unknown."""
    return NAMES.get(factor, ("", ""))[1] if dataset in DRAWN else ""
