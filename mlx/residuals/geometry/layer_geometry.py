"""The shape of a layer as results: spread of classes, dimension, and alignment with other layers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.geometry.cka import align
from mlx.residuals.geometry.collapse import neural_collapse
from mlx.residuals.geometry.dimension import intrinsic_dimension
from mlx.residuals.similarity.directions import Representation
from mlx.results.questions import Question, Statistic
from mlx.results.tests import TestResult
from mlx.stats.interval import NAN, Interval
from mlx.stats.status import OK, Reason

FILLED_BYTES = 1 << 28
"""Largest sparse layer that is filled with its zeros for what takes dense ones only."""

COLLAPSE = (Statistic.NC1, Statistic.NC2_NORMS, Statistic.NC2_ANGLES, Statistic.NC2_SIMPLEX, Statistic.NC4)
"""What is measured of neural collapse; nc3 needs the weights of the last layer, which are not recorded."""

DIMENSION = (Question.INTRINSIC_DIMENSION, Statistic.TWONN)
BAND = "band over all, halves and quarters of the samples; no confidence interval"


def geometry_of(
    layer: str,
    representation: Representation,
    silhouette: Floats,
    y_true: Integers,
    y_pred: Integers,
    *,
    seed: int,
) -> list[TestResult]:
    """Mean silhouette, neural collapse and intrinsic dimension of one layer; they describe, and test nothing.

    Parameters
    ----------
    layer, representation
        The layer, (n_samples, n_features).
    silhouette
        (n_samples,), NaN where undefined.
    y_true, y_pred
        (n_samples,), labels.
    seed
        Of the parts into which the intrinsic dimension splits the samples.
    """
    n = y_true.size
    found = [_silhouette(silhouette, layer)]
    dense = filled(representation)
    if dense is None:
        status = Reason.TOO_LARGE_TO_FILL(FILLED_BYTES >> 20)
        asked = [(Question.NEURAL_COLLAPSE, statistic) for statistic in COLLAPSE] + [DIMENSION]
        return found + [TestResult(question=q, layer=layer, statistic=s, n=n, status=status) for q, s in asked]
    collapse = neural_collapse(dense, y_true, y_pred)
    for statistic in COLLAPSE:
        value = getattr(collapse, statistic)
        status = OK if np.isfinite(value) else collapse.status
        test = TestResult(question=Question.NEURAL_COLLAPSE, layer=layer, statistic=statistic, n=n, status=status)
        found.append(replace(test, estimate=value))
    return [*found, _dimension(dense, layer, seed)]


def _silhouette(silhouette: Floats, layer: str) -> TestResult:
    known = silhouette[~np.isnan(silhouette)]
    mean, status = (float(known.mean()), OK) if known.size else (np.nan, Reason.ONE_PREDICTED_CLASS())
    asked = TestResult(question=Question.SILHOUETTE, layer=layer, statistic=Statistic.MEAN, n=known.size)
    return replace(asked, estimate=mean, status=status)


def _dimension(dense: Scores, layer: str, seed: int) -> TestResult:
    found = intrinsic_dimension(dense, seed=seed)
    question, statistic = DIMENSION
    asked = TestResult(question=question, layer=layer, statistic=statistic, n=found.n, seed=seed, status=found.status)
    asked = replace(asked, estimate=found.scales[0] if found.scales else NAN)
    return asked if np.isnan(found.low) else asked.with_interval(Interval(found.low, found.high, NAN, BAND))


def alignments(representations: Mapping[str, Representation], *, map: OrderedMap = in_order) -> list[TestResult]:
    """Debiased CKA of every two layers."""
    results, names = [], list(representations)
    for (one, other), found in align(list(representations.values()), map=map).items():
        asked = TestResult(
            question=Question.ALIGNMENT,
            layer=f"{names[one]}, {names[other]}",
            statistic=Statistic.DEBIASED_CKA,
            n=found.n,
        )
        results.append(replace(asked, estimate=found.cka, status=found.status))
    return results


def filled(representation: Representation) -> Any:
    """Return a layer as dense rows; None for a sparse one of more than `FILLED_BYTES` when filled."""
    if not sparse.issparse(representation):
        return representation
    size = representation.shape[0] * representation.shape[1] * 8
    return representation.toarray() if size <= FILLED_BYTES else None
