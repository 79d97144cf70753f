"""Draws part of the samples where there are too many, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import MUTED, NOTE
from mlx.plots.text import plural, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlx.core.array_types import Integers


def evenly_spaced(n: int, limit: int) -> Integers:
    """Return at most `limit` of ``0 … n − 1``, evenly spaced, with the first and the last."""
    if n <= limit:
        return np.arange(n)
    return np.linspace(0, n - 1, limit).round().astype(np.intp)


def note_thinned(ax: Axes, drawn: int, n: int, *, pad: float | None = None) -> None:
    """Write above the panel how many of `n` points are drawn, where that is not all of them."""
    if drawn < n:
        note = f"{thousands(drawn)} of {plural(n, 'point')} drawn"
        ax.set_title(note, loc="right", fontsize=NOTE, fontweight="normal", color=MUTED, pad=pad)
