"""The learning rate of every step: a pure function of the settings, the step, and how the validation loss went."""

import math
from dataclasses import dataclass, replace

from pydantic import Field

from mlx.core.settings import Settings


class ConstantParams(Settings):
    """The learning rate stays what it is; there is nothing to choose."""


class CosineParams(Settings):
    """Half a wave of the cosine from the learning rate down, over all steps after the warm-up.

    Attributes
    ----------
    alpha : the share of the learning rate that is left at the end, as in Keras's ``CosineDecay``.
    """

    alpha: float = Field(0.0, ge=0, le=1)


class StepParams(Settings):
    """A drop every few epochs after the warm-up, as in Keras's ``ExponentialDecay`` with ``staircase``.

    Attributes
    ----------
    decay_epochs : from one drop to the next.
    decay_rate : factor of a drop.
    """

    decay_epochs: int = Field(10, ge=1)
    decay_rate: float = Field(0.1, gt=0, le=1)


class PlateauParams(Settings):
    """A drop when the validation loss stands still, as in Keras's ``ReduceLROnPlateau``.

    Attributes
    ----------
    factor : of a drop.
    patience : epochs without improvement before a drop.
    min_delta : least fall of the validation loss that counts as improvement.
    cooldown : epochs after a drop that are not counted.
    min_lr : the learning rate never drops below it.
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


@dataclass(frozen=True)
class Plateau:
    """What the schedule ``plateau`` remembers from epoch to epoch.

    Attributes
    ----------
    drops : how often the rate was lowered.
    best : lowest validation loss so far, None before the first epoch.
    wait : epochs since then, or since the last drop.
    cooldown : epochs that are still not counted.
    """

    drops: int = 0
    best: float | None = None
    wait: int = 0
    cooldown: int = 0

    def after(self, val_loss: float, params: PlateauParams) -> "Plateau":
        """Return what is remembered after an epoch that reached `val_loss`."""
        cooldown = max(0, self.cooldown - 1)
        wait = 0 if self.cooldown else self.wait
        if self.best is None or val_loss < self.best - params.min_delta:
            return replace(self, best=val_loss, wait=0, cooldown=cooldown)
        if cooldown:
            return replace(self, wait=wait, cooldown=cooldown)
        if wait + 1 < params.patience:
            return replace(self, wait=wait + 1, cooldown=0)
        return replace(self, drops=self.drops + 1, wait=0, cooldown=params.cooldown)


@dataclass(frozen=True)
class Schedule:
    """How large each step of a training is.

    Attributes
    ----------
    learning_rate : the rate after the warm-up, before any decay.
    params : which schedule, with its numbers; one of `SCHEDULES`.
    warmup_epochs : over which the rate rises in a line from 0.
    epochs : of the whole training, the warm-up included.
    """

    learning_rate: float
    params: Settings
    warmup_epochs: int
    epochs: int

    def rate(self, epoch: int, batch: int, batches: int, plateau: Plateau) -> float:
        """Return the learning rate of a step.

        Parameters
        ----------
        epoch, batch : where the step is, both counted from 0.
        batches : steps of an epoch.
        plateau : what `after` returned when the epoch before ended.
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
        """Return what is remembered when `epoch` (from 0) ended with `val_loss`; the warm-up is not counted."""
        if isinstance(self.params, PlateauParams) and epoch >= self.warmup_epochs:
            return plateau.after(val_loss, self.params)
        return plateau
