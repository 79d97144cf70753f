"""The learning rate of every step, a pure function of the settings, the step and the validation losses so far."""

import math
from dataclasses import dataclass

from pydantic import Field

from mlx.core.settings import Settings


class ConstantParams(Settings):
    """A constant learning rate, without parameters."""


class CosineParams(Settings):
    """A half cosine from the learning rate down, over all steps after the warm-up.

    Attributes
    ----------
    alpha
        The share of the learning rate at the end, as in Keras's ``CosineDecay``.
    """

    alpha: float = Field(0.0, ge=0, le=1)


class StepParams(Settings):
    """A drop every few epochs after the warm-up, as in Keras's ``ExponentialDecay`` with ``staircase``.

    Attributes
    ----------
    decay_epochs
        From one drop to the next.
    decay_rate
        Factor of a drop.
    """

    decay_epochs: int = Field(10, ge=1)
    decay_rate: float = Field(0.1, gt=0, le=1)


class PlateauParams(Settings):
    """A drop when the validation loss does not improve, as in Keras's ``ReduceLROnPlateau``.

    Attributes
    ----------
    factor
        Of a drop.
    patience
        Epochs without improvement before a drop.
    min_delta
        Smallest decrease of the validation loss that counts as an improvement.
    cooldown
        Epochs after a drop that do not count.
    min_lr
        Lower bound of the learning rate.
    """

    factor: float = Field(0.1, gt=0, lt=1)
    patience: int = Field(10, ge=1)
    min_delta: float = Field(1e-4, ge=0)
    cooldown: int = Field(0, ge=0)
    min_lr: float = Field(0.0, ge=0)


SCHEDULES: dict[str, type[Settings]] = {
    "none": ConstantParams,
    "cosine": CosineParams,
    "step": StepParams,
    "plateau": PlateauParams,
}
"""Each schedule's name and the schema of its `schedule_params`."""


class Plateau(Settings):
    """The state of the schedule ``plateau`` between two epochs.

    Attributes
    ----------
    drops
        How often the rate was reduced.
    best
        Lowest validation loss so far, None before the first epoch.
    wait
        Epochs since then, or since the last drop.
    cooldown
        Epochs that still do not count.
    """

    drops: int = Field(0, ge=0)
    best: float | None = None
    wait: int = Field(0, ge=0)
    cooldown: int = Field(0, ge=0)

    def after(self, val_loss: float, params: PlateauParams) -> "Plateau":
        """Return the state after an epoch with the validation loss `val_loss`."""
        cooldown = max(0, self.cooldown - 1)
        wait = 0 if self.cooldown else self.wait
        if self.best is None or val_loss < self.best - params.min_delta:
            return self._with(best=val_loss, wait=0, cooldown=cooldown)
        if cooldown:
            return self._with(wait=wait, cooldown=cooldown)
        if wait + 1 < params.patience:
            return self._with(wait=wait + 1, cooldown=0)
        return self._with(drops=self.drops + 1, wait=0, cooldown=params.cooldown)

    def _with(self, **changes: float) -> "Plateau":
        return self.model_copy(update=changes)


@dataclass(frozen=True)
class Schedule:
    """The learning rate of each step of a training.

    Attributes
    ----------
    learning_rate
        The rate after the warm-up, before any decay.
    params
        Of the schedule; an instance of one of `SCHEDULES`, which selects it.
    warmup_epochs
        Over which the rate rises linearly from 0.
    epochs
        Of the whole training, including the warm-up.
    """

    learning_rate: float
    params: Settings
    warmup_epochs: int
    epochs: int

    def rate(self, epoch: int, batch: int, batches: int, plateau: Plateau) -> float:
        """Return the learning rate of a step.

        Parameters
        ----------
        epoch, batch
            Position of the step, both counted from 0.
        batches
            Steps in an epoch.
        plateau
            The state that `after` returned for the previous epoch.
        """
        if epoch < self.warmup_epochs:
            return self.learning_rate * (epoch * batches + batch) / (self.warmup_epochs * batches)
        past = epoch - self.warmup_epochs
        match self.params:
            case CosineParams(alpha=alpha):
                share = (past * batches + batch) / ((self.epochs - self.warmup_epochs) * batches)
                return self.learning_rate * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * share)) + alpha)
            case StepParams(decay_epochs=decay_epochs, decay_rate=decay_rate):
                return self.learning_rate * decay_rate ** (past // decay_epochs)
            case PlateauParams(factor=factor, min_lr=min_lr):
                return max(self.learning_rate * factor**plateau.drops, min(min_lr, self.learning_rate))
        return self.learning_rate

    def after(self, epoch: int, val_loss: float, plateau: Plateau) -> Plateau:
        """Return the state after `epoch` (from 0) ended with `val_loss`; epochs of the warm-up do not count."""
        if isinstance(self.params, PlateauParams) and epoch >= self.warmup_epochs:
            return plateau.after(val_loss, self.params)
        return plateau
