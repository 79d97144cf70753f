"""The looks of ``noise``: random textures, each drawn again from its key.

A look is a function of two float32 arrays `u` and `v` of shape (rows, height, width), coordinates in units
of the texture's grain, and of the factors, each of shape (rows, 1, 1). It returns intensities from 0
(background) to 1 (foreground), clipped by the caller; the textures with a normal distribution have mean
1/2 and standard deviation 1/5.
"""

from collections.abc import Callable
from math import pi

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.dataset import Factors
from mlx.datasets.images.lattices import gradient_noise, nearest_seed, pixel_normal, pixel_uniform
from mlx.datasets.images.render import Drawing

Filter = Callable[[Array, Array, Factors, int], Array]


def white(u: Array, v: Array, factors: Factors) -> Array:  # noqa: ARG001 - all looks are called alike
    """Draw every intensity as often, every pixel on its own."""
    return pixel_uniform(factors["key"], u.shape[1:])


def gaussian(u: Array, v: Array, factors: Factors) -> Array:  # noqa: ARG001 - all looks are called alike
    """Draw normal intensities, every pixel on its own."""
    return np.float32(0.5) + np.float32(0.2) * pixel_normal(factors["key"], u.shape[1:])


def speckle(u: Array, v: Array, factors: Factors) -> Array:  # noqa: ARG001 - all looks are called alike
    """Draw exponential intensities, as of coherent light from a rough surface."""
    return np.float32(-0.25) * np.log1p(-pixel_uniform(factors["key"], u.shape[1:]))


def salt_and_pepper(u: Array, v: Array, factors: Factors) -> Array:  # noqa: ARG001 - all looks are called alike
    """Draw middle gray, with a ``density`` of pixels that are all foreground or all background."""
    draw = pixel_uniform(factors["key"], u.shape[1:])
    half = factors["density"] / 2
    return np.float32(0.5) - np.float32(0.5) * (draw < half) + np.float32(0.5) * (draw >= 1 - half)


def _filtered(response: Filter) -> Drawing:
    """Build a look from how much of each spatial frequency it lets through of white noise."""

    def look(u: Array, v: Array, factors: Factors) -> Array:  # noqa: ARG001 - all looks are called alike
        height, width = u.shape[1:]
        spectrum = np.fft.rfft2(pixel_uniform(factors["key"], (height, width)))
        across = np.fft.rfftfreq(width).astype(np.float32)
        upward = -np.fft.fftfreq(height).astype(np.float32)[:, None]
        spectrum *= response(across, upward, factors, min(height, width))
        spectrum[:, 0, 0] = 0  # the mean
        field = np.fft.irfft2(spectrum, (height, width))
        field *= 0.2 / np.sqrt(np.square(field).mean(axis=(1, 2), keepdims=True))
        field += 0.5
        return field

    return look


def _power(exponent: float) -> Filter:
    """Let amplitudes through in proportion to a power of the frequency."""

    def response(across: Array, upward: Array, factors: Factors, side: int) -> Array:  # noqa: ARG001
        frequency = np.hypot(across, upward)
        frequency[0, 0] = 1
        return frequency**exponent

    return response


def _bell(along: float, crosswise: float) -> Filter:
    """Blur by a normal curve, so many grains wide along the rotated horizontal and across it."""

    def response(across: Array, upward: Array, factors: Factors, side: int) -> Array:
        angle, grain = np.deg2rad(factors["rotation"]), factors["grain"] * side
        a = (np.cos(angle) * across + np.sin(angle) * upward) * (grain * np.float32(along))
        b = (np.cos(angle) * upward - np.sin(angle) * across) * (grain * np.float32(crosswise))
        bell: Array = np.exp(np.float32(-2 * pi**2) * (a * a + b * b))
        return bell

    return response


def perlin(u: Array, v: Array, factors: Factors) -> Array:
    """Draw Perlin's gradient noise, two grains a cell and an octave above it."""
    coarse = gradient_noise(factors["key"], u / 2, v / 2)
    fine = gradient_noise(factors["key"] + np.uint32(1), u, v)
    return np.float32(0.5) + np.float32(0.8) * coarse + np.float32(0.4) * fine


def ridges(u: Array, v: Array, factors: Factors) -> Array:
    """Draw bright lines where Perlin's noise changes its sign."""
    return 1 - np.float32(4) * np.abs(gradient_noise(factors["key"], u / 2, v / 2))


def cellular(u: Array, v: Array, factors: Factors) -> Array:
    """Draw the distance to the nearest of random points, one per cell of 1.5 grains."""
    return nearest_seed(factors["key"], u / np.float32(1.5), v / np.float32(1.5))[0]


def mosaic(u: Array, v: Array, factors: Factors) -> Array:
    """Draw the areas that are nearest to random points, each in an intensity of its own."""
    return nearest_seed(factors["key"], u / np.float32(1.5), v / np.float32(1.5))[1]


LOOKS: dict[str, Drawing] = {
    "white": white,
    "blurred": _filtered(_bell(0.3, 0.3)),
    "pink": _filtered(_power(-1)),
    "brown": _filtered(_power(-2)),
    "salt_and_pepper": salt_and_pepper,
    "perlin": perlin,
    "speckle": speckle,
    "cellular": cellular,
    "streaks": _filtered(_bell(1.2, 0.12)),
    "blue": _filtered(_power(1)),
    "mosaic": mosaic,
    "ridges": ridges,
    "gaussian": gaussian,
}
"""Every look by name, in the order in which classes take them."""
