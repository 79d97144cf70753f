"""The map of representations: samples in a plane, by class, by correctness or by entropy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.core.errors import DataError
from mlx.plots.similarity import point_style
from mlx.plots.style import INK, MUTED, NOTE, axes_or_new, category_style, styled, text_width
from mlx.plots.text import class_labels, plural, thousands
from mlx.plots.thinning import evenly_spaced

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from mlx.core.array_types import Array, Floats

NAMED_CLASSES = 10


@styled
def plot_representation_map(
    points: ArrayLike,
    *,
    by: str,
    values: ArrayLike,
    class_names: Sequence[str] = (),
    axis_names: tuple[str, str] = ("first axis (no unit)", "second axis (no unit)"),
    max_points: int = 2000,
    ax: Axes | None = None,
) -> Axes:
    """Draw samples where their representations lie.

    Of more than 10 classes the 9 largest have a look of their own, and all others are gray.

    Parameters
    ----------
    points
        (n_samples, 2), coordinates; a sample with a NaN is left out.
    by
        What colors and markers say: ``"class"``, ``"correct"`` or ``"entropy"``.
    values
        (n_samples,), labels, correctness (bool) or entropy in nats.
    class_names
        For ``by="class"``.
    axis_names
        With units; axes of t-SNE and UMAP have none.

    Raises
    ------
    DataError
        The shapes don't fit, or `by` is another.
    """
    xy, v = np.asarray(points, float), np.asarray(values)
    if xy.ndim != 2 or xy.shape != (len(v), 2):
        raise DataError(f"points: expected shape ({len(v)}, 2), found {xy.shape}")
    if by not in COLORINGS:
        raise DataError(f"by: expected one of {', '.join(COLORINGS)}, found {by!r}")
    known = np.flatnonzero(np.isfinite(xy).all(axis=1))
    rows = known[evenly_spaced(len(known), max_points)]
    ax = axes_or_new(ax, height=3.3)
    COLORINGS[by](ax, xy[rows], v[rows], class_names)
    ax.set(xlabel=axis_names[0], ylabel=axis_names[1])
    ax.locator_params(nbins=5)  # as many ticks before the panels have their sizes as after: the labels get room first
    if len(rows) < len(v):
        note = f"{thousands(len(rows))} of {plural(len(v), 'sample')}"
        ax.text(0.99, 0.01, note, transform=ax.transAxes, ha="right", va="bottom", fontsize=NOTE, color=MUTED,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85})  # fmt: skip
    return ax


def scatter_classes(ax: Axes, xy: Floats, labels: Array, names: Sequence[str], *, most: int) -> None:
    """Scatter points (m, 2) by class; of more than `most` classes the largest have a look of their own."""
    counts = np.bincount(labels.astype(int), minlength=len(names))
    named = np.flatnonzero(counts)
    if len(named) > most:
        named = np.sort(np.argsort(-counts, kind="stable")[: most - 1])
    for k, label in enumerate(named):
        own, look = xy[labels == label], category_style(k)
        ax.scatter(own[:, 0], own[:, 1], s=11, color=look.color, marker=look.marker, alpha=0.75, linewidths=0,
                   label=names[int(label)])  # fmt: skip
    rest = ~np.isin(labels, named)
    if rest.any():
        others = f"{(counts > 0).sum() - len(named)} others"
        ax.scatter(xy[rest, 0], xy[rest, 1], s=5, color="#BDBDBD", linewidths=0, zorder=0.9, label=others)


def _by_class(ax: Axes, xy: Floats, labels: Array, class_names: Sequence[str]) -> None:
    scatter_classes(ax, xy, labels, class_labels(class_names, width=12), most=NAMED_CLASSES)
    _legend(ax)


def _by_correctness(ax: Axes, xy: Floats, correct: Array, class_names: Sequence[str]) -> None:  # noqa: ARG001
    for flag, name in ((True, "correct"), (False, "wrong")):
        part = xy[correct.astype(bool) == flag]
        ax.scatter(part[:, 0], part[:, 1], label=f"{name} ({thousands(len(part))})", **point_style(flag, 11))
    _legend(ax)


def _by_entropy(ax: Axes, xy: Floats, entropy: Array, class_names: Sequence[str]) -> None:  # noqa: ARG001
    order = np.argsort(np.nan_to_num(entropy.astype(float)), kind="stable")  # the uncertain on top
    top = float(np.nanmax(entropy, initial=0.0)) or 1.0
    drawn = ax.scatter(xy[order, 0], xy[order, 1], c=entropy[order], cmap="cividis_r", vmin=0, vmax=top, s=11,
                       alpha=0.9, linewidths=0.25, edgecolors=INK)  # fmt: skip
    if ax.figure is not None:
        bar = ax.figure.colorbar(drawn, ax=ax, location="top", shrink=0.9, aspect=32, pad=0.02)
        bar.set_label("entropy (nats)")
        bar.outline.set_visible(False)


def _legend(ax: Axes) -> None:
    # Entries stand above the panel, which may be a third of a page wide.
    widest = text_width(ax.get_legend_handles_labels()[1], NOTE)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3 if widest < 0.5 else 2, handletextpad=0.1,
              columnspacing=0.8, markerscale=1.3)  # fmt: skip


COLORINGS = {"class": _by_class, "correct": _by_correctness, "entropy": _by_entropy}
