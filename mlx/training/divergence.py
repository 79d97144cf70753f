"""Detects divergence: a loss that is not finite, or far above that of the untrained model."""

import math
from collections.abc import Container

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.core.scale import SAFE, exponent_of
from mlx.training.progress import EpochMetrics

DIVERGENCE_FACTOR = 1000.0
"""A loss of more than this many times that of the untrained model counts as divergence.

With a learning rate of 1000, small networks reach 10 million times that loss in their first epoch and then stay
at hundreds; with 1, some recover from a spike of a few hundred times. A network in float32 may never reach
infinity, as its gradients vanish first.
"""

_LOSSES = (("training", "loss"), ("validation", "val_loss"))


def divergence(metrics: EpochMetrics, start: float, when: str) -> str | None:
    """Describe how the losses of an epoch show divergence; None if they do not.

    The loss of the untrained model is `start`; 0 and infinity switch the comparison with it off. The epoch is named by
    `when`.
    """
    for name, key in _LOSSES:
        if not math.isfinite(metrics[key]):
            return f"expected a finite {name} loss, found {metrics[key]} in {when}"
        if 0 < DIVERGENCE_FACTOR * start < metrics[key]:
            return (
                f"expected a {name} loss of less than {DIVERGENCE_FACTOR:.0f} times that of the untrained model, "
                f"which is {start:.4g}, found {metrics[key]:.4g} in {when}"
            )
    return None


def learning_rate_key(fields: Container[str]) -> str:
    """Return the configuration key of a model's learning rate.

    The `fields` are the model's `training_fields`, without ``learning_rate`` if its own parameters override it.
    """
    own = "model.params.optimizer_config.learning_rate"
    return "training.learning_rate" if "learning_rate" in fields else own


def check_overflow(metrics: EpochMetrics, y: Array) -> None:
    """Reject a loss that is not finite although no gradient step led to it; ``y`` (n,) are the training targets.

    Raises
    ------
    DataError
        Names the loss, and what to change.
    """
    remedy = "scale the inputs (preprocessing.scaling: standard)"
    if exponent_of(y) >= SAFE[1]:
        remedy = "divide the target by a constant in the data"
    for name, key in _LOSSES:
        value = metrics.get(key, 0.0)
        if math.isinf(value):
            raise DataError(
                f"training: expected a finite {name} loss, found {value}: the squares of errors this large are beyond "
                f"the largest number; {remedy}"
            )
        if math.isnan(value):
            raise DataError(
                f"training: expected a finite {name} loss, found {value}: the outputs of the model are NaN; "
                "scale the data (preprocessing.scaling: standard)"
            )
