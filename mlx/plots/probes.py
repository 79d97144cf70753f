"""How well a linear probe reads the classes from each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import CORRECT, MUTED, axes_or_new, draw_interval_lines, few_ticks, name_rows, styled
from mlx.plots.text import class_labels
from mlx.results.probes import LayerReadout

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@styled
def plot_probes(layers: Sequence[LayerReadout], *, ax: Axes | None = None) -> Axes:
    """Draw the accuracy of the linear probe of each layer with its interval, and that of the model as a dotted line.

    Parameters
    ----------
    layers
        In the order in which they are drawn; those without a probe are not drawn.
    """
    shown = [one for one in layers if np.isfinite(one.probe_accuracy)]
    ax = axes_or_new(ax, height=0.95 + 0.24 * max(2, len(shown)))
    columns = ("probe_accuracy", "probe_low", "probe_high")
    value, low, high = 100 * np.array([[getattr(one, name) for name in columns] for one in shown]).reshape(-1, 3).T
    place = np.arange(len(shown))
    if shown:
        ax.axvline(100 * shown[0].model_accuracy, color=MUTED, linestyle=":", linewidth=1, label="the model")
    draw_interval_lines(ax, place, value, low, high, CORRECT)
    ax.plot(value, place, color=CORRECT, marker="o", markersize=4.5, linestyle="none", label="linear probe")
    name_rows(ax, class_labels([one.layer for one in shown], width=18))
    few_ticks(ax)
    ax.set(xlabel="accuracy on the test samples (%)", ylabel="layer")
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, handletextpad=0.4, columnspacing=0.8)
    return ax
