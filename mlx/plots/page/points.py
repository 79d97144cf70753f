"""Which samples the linked views of the page hold, and the numbers of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.thinning import evenly_spaced

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlx.core.array_types import Array, Integers

MOST_POINTS = 3000
"""With their images, so many samples fit into the size that a page may have, and a browser draws them at once."""

WRONG_SHARE = 0.5
"""Of the samples of a thinned page, so many may be wrong predictions: those are what one looks for."""

PROJECTIONS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
"""Columns ``<kind>_1``, ``<kind>_2`` of the table of samples, and what the kind is called."""

COLUMNS = {
    "classification": ("index", "y_true", "y_pred", "correct", "confidence", "entropy", "similarity", "margin"),
    "regression": ("index", "y_true", "y_pred", "residual", "standardised", "leverage"),
}


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


def point_columns(samples: DataFrame, *, task: str) -> dict[str, Array]:
    """The numbers of each sample, shape (n_points,) each, in the types that a browser has.

    Columns that hold nothing are left out. Of a projection both axes are there, or none.
    """
    coordinates = [f"{kind}_{axis}" for kind in PROJECTIONS for axis in (1, 2)]
    found: dict[str, Array] = {}
    for name in (*COLUMNS[task], *coordinates):
        if name not in samples:
            continue
        values = samples[name].to_numpy()
        if values.dtype.kind in "iub" or (task == "classification" and name in {"y_true", "y_pred"}):
            found[name] = values.astype(np.int32)
        elif np.isfinite(values.astype(float)).any():
            with np.errstate(over="ignore"):  # a browser draws no number beyond those of single precision
                found[name] = values.astype(np.float32)
    return found


def projections_of(columns: dict[str, Array]) -> list[str]:
    """The kinds of projection whose two axes are there."""
    return [kind for kind in PROJECTIONS if f"{kind}_1" in columns and f"{kind}_2" in columns]
