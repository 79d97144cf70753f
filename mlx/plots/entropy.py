"""Histograms of the entropy of correct and of wrong predictions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import CORRECT, MUTED, NOTE, WRONG, axes_or_new, styled
from mlx.plots.text import fixed, fixed_or_below, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from mlx.core.array_types import Floats

BINS = 24


@styled
def plot_entropy_histogram(entropy: ArrayLike, correct: ArrayLike, *, n_classes: int, ax: Axes | None = None) -> Axes:
    """Draw the entropies of correct and of wrong predictions as two histograms, each of total 1.

    Dashed lines are the medians; the dotted line is ln K, the entropy of a uniform prediction.

    Parameters
    ----------
    entropy
        (n_samples,), in nats, within [0, ln K].
    correct
        (n_samples,) of truth values.
    n_classes
        K.
    """
    h, ok = np.asarray(entropy, float), np.asarray(correct, bool)
    known = np.isfinite(h)
    h, ok = h[known], ok[known]
    bound = math.log(n_classes)
    edges = np.linspace(0, max(bound, float(h.max(initial=0.0)), 1e-9), BINS + 1)
    ax = axes_or_new(ax, height=2.5)
    _draw_group(ax, h[ok], edges, "correct", CORRECT, filled=True)
    _draw_group(ax, h[~ok], edges, "wrong", WRONG, filled=False)
    ax.axvline(bound, color=MUTED, linestyle=":", linewidth=1)
    ax.annotate(f"ln {n_classes} = {fixed(bound)}", (bound, 1), xycoords=("data", "axes fraction"),
                xytext=(4, 2), textcoords="offset points", ha="right", va="bottom", fontsize=NOTE,
                color=MUTED)  # fmt: skip
    ax.set(xlabel="entropy (nats)", ylabel="share of the group", xlim=(-0.02 * edges[-1], edges[-1] * 1.02))
    ax.set_ylim(0)
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax


def _draw_group(ax: Axes, entropy: Floats, edges: Floats, name: str, color: str, *, filled: bool) -> None:
    n = len(entropy)
    if not n:
        ax.plot([], [], color=color, label=f"{name}: none")
        return
    median = float(np.median(entropy))
    label = f"{name}: n = {thousands(n)}, median {fixed_or_below(median)}"
    share = np.histogram(entropy, edges)[0] / n
    ax.stairs(share, edges, color=color, fill=filled, alpha=0.35 if filled else 1.0, linewidth=1.4, label=label)
    ax.axvline(median, color=color, linestyle="--", linewidth=1.1)
