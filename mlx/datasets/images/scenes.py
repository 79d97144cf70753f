"""What is in each picture: its class, and the factors it is drawn from."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from mlx.datasets.dataset import Array, Factors
from mlx.datasets.images.params import ImageParams
from mlx.datasets.images.shape_looks import LOOKS
from mlx.datasets.images.shape_params import ShapesParams
from mlx.datasets.labels import CHUNK, draw_labels
from mlx.datasets.randomness import Stream, generator

_AREAS = np.array([look.area for look in LOOKS.values()])

P = TypeVar("P", bound=ImageParams)


def draw_in_chunks(
    params: P, start: int, stop: int, draw: Callable[[P, np.random.Generator, Array], Factors]
) -> tuple[Array, Factors]:
    """Return labels and factors of samples start … stop − 1, float32 unless they are integers.

    `draw` returns the factors of one chunk of samples from the parameters, the chunk's own generator
    and its labels; with three channels, colours are added.
    """
    chunks = range(start // CHUNK, -(-stop // CHUNK))
    first = chunks.start * CHUNK
    labels = draw_labels(params.seed, params.n_classes, first, chunks.stop * CHUNK, params.class_weights)
    tables = []
    for k in chunks:
        table = draw(params, generator(params.seed, Stream.SAMPLES, k), labels[k * CHUNK - first :][:CHUNK])
        tables.append(table | (_draw_colours(params.seed, k) if params.channels > 1 else {}))
    mine = slice(start - first, stop - first)
    factors = {name: np.concatenate([table[name] for table in tables])[mine] for name in tables[0]}
    return labels[mine], {name: _compact(values) for name, values in factors.items()}


def _compact(values: Array) -> Array:
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def draw_scenes(params: ShapesParams, start: int, stop: int) -> tuple[Array, Factors]:
    """Return labels and factors of samples start … stop − 1, before anything is drawn.

    All factors are float32 of shape (stop − start,):

    - ``center_x``, ``center_y``: centre of the circle around the shape, as a fraction of the width from
      the left and of the height from the top;
    - ``size``: diameter of that circle, as a fraction of the image's shorter side;
    - ``rotation``: degrees, counterclockwise;
    - ``foreground``, ``background``: intensities of shape and background, 0 black to 1 white, and
      ``contrast``, their absolute difference;
    - ``noise``: standard deviation of the noise in every pixel, in the same unit;
    - ``occluder_x``, ``occluder_y``, ``occluder_width``, ``occluder_height``: place of the upright
      rectangle in front of the shape, as for centre and size, and ``occluder_intensity``;
    - with three channels ``hue``, ``saturation``, ``background_hue``, ``background_saturation``: degrees,
      and 0 grey to 1 as colourful as the intensity allows.
    """
    return draw_in_chunks(params, start, stop, _draw_scene)


def _draw_scene(params: ShapesParams, rng: np.random.Generator, labels: Array) -> Factors:
    factors = _draw_shape(params, rng)
    return factors | draw_occluder(params, rng, factors, _AREAS[labels])


def _draw_shape(params: ShapesParams, rng: np.random.Generator) -> Factors:
    """Draw geometry, intensities and level of noise; every shape lies inside the image."""
    height, width = params.height_width
    side = min(height, width)
    size = rng.uniform(params.min_size, params.max_size, CHUNK)
    intensities = draw_intensities(params, rng)
    return {
        "center_x": 0.5 + params.jitter * (1 - size * side / width) * (rng.random(CHUNK) - 0.5),
        "center_y": 0.5 + params.jitter * (1 - size * side / height) * (rng.random(CHUNK) - 0.5),
        "size": size,
        "rotation": rng.uniform(-params.rotation, params.rotation, CHUNK),
        **intensities,
        "noise": rng.uniform(0, params.noise, CHUNK),
    }


def draw_intensities(params: ImageParams, rng: np.random.Generator) -> Factors:
    """Draw how bright foreground and background are."""
    contrast = rng.uniform(params.min_contrast, params.max_contrast, CHUNK)
    dark = rng.random(CHUNK) * (1 - contrast)
    bright = rng.random(CHUNK) >= params.inverted
    return {
        "foreground": np.where(bright, dark + contrast, dark),
        "background": np.where(bright, dark, dark + contrast),
        "contrast": contrast,
    }


def draw_occluder(params: ImageParams, rng: np.random.Generator, shape: Factors, areas: Array | float) -> Factors:
    """Draw a rectangle near the shape's middle, with up to `occlusion` times the shape's area.

    `areas` are those that the shapes would have in a circle of radius 1.
    """
    height, width = params.height_width
    side = min(height, width)
    area = rng.uniform(0, params.occlusion, CHUNK) * areas * (shape["size"] / 2) ** 2
    elongation = np.exp(rng.uniform(-0.7, 0.7, CHUNK))
    away, direction = np.sqrt(rng.random(CHUNK)) * shape["size"] * 0.35, rng.uniform(0, 2 * np.pi, CHUNK)
    return {
        "occluder_x": shape["center_x"] + away * np.cos(direction) * side / width,
        "occluder_y": shape["center_y"] + away * np.sin(direction) * side / height,
        "occluder_width": np.sqrt(area * elongation),
        "occluder_height": np.sqrt(area / elongation),
        "occluder_intensity": rng.random(CHUNK),
    }


def _draw_colours(seed: int, chunk: int) -> Factors:
    rng = generator(seed, Stream.COLOUR, chunk)
    return {
        "hue": rng.uniform(0, 360, CHUNK),
        "saturation": rng.random(CHUNK),
        "background_hue": rng.uniform(0, 360, CHUNK),
        "background_saturation": rng.random(CHUNK),
    }
