"""Samples as images: a grid by class, and cards with what was predicted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.errors import DataError
from mlx.plots.style import COLUMN, INK, MUTED, NOTE, PAGE, WRONG_TEXT, figure, styled, text_width
from mlx.plots.text import MINUS, class_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mlx.core.array_types import Array

ROWS_PER_BLOCK, MAX_BLOCKS = 12, 3
LINE = 0.115  # inches from one line of the smallest text to the next
SHARP_UP_TO = 48  # pixels of an image that is drawn pixel by pixel
RESIDUALS_SHOWN = 4
LARGEST_SIDE = 128  # pixels of an image that a grid or a card can show


def as_rgb(images: ArrayLike) -> NDArray[np.float32]:
    """Images as RGB in [0, 1], shape (m, h, w, 3), at most `LARGEST_SIDE` pixels high and wide.

    uint8 is divided by 255; floats within [0, 1] stay, others are stretched from the smallest to the
    largest value of all of them; a fourth channel is dropped, and any other number of them averaged.

    Raises
    ------
    DataError
        `images` does not have shape (m, h, w, c) or (m, h, w).
    """
    x = np.asarray(images)
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise DataError(f"images: expected shape (m, h, w, channels), found {x.shape}")
    step = max(1, math.ceil(max(x.shape[1:3]) / LARGEST_SIDE))
    x = x[:, ::step, ::step]
    unit: NDArray[np.float32] = np.nan_to_num(x.astype(np.float32)) / np.float32(255 if x.dtype == np.uint8 else 1)
    low, high = float(unit.min(initial=0)), float(unit.max(initial=1))
    if low < 0 or high > 1:
        unit = (unit - low) / (high - low)
    channels = unit.shape[3]
    if channels not in (3, 4):
        unit = np.repeat(unit.mean(axis=3, keepdims=True), 3, axis=3)
    return unit[..., :3]


@styled
def plot_sample_grid(
    images: ArrayLike,
    labels: ArrayLike,
    class_names: Sequence[str],
    *,
    images_per_class: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """Draw the first images of each class in a row, the class named at its left.

    More than 12 classes stand in two or three columns; of more than 36 the first 36 are drawn, and the
    title says so.

    Parameters
    ----------
    images
        (m, h, w, c), as `as_rgb` takes them.
    labels
        (m,) of integers.
    class_names
        n_classes names.
    """
    rgb, labels = as_rgb(images), np.asarray(labels)
    n = min(len(class_names), ROWS_PER_BLOCK * MAX_BLOCKS)
    blocks = math.ceil(n / ROWS_PER_BLOCK)
    rows = math.ceil(n / blocks)
    names = class_labels(class_names, width=16)
    margin, top = 0.14 + text_width(names[:n], NOTE), 0.22 if n < len(class_names) else 0.04
    width = COLUMN if blocks == 1 else PAGE
    across = max(1, round(images_per_class * width / blocks / COLUMN))
    inner = width / blocks - margin - 0.06
    tall = inner / across * rgb.shape[1] / rgb.shape[2] * rows
    ax = _sheet(ax, width, top + tall + 0.04)
    for k in range(blocks):
        left = k * width / blocks + margin
        chosen = range(k * rows, min(n, (k + 1) * rows))
        tiles = [rgb[np.flatnonzero(labels == label)[:across]] for label in chosen]
        extent = (left, left + inner, top + tall, top)
        _draw_rows(ax, tiles, extent, across, rows)
        for i, label in enumerate(chosen):
            ax.text(left - 0.05, top + (i + 0.5) * tall / rows, names[label], ha="right", va="center", fontsize=NOTE)
    if n < len(class_names):
        ax.text(0.04, 0.02, f"the first {n} of {len(class_names)} classes", va="top", fontsize=NOTE, color=MUTED)
    return ax


def _sheet(ax: Axes | None, width: float, height: float) -> Axes:
    """Make or take Axes whose data coordinates are inches from the upper left corner of `width` × `height`."""
    if ax is None:
        ax = figure(width, height, constrained=False).add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.set_axis_off()
    return ax


def _draw_rows(
    ax: Axes,
    tiles: Sequence[NDArray[np.float32]],
    extent: tuple[float, float, float, float],
    across: int,
    rows: int,
) -> None:
    """Draw all images as one picture: an artist for each would take a hundred times longer."""
    h, w = tiles[0].shape[1:3]
    gap = max(1, round(h / 16))
    canvas = np.ones((rows * (h + gap) - gap, across * (w + gap) - gap, 3), np.float32)
    for i, row in enumerate(tiles):
        for j, image in enumerate(row):
            canvas[i * (h + gap) : i * (h + gap) + h, j * (w + gap) : j * (w + gap) + w] = image
    _place(ax, canvas, extent, smooth=w > SHARP_UP_TO)


def _place(ax: Axes, image: Array, extent: tuple[float, float, float, float], *, smooth: bool, **colors: Any) -> None:
    """Draw an image within the limits of the sheet (left, right, bottom, top)."""
    limits = ax.get_xlim(), ax.get_ylim()
    # Small images keep their pixels, which also compress well; large ones must be smoothed to shrink.
    ax.imshow(image, extent=extent, interpolation="auto" if smooth else "nearest", **colors)
    ax.set(xlim=limits[0], ylim=limits[1])


@styled
def plot_sample_cards(
    images: ArrayLike,
    titles: Sequence[str],
    *,
    groups: Sequence[str] = (),
    wrong: ArrayLike | None = None,
    columns: int = 4,
    ax: Axes | None = None,
) -> Axes:
    """Draw images with a text under each, in groups under a heading.

    Parameters
    ----------
    images
        (m, h, w, c), as `as_rgb` takes them.
    titles
        m texts, up to three lines each.
    groups
        m texts, heading that each stands under; equal ones are neighbors.
    wrong
        (m,) of truth values, whose text has the color of mistakes.
    """
    rgb = as_rgb(images)
    marked = np.zeros(len(rgb), bool) if wrong is None else np.asarray(wrong, bool)
    headings = list(groups) or [""] * len(rgb)
    blocks = [[k for k, g in enumerate(headings) if g == name] for name in dict.fromkeys(headings)]
    width, texts, heading = COLUMN / columns, LINE * max((t.count("\n") + 1 for t in titles), default=1) + 0.08, 0.24
    tall = width * 0.86 * rgb.shape[1] / rgb.shape[2] + texts
    lines = [math.ceil(len(block) / columns) for block in blocks]
    ax = _sheet(ax, COLUMN, max(sum(lines) * tall + sum(heading for block in blocks if headings[block[0]]), 0.3))
    top = 0.0
    for block, count in zip(blocks, lines, strict=True):
        if headings[block[0]]:
            ax.text(0.06, top + 0.06, headings[block[0]], va="top", fontsize=8, fontweight="bold")
            top += heading
        for position, k in enumerate(block):
            left, upper = (position % columns + 0.07) * width, top + position // columns * tall
            lower = upper + tall - texts
            _place(ax, rgb[k], (left, left + 0.86 * width, lower, upper), smooth=rgb.shape[2] > SHARP_UP_TO)
            _write_lines(ax, titles[k], left, lower, WRONG_TEXT if marked[k] else INK)
        top += count * tall
    return ax


def _write_lines(ax: Axes, title: str, left: float, lower: float, color: str) -> None:
    # A line at a time: the spacing within one text depends on the letters it happens to have.
    for k, line in enumerate(title.split("\n")):
        ax.text(left, lower + 0.03 + LINE * k, line, va="top", fontsize=NOTE, color=color)


@styled
def plot_residual_images(
    images: ArrayLike, references: ArrayLike, titles: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Draw samples above the mean image of the class they were taken for, and below it what is left of them.

    The residual is sample minus mean, averaged over channels, from −1 (blue: darker than the class) over 0
    (white) to 1 (orange: brighter).

    Parameters
    ----------
    images, references
        (m, h, w, c), samples and mean images on one scale; up to 4 samples are drawn.
    titles
        m texts, a line or two for each sample.

    Raises
    ------
    DataError
        The shapes differ.
    """
    x, mean = np.asarray(images), np.asarray(references)
    if x.shape != mean.shape:
        raise DataError(f"references: expected the shape of images, {x.shape}, found {mean.shape}")
    x, mean = x[:RESIDUALS_SHOWN], mean[:RESIDUALS_SHOWN]
    both = as_rgb(np.concatenate([x, mean.astype(x.dtype)]))
    shown, expected = both[: len(x)], both[len(x) :]
    margin, texts = 0.6, LINE * max((t.count("\n") + 1 for t in titles), default=1) + 0.06
    width = (COLUMN - margin) / RESIDUALS_SHOWN
    tall = width * both.shape[1] / both.shape[2]
    ax = _sheet(ax, COLUMN, texts + 3 * tall + 0.34)
    for row, name in enumerate(("sample", "mean of\nits class", "residual")):
        ax.text(margin - 0.06, texts + (row + 0.5) * tall, name, ha="right", va="center", fontsize=NOTE)
    for k, (image, reference) in enumerate(zip(shown, expected, strict=True)):
        left = margin + k * width
        for i, line in enumerate(titles[k].split("\n")):
            ax.text(left + 0.02, 0.03 + LINE * i, line, va="top", fontsize=NOTE)
        residual = (image - reference).mean(axis=2)
        for row, (picture, colors) in enumerate(
            ((image, {}), (reference, {}), (residual, {"cmap": "PuOr_r", "vmin": -1, "vmax": 1}))
        ):
            upper = texts + row * tall
            box = (left + 0.02, left + width - 0.02, upper + tall - 0.02, upper + 0.02)
            _place(ax, picture, box, smooth=both.shape[2] > SHARP_UP_TO, **colors)
    _draw_scale(ax, margin, texts + 3 * tall + 0.06)
    return ax


def _draw_scale(ax: Axes, left: float, upper: float) -> None:
    ramp = np.linspace(-1, 1, 128)[None]
    _place(ax, ramp, (left + 0.75, left + 1.95, upper + 0.09, upper), smooth=True, cmap="PuOr_r", vmin=-1, vmax=1)
    for place, text, side in ((0.7, f"darker {MINUS}1", "right"), (2.0, "+1 brighter", "left")):
        ax.text(left + place, upper + 0.045, text, ha=side, va="center", fontsize=NOTE)
