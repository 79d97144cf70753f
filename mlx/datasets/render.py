"""From factors to pixels: antialiased shapes, their occluders, their noise."""

import numpy as np

from mlx.datasets.dataset import Array, Factors
from mlx.datasets.looks import LOOKS
from mlx.datasets.randomness import Stream, generator

_PIXELS_A_STREAM = 2**14
_DISTANCES = [look.distance for look in LOOKS.values()]


def render(looks: Array, factors: Factors, image_size: tuple[int, int]) -> Array:
    """Draw shapes without their noise.

    Parameters
    ----------
    looks
        Index of each sample's look in `LOOKS`, shape (rows,).
    factors
        What to draw, each of shape (rows,); `mlx.datasets.scenes` names and explains them. ``hue`` and
        its companions, where present, make the images coloured.
    image_size
        Height and width in pixels.

    Returns
    -------
    images
        Intensities from 0 (black) to 1 (white), float32 of shape (rows, height, width, channels).
    """
    return paint(coverage(looks, factors, image_size), occluder(factors, image_size), factors)


def coverage(looks: Array, factors: Factors, image_size: tuple[int, int]) -> Array:
    """Return how much of each pixel the shape takes, 0 to 1; shape (rows, height, width)."""
    u, v, radius = _own_coordinates(factors, image_size)
    covered = np.empty(u.shape, np.float32)
    for look in np.unique(looks):
        rows = np.flatnonzero(looks == look)
        distance = _DISTANCES[look](u[rows], v[rows])
        distance *= -radius[rows, None, None]
        distance += 0.5
        covered[rows] = np.clip(distance, 0, 1, out=distance)
    return covered


def _own_coordinates(factors: Factors, image_size: tuple[int, int]) -> tuple[Array, Array, Array]:
    """Return every pixel centre in each shape's own coordinates (u, v), and the radii in pixels."""
    height, width = image_size
    radius = factors["size"] * np.float32(min(image_size) / 2)
    x = (np.arange(width, dtype=np.float32) + 0.5 - factors["center_x"][:, None] * width) / radius[:, None]
    y = (factors["center_y"][:, None] * height - np.arange(height, dtype=np.float32) - 0.5) / radius[:, None]
    angle = np.deg2rad(factors["rotation"].astype(np.float64))[:, None]
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    u = (cos * x)[:, None, :] + (sin * y)[:, :, None]
    v = (cos * y)[:, :, None] - (sin * x)[:, None, :]
    return u, v, radius


def occluder(factors: Factors, image_size: tuple[int, int]) -> tuple[Array, Array]:
    """Return how much of each pixel row and column the occluding rectangle takes.

    The rectangle is upright, so a pixel's share is the product of its row's, shape (rows, height),
    and its column's, shape (rows, width).
    """
    side = np.float32(min(image_size))
    down = _overlap(factors["occluder_y"] * image_size[0], factors["occluder_height"] * side, image_size[0])
    across = _overlap(factors["occluder_x"] * image_size[1], factors["occluder_width"] * side, image_size[1])
    return down, across


def _overlap(centre: Array, length: Array, n_pixels: int) -> Array:
    """Length that each pixel of a line of pixels shares with a segment; shape (rows, n_pixels)."""
    edges = np.arange(n_pixels, dtype=np.float32)
    low, high = (centre - length / 2)[:, None], (centre + length / 2)[:, None]
    shared: Array = np.clip(np.minimum(edges + 1, high) - np.maximum(edges, low), 0, 1)
    return shared


def hidden_fraction(covered: Array, hidden: tuple[Array, Array]) -> Array:
    """Return which fraction of each shape's area lies behind its occluder, shape (rows,)."""
    down, across = hidden
    sums = covered @ np.stack([across, np.ones_like(across)], axis=-1)
    behind = (down * sums[..., 0]).sum(axis=1)
    fraction: Array = behind / np.maximum(sums[..., 1].sum(axis=1), np.float32(1e-6))
    return fraction


def paint(covered: Array, hidden: tuple[Array, Array], factors: Factors) -> Array:
    """Put shape and occluder on the background; intensities of shape (rows, height, width, channels)."""
    down, across = hidden
    shape, ground = colours(factors, ""), colours(factors, "background_")
    card = factors["occluder_intensity"][:, None, None]
    mask = down[:, :, None] * across[:, None, :]
    channels = shape.shape[1]
    image = np.empty((*covered.shape, channels), np.float32)
    for channel in range(channels):
        plane = covered * (shape - ground)[:, channel, None, None]
        plane += ground[:, channel, None, None]
        plane += mask * (card - plane)
        image[..., channel] = plane
    return image


def colours(factors: Factors, part: str) -> Array:
    """Return the intensity in each channel of the shape ("") or the background; shape (rows, channels).

    A hue moves the three channels around the grey of the given intensity, which stays their mean; full
    saturation moves them as far as 0 and 1 allow.
    """
    grey = factors["background" if part else "foreground"][:, None]
    if "hue" not in factors:
        return grey
    phase = np.deg2rad(factors[f"{part}hue"].astype(np.float64)[:, None] - np.array([0.0, 120.0, 240.0]))
    swing = factors[f"{part}saturation"][:, None] * np.minimum(grey, 1 - grey)
    coloured: Array = grey + swing * np.cos(phase).astype(np.float32)
    return coloured


def noise_field(seed: int, start: int, stop: int, sample_shape: tuple[int, ...]) -> Array:
    r"""Return the standard normal noise of samples start … stop − 1.

    It depends on the seed, the sample's index and its shape, on nothing else; float32 of shape
    (stop − start, \*sample_shape).
    """
    together = _rows_a_stream(sample_shape)
    field = np.empty((stop - start, *sample_shape), np.float32)
    for chunk in range(start // together, -(-stop // together)):
        rng, first = generator(seed, Stream.NOISE, chunk), chunk * together
        if first < start:
            rng.standard_normal((start - first, *sample_shape), np.float32)
        mine = field[max(first - start, 0) : first + together - start]
        rng.standard_normal(out=mine, dtype=np.float32)
    return field


def _rows_a_stream(sample_shape: tuple[int, ...]) -> int:
    """Return how many samples share one stream of noise: few enough that starting inside costs little."""
    return max(1, _PIXELS_A_STREAM // int(np.prod(sample_shape)))


def to_pixels(images: Array, noise: Array, field: Array) -> Array:
    """Add noise and round to uint8.

    Parameters
    ----------
    images
        What `render` drew, shape (rows, height, width, channels); overwritten.
    noise
        Standard deviation of each sample's noise, black to white being 1; shape (rows,).
    field
        What `noise_field` drew, of the images' shape; overwritten.

    Returns
    -------
    pixels
        0 (black) to 255 (white), uint8 of the images' shape; what lies beyond is clipped.
    """
    field *= (255 * noise)[:, None, None, None]
    images *= 255
    images += field
    images += 0.5
    return np.clip(images, 0, 255, out=images).astype(np.uint8)
