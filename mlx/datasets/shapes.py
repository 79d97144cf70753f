"""``shapes``: filled shapes on a plain background, hard to tell apart for reasons that are recorded."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from mlx.datasets.dataset import Block, Dataset, spans
from mlx.datasets.looks import LOOKS
from mlx.datasets.render import coverage, hidden_fraction, noise_field, occluder, paint, to_pixels
from mlx.datasets.scenes import draw_scenes
from mlx.datasets.shape_params import ShapesParams

_VALUES_AT_ONCE = 2**18  # so that the arrays a drawing passes through stay in the processor's cache


def open_shapes(params: ShapesParams) -> Dataset:
    """Antialiased shapes with random place, size, rotation, intensities, noise and occlusion.

    X is uint8 of shape (n_samples, height, width, channels). The factors are those of
    `mlx.datasets.scenes.draw_scenes`, and ``occlusion``, the fraction of the shape's area that is
    really hidden. `mlx.datasets.render.render` draws the same image from them again. Sample i depends
    on the parameters and on i, neither on `n_samples` nor on the size of blocks.
    """
    height, width = params.height_width
    return Dataset(
        name="shapes",
        task="classification",
        class_names=tuple(LOOKS)[: params.n_classes],
        sample_shape=(height, width, params.channels),
        dtype=np.dtype(np.uint8),
        n_samples=params.n_samples,
        source=f"{params.n_classes} generated shapes, {height}x{width} pixels",
        seed=params.seed,
        has_factors=True,
        blocks=partial(_blocks, params),
    )


def _blocks(params: ShapesParams, rows: int) -> Iterator[Block]:
    for start, stop in spans(params.n_samples, rows):
        yield make_block(params, start, stop)


def make_block(params: ShapesParams, start: int, stop: int) -> Block:
    """Make samples start … stop − 1; any block can be made without those before it."""
    shape = (*params.height_width, params.channels)
    labels, factors = draw_scenes(params, start, stop)
    X = np.empty((stop - start, *shape), np.uint8)
    occlusion = np.empty(stop - start, np.float32)
    for low, high in spans(stop - start, max(1, _VALUES_AT_ONCE // int(np.prod(shape)))):
        part = {name: values[low:high] for name, values in factors.items()}
        covered = coverage(labels[low:high], part, params.height_width)
        hidden = occluder(part, params.height_width)
        occlusion[low:high] = hidden_fraction(covered, hidden)
        noise = noise_field(params.seed, start + low, start + high, shape)
        X[low:high] = to_pixels(paint(covered, hidden, part), part["noise"], noise)
    return Block(X, labels, factors | {"occlusion": occlusion})
