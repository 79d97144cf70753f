"""The shape of a layer in rows of the test table: spread of classes, dimension, and likeness to other layers."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.residuals.geometry.cka import debiased_cka
from mlx.residuals.geometry.collapse import neural_collapse
from mlx.residuals.geometry.dimension import intrinsic_dimension
from mlx.residuals.layers.records import test_row
from mlx.residuals.similarity.directions import Representation
from mlx.residuals.tables import Record

FILLED_BYTES = 1 << 28
"""Largest sparse layer that is filled with its zeros for what takes dense ones only."""

COLLAPSE = ("nc1", "nc2_norms", "nc2_angles", "nc2_simplex", "nc4")
"""What is measured of neural collapse; nc3 needs the weights of the last layer, which are not recorded."""


def geometry_rows(
    layer_name: str,
    representation: Representation,
    silhouette: Floats,
    y_true: Integers,
    y_pred: Integers,
    *,
    seed: int,
) -> list[Record]:
    """Mean silhouette, neural collapse and intrinsic dimension of one layer; they describe, and test nothing.

    Parameters
    ----------
    layer_name, representation
        The layer, (n_samples, n_features).
    silhouette
        (n_samples,), NaN where undefined.
    y_true, y_pred
        (n_samples,), labels.
    seed
        Of the parts into which the intrinsic dimension splits the samples.
    """
    known = silhouette[~np.isnan(silhouette)]
    mean, status = (float(known.mean()), "ok") if known.size else (np.nan, "fewer than two predicted classes")
    about = {"scope": "all samples", "layer": layer_name}
    rows = [test_row("silhouette of predicted classes", "mean", status, estimate=mean, n=known.size, **about)]
    rows_filled = filled(representation)
    if rows_filled is None:
        status = f"sparse layer of more than {FILLED_BYTES >> 20} MiB when filled"
        names = [("neural collapse", statistic) for statistic in COLLAPSE] + [("intrinsic dimension", "twonn")]
        return rows + [test_row(name, statistic, status, n=y_true.size, **about) for name, statistic in names]
    collapse = neural_collapse(rows_filled, y_true, y_pred)
    for statistic in COLLAPSE:
        value = getattr(collapse, statistic)
        status = "ok" if np.isfinite(value) else collapse.status
        rows.append(test_row("neural collapse", statistic, status, estimate=value, n=y_true.size, **about))
    dimension = intrinsic_dimension(rows_filled, seed=seed)
    rows.append(
        test_row(
            "intrinsic dimension",
            "twonn",
            dimension.status,
            estimate=dimension.scales[0] if dimension.scales else np.nan,
            low=dimension.low,
            high=dimension.high,
            method="band over all, halves and quarters of the samples; no confidence interval",
            n=dimension.n,
            seed=seed,
            **about,
        )
    )
    return rows


def alignment_rows(representations: Mapping[str, Representation]) -> list[Record]:
    """Debiased CKA of every two layers."""
    rows = []
    for (one, x), (other, y) in combinations(representations.items(), 2):
        found = debiased_cka(x, y)
        about: dict[str, Any] = {"scope": "all samples", "layer": f"{one}, {other}", "n": found.n}
        rows.append(test_row("alignment of layers", "debiased_cka", found.status, estimate=found.cka, **about))
    return rows


def filled(representation: Representation) -> Any:
    """Return a layer as dense rows; None for a sparse one of more than `FILLED_BYTES` when filled."""
    if not sparse.issparse(representation):
        return representation
    size = representation.shape[0] * representation.shape[1] * 8
    return representation.toarray() if size <= FILLED_BYTES else None
