"""Images that stand beside others: of the samples in a small matrix, and of mistakes beside their class."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.images import RESIDUALS_SHOWN
from mlx.plots.inputs import CONFIDENTLY_WRONG, ReportInputs
from mlx.plots.matrix import THUMBNAILS_UP_TO

if TYPE_CHECKING:
    from mlx.core.array_types import Array, Floats

MEAN_OF = 200
"""Images that a class's mean is taken of: its blur changes no more with further ones."""


def with_compared_images(inputs: ReportInputs, X: Array) -> ReportInputs:
    """Add images beside a small similarity matrix, and those that are compared with the class they were taken for.

    Parameters
    ----------
    inputs : ReportInputs
        With its cards chosen, and the labels of all rows of `X` as ``targets``.
    X : ndarray, shape (n, h, w, c)
        All raw samples, which the column ``index`` of the samples counts; may be memory-mapped.
    """
    s = inputs.samples
    if inputs.overview is not None and 0 < len(inputs.overview) <= THUMBNAILS_UP_TO:
        shown = s.loc[s["overview"] >= 0].sort_values("overview")["index"]
        inputs = replace(inputs, overview_images=np.asarray(X[shown.to_numpy()]))
    if inputs.card_rows is None or inputs.targets is None:
        return inputs
    sure = np.array([group == CONFIDENTLY_WRONG for group in inputs.card_groups], bool)
    rows = inputs.card_rows[sure][:RESIDUALS_SHOWN]
    if not len(rows):
        return inputs
    means = [_mean_image(X, inputs.targets, int(label)) for label in s["y_pred"].iloc[rows]]
    found = np.asarray(X[s["index"].to_numpy()[rows]])
    return replace(inputs, residual_rows=rows, residual_images=found, residual_references=np.stack(means))


def _mean_image(X: Array, targets: Array, label: int) -> Floats:
    own = np.flatnonzero(targets == label)[:MEAN_OF]
    if not len(own):
        return np.zeros(X.shape[1:], np.float64)
    return np.asarray(np.asarray(X[own]).mean(axis=0, dtype=np.float64), np.float64)
