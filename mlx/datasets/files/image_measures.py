"""What can be measured of any image: brightness, contrast and sharpness."""

import numpy as np

from mlx.core.array_types import Array, Floats
from mlx.datasets.dataset import Factors, spans

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601), as in Pillow's mode ``L``."""

PIXELS_AT_ONCE = 2**16
"""Images are measured in parts whose temporary arrays stay in the cache."""


def image_measures(images: Array) -> Factors:
    """Return ``brightness``, ``contrast`` and ``sharpness`` of each image, float64 of shape (n,).

    They are the mean of the luminance over the pixels, its standard deviation, and the variance of its Laplacian
    (J. L. Pech-Pacheco et al. 2000): the sum of the four neighbors less four times the pixel, where pixels beyond the
    border are equal to those at the border. 8-bit images are divided by 255, so that the luminance is from 0 (black)
    to 1 (white); other images keep their unit.

    Parameters
    ----------
    images
        (n, height, width, channels), one channel or three: red, green and blue.
    """
    n, height, width, _ = images.shape
    brightness, contrast, sharpness = np.empty((3, n))
    for start, stop in spans(n, max(1, PIXELS_AT_ONCE // (height * width))):
        light, part = _luminance(images[start:stop]), slice(start, stop)
        brightness[part], variance = _mean_and_variance(light)
        contrast[part] = np.sqrt(variance)
        sharpness[part] = _mean_and_variance(_laplacian(light))[1]
    return {"brightness": brightness, "contrast": contrast, "sharpness": sharpness}


def _luminance(images: Array) -> Floats:
    unit = 1 / 255 if images.dtype == np.uint8 else 1.0
    if images.shape[3] == 1:
        return images[..., 0] * np.float64(unit)
    light: Floats = images @ (np.array(LUMINANCE) * unit)
    return light


def _laplacian(light: Floats) -> Floats:
    wide = np.pad(light, ((0, 0), (1, 1), (1, 1)), mode="edge")
    found = -4 * light
    for side in (wide[:, :-2, 1:-1], wide[:, 2:, 1:-1], wide[:, 1:-1, :-2], wide[:, 1:-1, 2:]):
        found += side
    return found


def _mean_and_variance(values: Floats) -> tuple[Floats, Floats]:
    rows = values.reshape(len(values), -1)
    mean = rows.mean(axis=1)
    deviation = rows - mean[:, None]
    return mean, np.einsum("ij,ij->i", deviation, deviation) / rows.shape[1]
