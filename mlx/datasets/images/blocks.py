"""What the generated image sets share: from parameters to blocks of pixels, on every core."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mlx.datasets.dataset import Array, Block, Dataset, Factors, spans
from mlx.datasets.images.params import ImageParams
from mlx.datasets.images.render import (
    Drawing,
    hidden_fraction,
    noise_bits,
    normal,
    occluder,
    own_coordinates,
    paint,
    to_pixels,
)
from mlx.datasets.labels import mislabel_some

_VALUES_AT_ONCE = 2**18  # less stays in the cache, more keeps threads from waiting for each other


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
        blocks=partial(_blocks, kind, params),
    )


def _blocks(kind: ImageSet, params: ImageParams, rows: int) -> Iterator[Block]:
    for start, stop in spans(params.n_samples, rows):
        yield make_block(kind, params, start, stop)


def make_block(kind: ImageSet, params: ImageParams, start: int, stop: int) -> Block:
    """Make samples start … stop − 1; any block can be made without those before it.

    The factors are the kind's own, ``occlusion``, the fraction that the occluder really hides, and those
    of `mlx.datasets.labels.mislabel` where there is label noise.
    """
    looks, factors = kind.draw(params, start, stop)
    hidden = occluder(factors, params.height_width)
    bits = np.empty((stop - start, *params.sample_shape), np.uint16)
    X = np.empty((stop - start, *params.sample_shape), np.uint8)
    occlusion = np.empty(stop - start, np.float32)

    def disturb(span: tuple[int, int]) -> None:
        bits[slice(*span)] = noise_bits(params.seed, start + span[0], start + span[1], params.sample_shape)

    def fill(rows: Array) -> None:
        part = {name: values[rows] for name, values in factors.items()}
        front = hidden[0][rows], hidden[1][rows]
        clean, occlusion[rows] = _paint(kind, looks[rows[0]], part, front, params.height_width)
        X[rows] = to_pixels(clean, part["noise"], normal(bits[rows]))

    _let_the_allocator_keep_memory()
    _on_every_core(disturb, list(spans(len(X), max(1, _VALUES_AT_ONCE // bits[0].size))))
    _on_every_core(fill, _groups(looks, bits[0].size))
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
    hidden = occluder(factors, image_size)
    images = np.empty((len(looks), *image_size, channels), np.float32)
    for rows in _groups(looks, images[0].size):
        part = {name: values[rows] for name, values in factors.items()}
        front = hidden[0][rows], hidden[1][rows]
        images[rows] = _paint(kind, looks[rows[0]], part, front, image_size)[0]
    return images


def cover(kind: ImageSet, look: int, factors: Factors, image_size: tuple[int, int]) -> Array:
    """Return how much of each pixel is foreground in samples of one look, 0 to 1; (rows, height, width)."""
    u, v, unit = own_coordinates(factors | {"size": kind.scale(factors)}, image_size)
    factors = {name: values[:, None, None] for name, values in factors.items()}
    return kind.finish(list(kind.looks.values())[look](u, v, factors), unit)


def _paint(
    kind: ImageSet, look: int, factors: Factors, hidden: tuple[Array, Array], size: tuple[int, int]
) -> tuple[Array, Array]:
    """Draw samples of one look; return them with the hidden fraction of each."""
    covered = cover(kind, look, factors, size)
    down, across = hidden
    share = down.mean(axis=1) * across.mean(axis=1) if kind.fills else hidden_fraction(covered, hidden)
    return paint(covered, hidden, factors), share


def _groups(looks: Array, values: int) -> list[Array]:
    """Part the samples into groups of one look, few enough at a time when each has so many values."""
    together = max(1, _VALUES_AT_ONCE // values)
    rows = (np.flatnonzero(looks == look) for look in np.unique(looks))
    return [each[low : low + together] for each in rows for low in range(0, len(each), together)]


def _let_the_allocator_keep_memory() -> None:
    """Free 16 MB that were never touched.

    The GNU allocator hands large blocks back to the system when they are freed, and gets them again, page
    fault by page fault, until it has seen a larger one freed: then it keeps what is smaller (mallopt(3),
    M_MMAP_THRESHOLD). Drawing takes half the time after that.
    """
    np.empty(2**24, np.uint8)


def _on_every_core(task: Callable[[Any], None], groups: list[Any]) -> None:
    """Run `task` on every group; NumPy lets other threads run while it computes."""
    workers = min(os.cpu_count() or 1, len(groups))
    if workers < 2:
        for group in groups:
            task(group)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(task, groups):  # the loop raises what a task raised
            pass
