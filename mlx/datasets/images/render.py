"""From factors to pixels: coordinates, antialiasing, occluders, colors, noise."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.dataset import Factors
from mlx.datasets.randomness import Stream, generator

_PIXELS_A_STREAM = 2**16

Drawing = Callable[[Array, Array, Factors], Array]


@dataclass(frozen=True)
class Grid:
    """A value in every pixel of each sample, kept as two factors whose matrix product it is.

    The sum or the product of a value of the pixel's row and one of its column is such a product, as exact as
    by broadcasting, which takes twice as long where rows are short. The factors are made for many samples at
    once, the pixels for as many as the cache holds.

    Attributes
    ----------
    down, across
        Shapes (rows, 2, height) and (rows, 2, width).
    """

    down: Array
    across: Array

    @classmethod
    def sum_of(cls, down: Array, across: Array) -> "Grid":
        """Return the grid of ``down[:, :, None] + across[:, None, :]``."""
        return cls(np.stack([down, np.ones_like(down)], axis=1), np.stack([np.ones_like(across), across], axis=1))

    @classmethod
    def product_of(cls, down: Array, across: Array) -> "Grid":
        """Return the grid of ``down[:, :, None] * across[:, None, :]``: there is a second term, which is 0."""
        return cls(np.stack([down, np.zeros_like(down)], axis=1), np.stack([across, np.zeros_like(across)], axis=1))

    def pixels(self, rows: slice) -> Array:
        """Return the values of these samples, shape (rows, height, width)."""
        values: Array = self.down[rows].swapaxes(1, 2) @ self.across[rows]
        return values


Coordinates = tuple[Grid, Grid, Array]


def antialias(distance: Array, unit: Array) -> Array:
    """Return how much of each pixel is inside, 0 to 1, from the signed distances of the pixels' centers.

    Parameters
    ----------
    distance
        Distance to the outline, negative inside, shape (rows, height, width); overwritten.
    unit
        How many pixels the distances' unit is, shape (rows,).
    """
    distance *= -unit[:, None, None]
    distance += 0.5
    return distance.clip(0, 1, out=distance)


def clipped(values: Array, unit: Array) -> Array:  # noqa: ARG001 - both ways to finish are called alike
    """Return values from 0 to 1 as they are, the nearer of the two otherwise; overwritten."""
    return values.clip(0, 1, out=values)


def own_coordinates(factors: Factors, image_size: tuple[int, int]) -> Coordinates:
    """Return every pixel's center in each sample's own coordinates.

    Returns
    -------
    u, v
        Rightward and upward before the ``rotation``, from (``center_x``, ``center_y``), in units of half the
        ``size``, float32.
    unit
        That unit in pixels, shape (rows,).
    """
    height, width = image_size
    radius = factors["size"] * np.float32(min(image_size) / 2)
    x = (np.arange(width, dtype=np.float32) + 0.5 - factors["center_x"][:, None] * width) / radius[:, None]
    y = (factors["center_y"][:, None] * height - np.arange(height, dtype=np.float32) - 0.5) / radius[:, None]
    angle = np.deg2rad(factors["rotation"].astype(np.float64))[:, None]
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    return Grid.sum_of(sin * y, cos * x), Grid.sum_of(cos * y, -sin * x), radius


def occluder(factors: Factors, image_size: tuple[int, int]) -> tuple[Array, Array]:
    """Return how much of each pixel row and column the occluding rectangle takes.

    The rectangle is upright, so a pixel's share is the product of its row's, shape (rows, height),
    and its column's, shape (rows, width).
    """
    side = np.float32(min(image_size))
    down = _overlap(factors["occluder_y"] * image_size[0], factors["occluder_height"] * side, image_size[0])
    across = _overlap(factors["occluder_x"] * image_size[1], factors["occluder_width"] * side, image_size[1])
    return down, across


def _overlap(center: Array, length: Array, n_pixels: int) -> Array:
    """Length that each pixel of a line of pixels shares with a segment; shape (rows, n_pixels)."""
    edges = np.arange(n_pixels, dtype=np.float32)
    low, high = (center - length / 2)[:, None], (center + length / 2)[:, None]
    shared: Array = np.clip(np.minimum(edges + 1, high) - np.maximum(edges, low), 0, 1)
    return shared


def hidden_fraction(sums: Array, across: Array) -> Array:
    """Return which fraction of each shape's area lies behind its occluder, shape (rows,).

    Parameters
    ----------
    sums
        Sums over each column of how much of its pixels is shape: of what lies in the occluder's rows, and of
        all; shape (rows, 2, width).
    across
        How much of each column the occluder takes, shape (rows, width).
    """
    behind = (across * sums[:, 0]).sum(axis=1)
    fraction: Array = behind / np.maximum(sums[:, 1].sum(axis=1), np.float32(1e-6))
    return fraction


def paint(covered: Array, mask: Array, shape: Array, ground: Array, card: Array) -> Array:
    """Put shape and occluder on the background; intensities of shape (rows, height, width, channels).

    Parameters
    ----------
    covered, mask
        How much of each pixel shape and occluder take, shape (rows, height, width).
    shape, ground
        Their `colors`, shape (rows, channels).
    card
        Intensity of the occluder, shape (rows,).
    """
    planes = []
    for channel in range(shape.shape[1]):
        plane = covered * (shape - ground)[:, channel, None, None]
        plane += ground[:, channel, None, None]
        change = card[:, None, None] - plane
        change *= mask
        plane += change
        planes.append(plane)
    return np.stack(planes, axis=-1) if len(planes) > 1 else planes[0][..., None]


def colors(factors: Factors, part: str) -> Array:
    """Return the intensity in each channel of the shape ("") or the background; shape (rows, channels).

    A hue moves the three channels around the gray of the given intensity, which stays their mean; full
    saturation moves them as far as 0 and 1 allow.
    """
    gray = factors["background" if part else "foreground"][:, None]
    if "hue" not in factors:
        return gray
    phase = np.deg2rad(factors[f"{part}hue"].astype(np.float64)[:, None] - np.array([0.0, 120.0, 240.0]))
    swing = factors[f"{part}saturation"][:, None] * np.minimum(gray, 1 - gray)
    colored: Array = gray + swing * np.cos(phase).astype(np.float32)
    return colored


def noise_field(seed: int, start: int, stop: int, sample_shape: tuple[int, ...]) -> Array:
    r"""Return the standard normal noise of samples start … stop − 1, float32 (rows, \*sample_shape).

    It depends on the seed, the sample's index and its shape, on nothing else.
    """
    return normal(noise_bits(seed, start, stop, sample_shape))


def noise_bits(seed: int, start: int, stop: int, sample_shape: tuple[int, ...]) -> Array:
    r"""Return the random bits that `noise_field` is made from, uint16 of shape (rows, \*sample_shape)."""
    values = int(np.prod(sample_shape))
    together = max(1, _PIXELS_A_STREAM // values)  # few enough that starting inside a stream costs little
    bits = np.empty((stop - start, values), "<u2")
    for chunk in range(start // together, -(-stop // together)):
        rng, first = generator(seed, Stream.NOISE, chunk), chunk * together
        low, high = max(first, start), min(first + together, stop)
        words = -(-(high - first) * values // 4)  # four values from each 64 random bits
        drawn = rng.integers(0, 2**64, words, np.uint64).astype("<u8", copy=False).view("<u2")
        mine = drawn[(low - first) * values : (high - first) * values]
        bits[low - start : high - start] = mine.reshape(-1, values)
    return bits.reshape(stop - start, *sample_shape)


def normal(bits: Array) -> Array:
    """Turn 16 random bits each into one of `_quantiles`, float32 of the same shape."""
    # any 16 bits index the table: to wrap those out of range costs less than to look for them
    return _quantiles().take(bits, out=np.empty(bits.shape, np.float32), mode="wrap")


@cache
def _quantiles() -> Array:
    """Return 65,536 equally likely values in place of the normal distribution, float32.

    They are its quantiles, widened by less than 0.1 % to the standard deviation 1, and end at ±4.3. Drawing
    from them takes an eighth of the time of drawing from the distribution, and more than 65,536 values
    could hardly be told apart in 256 levels of gray.
    """
    quantile = NormalDist().inv_cdf
    half = np.array([quantile((k + 0.5) / 2**16) for k in range(2**15)])
    table: Array = np.concatenate([half, -half[::-1]])
    table /= table.std()
    return table.astype(np.float32)


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
    return images.clip(0, 255, out=images).astype(np.uint8)
