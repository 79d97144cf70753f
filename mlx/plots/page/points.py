"""Which samples the linked views of the page hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.thinning import evenly_spaced

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlx.core.array_types import Integers

MOST_POINTS = 200_000
"""A browser selects and draws so many in a fraction of a second."""

WRONG_SHARE = 0.5
"""Of the samples of a thinned page, so many may be wrong predictions: those are what one looks for."""


def choose_points(samples: DataFrame, *, task: str, limit: int = MOST_POINTS) -> Integers:
    """Rows of `samples` (positions, increasing) that the page holds: all of them up to `limit`.

    Beyond it, a classifier's wrong predictions, evenly thinned to at most half of `limit`, and other samples
    evenly spread over the table; of a regression the largest half by absolute residual, likewise.
    """
    n = len(samples)
    if n <= limit:
        return np.arange(n)
    most = int(limit * WRONG_SHARE)
    if task == "classification":
        wrong = np.flatnonzero(~samples["correct"].to_numpy(bool))
        wrong = wrong[evenly_spaced(len(wrong), most)]
    else:
        size = np.nan_to_num(np.abs(samples["residual"].to_numpy(float)))
        wrong = np.sort(np.argsort(-size, kind="stable")[:most])
    others = np.setdiff1d(np.arange(n), wrong if task == "regression" else _all_wrong(samples))
    return np.sort(np.concatenate([wrong, others[evenly_spaced(len(others), limit - len(wrong))]]))


def _all_wrong(samples: DataFrame) -> Integers:
    return np.flatnonzero(~samples["correct"].to_numpy(bool))
