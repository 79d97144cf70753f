"""The data map: how each training sample was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import INK, axes_or_new, styled
from mlx.plots.thinning import evenly_spaced, note_thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


@styled
def plot_data_map(
    variability: ArrayLike,
    confidence: ArrayLike,
    correctness: ArrayLike,
    *,
    max_points: int = 2000,
    ax: Axes | None = None,
) -> Axes:
    """Draw training samples by variability and confidence, colored by correctness [Swayamdipta et al. 2020].

    Easy samples are at the upper left, hard or wrongly labeled ones at the lower left, ambiguous ones at the right.

    Parameters
    ----------
    variability, confidence
        (n_samples,), standard deviation and mean over the epochs of the probability of the true class.
    correctness
        (n_samples,), share of epochs in which the sample was right.
    max_points
        More samples are thinned evenly.
    """
    columns = [np.asarray(column, float) for column in (variability, confidence, correctness)]
    n = len(columns[0])
    x, y, share = (column[evenly_spaced(n, max_points)] for column in columns)
    order = np.argsort(-share, kind="stable")  # the rarely right on top
    ax = axes_or_new(ax, height=3.3)
    drawn = ax.scatter(x[order], y[order], c=share[order], cmap="cividis", vmin=0, vmax=1, s=11, alpha=0.9,
                       linewidths=0.25, edgecolors=INK)  # fmt: skip
    ax.set(xlabel="variability (standard deviation of p over the epochs)",
           ylabel="confidence (mean p of the true class)", ylim=(-0.02, 1.02))  # fmt: skip
    ax.set_xlim(left=0)
    if ax.figure is not None:
        bar = ax.figure.colorbar(drawn, ax=ax, location="right", shrink=0.9, aspect=32, pad=0.02)
        bar.set_label("correctness (share of epochs)")
        bar.outline.set_visible(False)
    note_thinned(ax, len(x), n)
    return ax
