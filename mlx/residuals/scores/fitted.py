"""The scores of one layer that are fitted on the training samples, computed of the test and validation samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap
from mlx.core.scale import safe_exponent
from mlx.residuals.geometry.layer_geometry import filled
from mlx.residuals.parts import OtherParts, RecordedPart
from mlx.residuals.predictions import Predictions
from mlx.residuals.scores.geometry import GEOMETRY, Training
from mlx.residuals.scores.layer_part import LayerPart
from mlx.residuals.similarity.directions import Representation
from mlx.stats.status import Reason, Status

MOST_FEATURES = 4096
"""Widest layer whose covariance is decomposed."""


@dataclass(frozen=True)
class FittedScore:
    """A score that was fitted on the training samples.

    Attributes
    ----------
    test
        (n_samples,), of the test samples.
    val
        (n_validation,), None where no validation samples are recorded.
    """

    test: Floats
    val: Floats | None


def fitted_scores(
    layer: str, representation: Representation, predictions: Predictions, others: OtherParts, map: OrderedMap
) -> Mapping[str, FittedScore | Status]:
    """Fit every score of `GEOMETRY` and compute it; in place of one that can't be fitted, say why.

    Parameters
    ----------
    layer, representation
        The layer, (n_samples, n_features) of the test samples.
    predictions
        Of the test samples, whose true labels are not read.
    others
        Training samples, which the scores are fitted on, and validation samples.
    """
    train, val = others.train, others.val
    if train is None:
        return dict.fromkeys(GEOMETRY, Reason.NOT_RECORDED("training"))
    recorded = {"test": representation, "train": train.layers[layer]} | (
        {} if val is None else {"val": val.layers[layer]}
    )
    if representation.shape[1] > MOST_FEATURES:
        return dict.fromkeys(GEOMETRY, Reason.TOO_WIDE(MOST_FEATURES))
    dense = {split: filled(values) for split, values in recorded.items()}
    if any(values is None for values in dense.values()):
        return dict.fromkeys(GEOMETRY, Reason.TOO_WIDE(MOST_FEATURES))
    exponent = safe_exponent(values[rows] for values in dense.values() for rows in row_blocks(*values.shape))
    last = others.last_layer if others.last_layer is not None and others.last_layer.layer == layer else None
    training = Training(_part(train, dense["train"], exponent), len(predictions.class_names), last, map)
    # Scores are of what the model says: the labels of the samples that they are computed of are not passed on.
    test = LayerPart(dense["test"], predictions.logits, predictions.y_pred, predictions.y_pred, exponent)
    beside = None if val is None else _part(val, dense["val"], exponent)
    found: dict[str, FittedScore | Status] = {}
    for name, fit in GEOMETRY.items():
        score = fit(training)
        if isinstance(score, Status):
            found[name] = score
        else:
            found[name] = FittedScore(score(test), None if beside is None else score(beside))
    return found


def _part(part: RecordedPart, values: Any, exponent: int) -> LayerPart:
    return LayerPart(values, part.logits, np.asarray(part.y_true), np.asarray(part.y_pred), exponent)
