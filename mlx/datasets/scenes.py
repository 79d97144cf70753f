"""What is in each picture of ``shapes``: its class, and the factors it is drawn from."""

import numpy as np

from mlx.datasets.dataset import Array, Factors
from mlx.datasets.looks import LOOKS
from mlx.datasets.randomness import Stream, generator
from mlx.datasets.shape_params import ShapesParams

CHUNK = 256
"""Samples whose factors, or groups whose labels, are drawn together. Another number is another dataset."""

_AREAS = np.array([look.area for look in LOOKS.values()])


def draw_labels(seed: int, n_classes: int, start: int, stop: int) -> Array:
    """Return the labels of samples start … stop − 1, int64.

    Each group of `n_classes` consecutive samples has every class once, in random order: any number of
    first samples is balanced to within one.
    """
    a_chunk = CHUNK * n_classes
    chunks = range(start // a_chunk, -(-stop // a_chunk))
    draws = np.concatenate([generator(seed, Stream.LABELS, chunk).random((CHUNK, n_classes)) for chunk in chunks])
    labels = draws.argsort(axis=1).ravel()
    return labels[start - chunks.start * a_chunk :][: stop - start]


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
    chunks = range(start // CHUNK, -(-stop // CHUNK))
    first = chunks.start * CHUNK
    labels = draw_labels(params.seed, params.n_classes, first, chunks.stop * CHUNK)
    tables = [_draw_chunk(params, k, labels[k * CHUNK - first :][:CHUNK]) for k in chunks]
    mine = slice(start - first, stop - first)
    factors = {name: np.concatenate([table[name] for table in tables])[mine] for name in tables[0]}
    return labels[mine], factors


def _draw_chunk(params: ShapesParams, chunk: int, labels: Array) -> Factors:
    rng = generator(params.seed, Stream.SAMPLES, chunk)
    factors = _draw_shape(params, rng)
    factors |= _draw_occluder(params, rng, factors, _AREAS[labels])
    if params.channels > 1:
        factors |= _draw_colours(params.seed, chunk)
    return {name: values.astype(np.float32) for name, values in factors.items()}


def _draw_shape(params: ShapesParams, rng: np.random.Generator) -> Factors:
    """Draw geometry, intensities and noise; every shape lies inside the image."""
    height, width = params.height_width
    side = min(height, width)
    size = rng.uniform(params.min_size, params.max_size, CHUNK)
    contrast = rng.uniform(params.min_contrast, params.max_contrast, CHUNK)
    dark = rng.random(CHUNK) * (1 - contrast)
    bright_shape = rng.random(CHUNK) >= params.inverted
    return {
        "center_x": 0.5 + params.jitter * (1 - size * side / width) * (rng.random(CHUNK) - 0.5),
        "center_y": 0.5 + params.jitter * (1 - size * side / height) * (rng.random(CHUNK) - 0.5),
        "size": size,
        "rotation": rng.uniform(-params.rotation, params.rotation, CHUNK),
        "foreground": np.where(bright_shape, dark + contrast, dark),
        "background": np.where(bright_shape, dark, dark + contrast),
        "contrast": contrast,
        "noise": rng.uniform(0, params.noise, CHUNK),
    }


def _draw_occluder(params: ShapesParams, rng: np.random.Generator, shape: Factors, areas: Array) -> Factors:
    """Draw a rectangle near the shape's middle, with up to `occlusion` times the shape's area."""
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
