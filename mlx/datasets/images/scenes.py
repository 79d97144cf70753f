"""What is in each picture: its class, and the factors it is drawn from."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.dataset import Factors
from mlx.datasets.images.params import ImageParams
from mlx.datasets.images.shape_looks import LOOKS
from mlx.datasets.images.shape_params import ShapesParams
from mlx.datasets.labels import CHUNK, draw_labels
from mlx.datasets.randomness import Stream, generator

_AREAS = np.array([look.area for look in LOOKS.values()])

P = TypeVar("P", bound=ImageParams)


class Draws:
    """The random generators of consecutive chunks of samples, drawn from as if they were one.

    Every call moves every chunk's generator on by one number a sample, so that what a sample gets depends on
    its chunk and on the calls before, not on which chunks there are.
    """

    def __init__(self, seed: int, stream: Stream, chunks: range) -> None:
        self._generators = [generator(seed, stream, chunk) for chunk in chunks]

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Array:
        """Return numbers from `low` to `high`, float64, one per sample of all chunks."""
        drawn = np.empty((len(self._generators), CHUNK))
        for rng, row in zip(self._generators, drawn, strict=True):
            rng.random(out=row)
        return low + (high - low) * drawn.ravel()

    def bits(self) -> Array:
        """Return 32 random bits each, uint32, one per sample of all chunks."""
        return np.concatenate([rng.integers(0, 2**32, CHUNK, np.uint32) for rng in self._generators])


def draw_in_chunks(
    params: P, start: int, stop: int, draw: Callable[[P, Draws, Array], Factors]
) -> tuple[Array, Factors]:
    """Return labels and factors of samples start … stop − 1, float32 unless they are integers.

    `draw` returns the factors of whole chunks of samples from the parameters, the chunks' own random numbers
    and their labels; with three channels, colors are added.
    """
    chunks = range(start // CHUNK, -(-stop // CHUNK))
    first = chunks.start * CHUNK
    labels = draw_labels(params.seed, params.n_classes, first, chunks.stop * CHUNK, params.class_weights)
    factors = draw(params, Draws(params.seed, Stream.SAMPLES, chunks), labels)
    if params.channels > 1:
        factors |= _draw_colors(Draws(params.seed, Stream.COLOR, chunks))
    mine = slice(start - first, stop - first)
    return labels[mine], {name: _compact(values[mine]) for name, values in factors.items()}


def _compact(values: Array) -> Array:
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def draw_scenes(params: ShapesParams, start: int, stop: int) -> tuple[Array, Factors]:
    """Return labels and factors of samples start … stop − 1, before anything is drawn.

    All factors are float32 of shape (stop − start,):

    - ``center_x``, ``center_y``: center of the circle around the shape, as a fraction of the width from
      the left and of the height from the top;
    - ``size``: diameter of that circle, as a fraction of the image's shorter side;
    - ``rotation``: degrees, counterclockwise;
    - ``foreground``, ``background``: intensities of shape and background, 0 black to 1 white, and
      ``contrast``, their absolute difference;
    - ``noise``: standard deviation of the noise in every pixel, in the same unit;
    - ``occluder_x``, ``occluder_y``, ``occluder_width``, ``occluder_height``: place of the upright
      rectangle in front of the shape, as for center and size, and ``occluder_intensity``;
    - with three channels ``hue``, ``saturation``, ``background_hue``, ``background_saturation``: degrees,
      and 0 gray to 1 as colorful as the intensity allows.
    """
    return draw_in_chunks(params, start, stop, _draw_scene)


def _draw_scene(params: ShapesParams, draws: Draws, labels: Array) -> Factors:
    factors = _draw_shape(params, draws)
    return factors | draw_occluder(params, draws, factors, _AREAS[labels])


def _draw_shape(params: ShapesParams, draws: Draws) -> Factors:
    """Draw geometry, intensities and level of noise; every shape lies inside the image."""
    height, width = params.height_width
    side = min(height, width)
    size = draws.uniform(params.min_size, params.max_size)
    intensities = draw_intensities(params, draws)
    return {
        "center_x": 0.5 + params.jitter * (1 - size * side / width) * (draws.uniform() - 0.5),
        "center_y": 0.5 + params.jitter * (1 - size * side / height) * (draws.uniform() - 0.5),
        "size": size,
        "rotation": draws.uniform(-params.rotation, params.rotation),
        **intensities,
        "noise": draws.uniform(0, params.noise),
    }


def draw_intensities(params: ImageParams, draws: Draws) -> Factors:
    """Draw how bright foreground and background are."""
    contrast = draws.uniform(params.min_contrast, params.max_contrast)
    dark = draws.uniform() * (1 - contrast)
    bright = draws.uniform() >= params.inverted
    return {
        "foreground": np.where(bright, dark + contrast, dark),
        "background": np.where(bright, dark, dark + contrast),
        "contrast": contrast,
    }


def draw_occluder(params: ImageParams, draws: Draws, shape: Factors, areas: Array | float) -> Factors:
    """Draw a rectangle near the shape's middle, with up to `occlusion` times the shape's area.

    `areas` are those that the shapes would have in a circle of radius 1.
    """
    height, width = params.height_width
    side = min(height, width)
    area = draws.uniform(0, params.occlusion) * areas * (shape["size"] / 2) ** 2
    elongation = np.exp(draws.uniform(-0.7, 0.7))
    away, direction = np.sqrt(draws.uniform()) * shape["size"] * 0.35, draws.uniform(0, 2 * np.pi)
    return {
        "occluder_x": shape["center_x"] + away * np.cos(direction) * side / width,
        "occluder_y": shape["center_y"] + away * np.sin(direction) * side / height,
        "occluder_width": np.sqrt(area * elongation),
        "occluder_height": np.sqrt(area / elongation),
        "occluder_intensity": draws.uniform(),
    }


def _draw_colors(draws: Draws) -> Factors:
    return {
        "hue": draws.uniform(0, 360),
        "saturation": draws.uniform(),
        "background_hue": draws.uniform(0, 360),
        "background_saturation": draws.uniform(),
    }
