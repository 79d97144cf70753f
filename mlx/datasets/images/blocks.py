"""What the generated image sets share: from parameters to blocks of pixels, on every core."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.dataset import Block, Dataset, Factors, spans
from mlx.datasets.images.cores import let_the_allocator_keep_memory, on_every_core, one_by_one, short_buffers
from mlx.datasets.images.params import ImageParams
from mlx.datasets.images.render import (
    Coordinates,
    Drawing,
    Grid,
    colors,
    hidden_fraction,
    noise_bits,
    normal,
    occluder,
    own_coordinates,
    paint,
    to_pixels,
)
from mlx.datasets.labels import mislabel_some

_VALUES_AT_ONCE = 2**17  # less stays in the cache, more keeps threads from waiting for each other


@dataclass(frozen=True)
class ImageSet:
    """A kind of pictures.

    Attributes
    ----------
    name
        The name it has in ``dataset.name``.
    looks
        The looks by name, in the order in which classes take them.
    draw
        ``draw(params, start, stop)`` returns the looks' indices and the factors of those samples.
    scale
        ``scale(factors)`` returns twice the unit of the looks' coordinates, as a fraction of the image's
        shorter side, shape (rows,).
    finish
        Called with what a look returned and with that unit in pixels; returns how much of each pixel is
        foreground, from 0 to 1.
    fills
        Whether the occluder hides parts of the whole image rather than of a shape in it.
    """

    name: str
    looks: Mapping[str, Drawing]
    draw: Callable[[Any, int, int], tuple[Array, Factors]]
    scale: Callable[[Factors], Array]
    finish: Callable[[Array, Array], Array]
    fills: bool = True

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle a kind by its name, as looks are functions without one."""
        return _kind_named, (self.name,)


def _kind_named(name: str) -> ImageSet:
    kind: ImageSet = getattr(import_module(f"mlx.datasets.images.{name}"), name.upper())
    return kind


def open_images(kind: ImageSet, params: ImageParams) -> Dataset:
    """Describe the images of one kind; X is uint8 of shape (n_samples, height, width, channels).

    Sample i depends on the parameters and on i, neither on `n_samples` nor on the size of blocks.
    """
    height, width, _ = params.sample_shape
    return Dataset(
        name=kind.name,
        task="classification",
        class_names=tuple(kind.looks)[: params.n_classes],
        sample_shape=params.sample_shape,
        dtype=np.dtype(np.uint8),
        n_samples=params.n_samples,
        source=f"{params.n_classes} generated {kind.name}, {height}x{width} pixels",
        seed=params.seed,
        has_factors=True,
        blocks=ImageBlocks(kind, params),
    )


@dataclass(frozen=True)
class ImageBlocks:
    """Blocks of images of one kind."""

    kind: ImageSet
    params: ImageParams

    def __call__(self, rows: int) -> Iterator[Block]:
        """Yield the samples in order, `rows` at a time, each block made on every core."""
        for start, stop in spans(self.params.n_samples, rows):
            yield make_block(self.kind, self.params, start, stop)

    def between(self, start: int, stop: int) -> Block:
        """Make samples start … stop − 1, in this thread."""
        return make_block(self.kind, self.params, start, stop, run=one_by_one)


def make_block(
    kind: ImageSet, params: ImageParams, start: int, stop: int, *, run: Callable[..., None] = on_every_core
) -> Block:
    """Make samples start … stop − 1; any block can be made without those before it.

    Parts of it are made as `run` does.

    The factors are the kind's own, ``occlusion``, the fraction that the occluder really hides, and those
    of `mlx.datasets.labels.mislabel` where there is label noise.
    """
    looks, factors = kind.draw(params, start, stop)
    X = np.empty((stop - start, *params.sample_shape), np.uint8)
    occlusion = np.empty(stop - start, np.float32)

    @short_buffers()
    def fill(span: tuple[int, int]) -> None:
        low, high = span
        part = {name: values[low:high] for name, values in factors.items()}
        bits = noise_bits(params.seed, start + low, start + high, params.sample_shape)

        def keep(rows: Array, clean: Array) -> None:
            X[low:high][rows] = to_pixels(clean, part["noise"][rows], normal(bits[rows]))

        occlusion[low:high] = _paint(kind, looks[low:high], part, params.height_width, keep)

    let_the_allocator_keep_memory()
    run(fill, list(spans(len(X), params.n_classes * _together(params.sample_shape))))
    y, mistakes = mislabel_some(looks, params.n_classes, params.label_noise, params.seed, start)
    return Block(X, y, factors | {"occlusion": occlusion} | mistakes)


def render(kind: ImageSet, looks: Array, factors: Factors, image_size: tuple[int, int]) -> Array:
    """Draw images from their factors again, without the noise in their pixels.

    Parameters
    ----------
    looks
        Index of each sample's look, its true label; shape (rows,).
    factors
        The factors of a block, each of shape (rows,).
    image_size
        Height and width in pixels.

    Returns
    -------
    images
        Intensities from 0 (black) to 1 (white), float32 of shape (rows, height, width, channels).
    """
    channels = 3 if "hue" in factors else 1
    images = np.empty((len(looks), *image_size, channels), np.float32)
    _paint(kind, looks, factors, image_size, images.__setitem__)
    return images


def cover(kind: ImageSet, look: int, factors: Factors, image_size: tuple[int, int]) -> Array:
    """Return how much of each pixel is foreground in samples of one look, 0 to 1; (rows, height, width)."""
    return _cover(kind, look, factors, _coordinates(kind, factors, image_size), slice(None))


def _paint(
    kind: ImageSet, looks: Array, factors: Factors, size: tuple[int, int], keep: Callable[[Array, Array], None]
) -> Array:
    """Draw samples, some of one look at a time: `keep` is called with which they are and their images.

    What takes a few numbers a sample is done for all at once, before and after: a call on few numbers costs
    as much as one on many. Returns the hidden fraction of each sample, shape (rows,).
    """
    order = np.argsort(looks, kind="stable")
    factors = {name: values[order] for name, values in factors.items()}
    own = _coordinates(kind, factors, size)
    shape, ground, card = colors(factors, ""), colors(factors, "background_"), factors["occluder_intensity"]
    down, across = occluder(factors, size)
    mask, lines = Grid.product_of(down, across), np.stack([down, np.ones_like(down)], axis=1)
    sums = np.empty((len(looks), 2, size[1]), np.float32)
    for look, rows in _runs(looks[order], _together((*size, shape.shape[1]))):
        covered = _cover(kind, look, factors, own, rows)
        if not kind.fills:
            np.matmul(lines[rows], covered, out=sums[rows])
        keep(order[rows], paint(covered, mask.pixels(rows), shape[rows], ground[rows], card[rows]))
    hidden = np.empty(len(looks), np.float32)
    hidden[order] = down.mean(axis=1) * across.mean(axis=1) if kind.fills else hidden_fraction(sums, across)
    return hidden


def _coordinates(kind: ImageSet, factors: Factors, size: tuple[int, int]) -> Coordinates:
    return own_coordinates(factors | {"size": kind.scale(factors)}, size)


def _cover(kind: ImageSet, look: int, factors: Factors, own: Coordinates, rows: slice) -> Array:
    u, v, unit = own
    part = {name: values[rows, None, None] for name, values in factors.items()}
    return kind.finish(list(kind.looks.values())[look](u.pixels(rows), v.pixels(rows), part), unit[rows])


def _together(shape: tuple[int, ...]) -> int:
    """Return how many images of a shape to compute with at once."""
    return max(1, _VALUES_AT_ONCE // math.prod(shape))


def _runs(looks: Array, longest: int) -> Iterator[tuple[int, slice]]:
    """Part sorted looks into runs of one look, none longer than `longest`; yield the look and the run."""
    bounds = np.flatnonzero(np.diff(looks, prepend=-1, append=-1)).tolist()
    for low, high in pairwise(bounds):
        for first in range(low, high, longest):
            yield int(looks[low]), slice(first, min(first + longest, high))
