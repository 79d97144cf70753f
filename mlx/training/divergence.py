"""Notices that a training has diverged: its loss is no number any more, or far beyond where it began."""

import math
from collections.abc import Container

from mlx.core.errors import DataError
from mlx.training.progress import Epoch

FAR = 1000.0
"""How many times the loss of the untrained model is beyond any good training.

With a learning rate of 1000, small networks reach 10 million times that in their first epoch and then stay
at hundreds; with 1, a spike of a few hundred times is what some come back from. A network in float32 may
never reach infinity, as its gradients vanish first.
"""


def divergence(reached: Epoch, start: float, when: str) -> str | None:
    """Say in what way the losses of an epoch show that the training has diverged; None where they don't.

    Parameters
    ----------
    start : the loss of the untrained model; 0 or infinity where nothing can be compared with it.
    when : names the epoch.
    """
    for name, key in (("training", "loss"), ("validation", "val_loss")):
        if not math.isfinite(reached[key]):
            return f"expected a finite {name} loss, found {reached[key]} in {when}"
        if 0 < FAR * start < reached[key]:
            return (
                f"expected a {name} loss of less than {FAR:.0f} times that of the untrained model, which is "
                f"{start:.4g}, found {reached[key]:.4g} in {when}"
            )
    return None


def refuse_divergence(reached: Epoch, start: float, when: str, *, rate: str) -> None:
    """Raise where `divergence` has something to say.

    Parameters
    ----------
    rate : the key of the learning rate.

    Raises
    ------
    DataError
        Names the loss and the epoch.
    """
    if found := divergence(reached, start, when):
        raise DataError(f"training: {found}; lower {rate}, or scale the data (preprocessing.scaling)")


def rate_of(fields: Container[str]) -> str:
    """Return the key of a model's learning rate, which uses `fields` of the training: its own may stand before that."""
    own = "model.params.optimizer_config.learning_rate"
    return "training.learning_rate" if "learning_rate" in fields else own


def check_overflow(reached: Epoch) -> None:
    """Raise where a loss that no learning rate led to, of an untrained model or of a fit in one go, is not finite.

    Raises
    ------
    DataError
        Names the loss, and what to change.
    """
    for name, key in (("training", "loss"), ("validation", "val_loss")):
        value = reached.get(key, 0.0)
        if math.isinf(value):
            raise DataError(
                f"training: expected a finite {name} loss, found {value}: the squares of errors this large are beyond "
                "the largest number; divide the target by a constant in the data, or scale the inputs "
                "(preprocessing.scaling: standard)"
            )
        if math.isnan(value):
            raise DataError(
                f"training: expected a finite {name} loss, found {value}: the model's outputs are no numbers; "
                "scale the data (preprocessing.scaling: standard)"
            )
