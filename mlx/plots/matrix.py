"""The matrix of cosine similarities between samples, sorted by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.core.errors import DataError
from mlx.plots.images import as_rgb
from mlx.plots.style import COLUMN, INK, axes_or_new, styled
from mlx.plots.text import class_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mlx.core.array_types import Floats

THUMBNAILS_UP_TO = 16
"""Samples that still have room for their images beside their rows."""

NAMES_UP_TO = 20


@styled
def plot_similarity_matrix(
    similarity: ArrayLike,
    labels: ArrayLike,
    class_names: Sequence[str],
    *,
    images: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw cosine similarities between samples, with lines between classes.

    Colors run over the similarities there are, as those of a layer after ReLU are all positive.

    Parameters
    ----------
    similarity
        (m, m), in [−1, 1]; a NaN stays blank.
    labels
        (m,) of integers, the class of each row, equal ones neighbors.
    class_names
        n_classes names.
    images
        (m, h, w, c), drawn beside the rows of up to 16 samples in place of class names.

    Raises
    ------
    DataError
        The shapes don't fit.
    """
    s, y = np.asarray(similarity, float), np.asarray(labels).astype(int)
    if s.shape != (len(y), len(y)):
        raise DataError(f"similarity: expected shape ({len(y)}, {len(y)}) for {len(y)} labels, found {s.shape}")
    ax = axes_or_new(ax, height=COLUMN)
    low, high = _limits(s)
    image = ax.imshow(s, cmap="cividis", vmin=low, vmax=high, interpolation="nearest")
    starts = np.concatenate([[0], np.flatnonzero(np.diff(y)) + 1, [len(y)]]).astype(int) if len(y) else np.zeros(1, int)
    for start in starts[1:-1]:
        ax.axhline(start - 0.5, color="white", linewidth=0.7)
        ax.axvline(start - 0.5, color="white", linewidth=0.7)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set(xlabel="sample", ylabel="sample, by predicted class")
    if images is not None and len(y) <= THUMBNAILS_UP_TO:
        _draw_thumbnails(ax, as_rgb(images))
    else:
        _name_classes(ax, y, starts, class_names)
    if ax.figure is not None:
        bar = ax.figure.colorbar(image, ax=ax, location="top", shrink=0.8, aspect=30, pad=0.02)
        bar.set_label("cosine similarity (no unit)", color=INK)
        bar.ax.locator_params(nbins=6)
        bar.outline.set_visible(False)
    return ax


def _limits(similarity: Floats) -> tuple[float, float]:
    """Return the smallest and the largest similarity between two samples, a little apart where they are equal."""
    known = similarity[~np.eye(len(similarity), dtype=bool) & np.isfinite(similarity)]
    low, high = (float(known.min()), float(known.max())) if known.size else (-1.0, 1.0)
    return (low, high) if high - low > 1e-9 else (low - 0.5, high + 0.5)


def _name_classes(ax: Axes, y: NDArray[np.int_], starts: NDArray[np.int_], class_names: Sequence[str]) -> None:
    names = class_labels(class_names, width=12)
    sizes = np.diff(starts)
    kept = np.arange(len(sizes))
    if len(sizes) > NAMES_UP_TO:
        kept = np.unique(np.linspace(0, len(sizes) - 1, NAMES_UP_TO).astype(int))
    room = len(y) * 8.5 / (0.75 * COLUMN * 72)  # rows that a line of text covers
    places: list[float] = []
    shown: list[str] = []
    for k in kept:
        place = starts[k] + (sizes[k] - 1) / 2
        if not places or place - places[-1] >= room:
            places.append(float(place))
            shown.append(names[y[starts[k]]])
    ax.set_yticks(places, shown)
    ax.set_xticks([])


def _draw_thumbnails(ax: Axes, rgb: NDArray[np.float32]) -> None:
    ax.set_yticks([])
    ax.set_xticks([])
    m = len(rgb)
    for k, picture in enumerate(rgb):
        for box in ((-0.075, 1 - (k + 0.95) / m, 0.065, 0.9 / m), ((k + 0.05) / m, -0.075, 0.9 / m, 0.065)):
            inset = ax.inset_axes(box)
            inset.imshow(picture, interpolation="nearest", aspect="equal")
            inset.set_axis_off()
    ax.xaxis.labelpad = ax.yaxis.labelpad = 20
