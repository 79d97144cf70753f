"""Samples as images: a grid by class, and cards with what was predicted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.errors import DataError
from mlx.plots.style import COLUMN, INK, MUTED, PAGE, WRONG_TEXT, figure, styled, text_width
from mlx.plots.text import class_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

ROWS_PER_BLOCK, MAX_BLOCKS = 12, 3
NAME_SIZE = 7.0
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
    images: ArrayLike, labels: ArrayLike, class_names: Sequence[str], *, images_per_class: int = 8
) -> Figure:
    """Draw the first images of each class in a row, the class named at its left.

    More than 12 classes stand in two or three columns; of more than 36 the first 36 are drawn, and the
    figure says so.

    Parameters
    ----------
    images : array_like, shape (m, h, w, c)
        As `as_rgb` takes them.
    labels : array_like of int, shape (m,)
    class_names : sequence of str, length n_classes
    """
    rgb, labels = as_rgb(images), np.asarray(labels)
    n = min(len(class_names), ROWS_PER_BLOCK * MAX_BLOCKS)
    blocks = math.ceil(n / ROWS_PER_BLOCK)
    rows = math.ceil(n / blocks)
    names = class_labels(class_names, width=16)
    margin, top = 0.14 + text_width(names[:n], NAME_SIZE), 0.26 if n < len(class_names) else 0.06
    width = COLUMN if blocks == 1 else PAGE
    across = max(1, round(images_per_class * width / blocks / COLUMN))
    inner = width / blocks - margin - 0.06
    tall = inner / across * rgb.shape[1] / rgb.shape[2] * rows
    made = figure(width, top + tall + 0.06, constrained=False)
    height = made.get_figheight()
    for k in range(blocks):
        left = (k * width / blocks + margin) / width
        ax = made.add_axes((left, 0.06 / height, inner / width, tall / height))
        chosen = range(k * rows, min(n, (k + 1) * rows))
        tiles = [rgb[np.flatnonzero(labels == label)[:across]] for label in chosen]
        _draw_rows(ax, tiles, [names[label] for label in chosen], across, rows)
    if n < len(class_names):
        made.suptitle(f"the first {n} of {len(class_names)} classes", fontsize=7, color=MUTED, x=0.01, ha="left")
    return made


def _draw_rows(ax: Axes, tiles: Sequence[NDArray[np.float32]], names: Sequence[str], across: int, rows: int) -> None:
    """Draw all images as one picture: an Axes for each would take a hundred times longer."""
    h, w = tiles[0].shape[1:3]
    gap = max(1, round(h / 16))
    canvas = np.ones((rows * (h + gap) - gap, across * (w + gap) - gap, 3), np.float32)
    for i, row in enumerate(tiles):
        for j, image in enumerate(row):
            canvas[i * (h + gap) : i * (h + gap) + h, j * (w + gap) : j * (w + gap) + w] = image
    # Small images keep their pixels, which also compress well; large ones must be smoothed to shrink.
    ax.imshow(canvas, interpolation="nearest" if w <= 48 else "auto")
    ax.set_xticks([])
    ax.set_yticks([i * (h + gap) + h / 2 for i in range(len(names))], names, fontsize=NAME_SIZE)
    _bare(ax)


def _bare(ax: Axes) -> None:
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


@styled
def plot_sample_cards(
    images: ArrayLike,
    titles: Sequence[str],
    *,
    groups: Sequence[str] = (),
    wrong: ArrayLike | None = None,
    columns: int = 4,
) -> Figure:
    """Draw images with a text under each, in groups under a heading.

    Parameters
    ----------
    images : array_like, shape (m, h, w, c)
        As `as_rgb` takes them.
    titles : sequence of str, length m
        Up to three lines each.
    groups : sequence of str, length m, optional
        Heading that each stands under; equal ones are neighbours.
    wrong : array_like of bool, shape (m,), optional
        Whose text has the colour of mistakes.
    """
    rgb = as_rgb(images)
    marked = np.zeros(len(rgb), bool) if wrong is None else np.asarray(wrong, bool)
    headings = list(groups) or [""] * len(rgb)
    blocks = [[k for k, g in enumerate(headings) if g == name] for name in dict.fromkeys(headings)]
    width, texts, heading = COLUMN / columns, 0.38, 0.24
    tall = width * 0.86 * rgb.shape[1] / rgb.shape[2] + texts
    lines = [math.ceil(len(block) / columns) for block in blocks]
    height = sum(lines) * tall + len(blocks) * heading
    made = figure(COLUMN, height, constrained=False)
    top = height
    for block, count in zip(blocks, lines, strict=True):
        made.text(0.02, (top - 0.06) / height, headings[block[0]], va="top", fontsize=8, fontweight="bold")
        top -= heading
        for position, k in enumerate(block):
            y = top - (position // columns + 1) * tall + texts
            box = (position % columns * width + 0.07 * width, y, 0.86 * width, tall - texts)
            _draw_card(made, box, rgb[k], titles[k], color=WRONG_TEXT if marked[k] else INK)
        top -= count * tall
    return made


def _draw_card(
    made: Figure, box: tuple[float, float, float, float], image: NDArray[Any], title: str, *, color: str
) -> None:
    x, y, w, h = box
    width, height = made.get_size_inches()
    ax = made.add_axes((x / width, y / height, w / width, h / height))
    ax.imshow(image)
    ax.set_xticks([])
    ax.set_yticks([])
    _bare(ax)
    # A line at a time: the spacing within one text depends on the letters it happens to have.
    for k, line in enumerate(title.split("\n")):
        ax.annotate(line, (0, 0), xycoords="axes fraction", xytext=(0, -2.5 - 7.8 * k),
                    textcoords="offset points", va="top", fontsize=6.2, color=color)  # fmt: skip
