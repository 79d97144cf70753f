"""The progress of a training: all, beside the model's state, that its next epoch depends on."""

from dataclasses import dataclass, field, replace

from mlx.core.array_types import Array
from mlx.models import Epoch, IterativeModel
from mlx.training.dynamics import Dynamics
from mlx.training.schedules import Plateau, Schedule
from mlx.training.settings import TrainingSettings

EpochMetrics = dict[str, float]
"""Loss and accuracy of one epoch on the training samples, and with the prefix ``val_`` on the validation samples."""


@dataclass(frozen=True)
class Progress:
    """The progress of a training between two epochs.

    Attributes
    ----------
    history
        The metrics of each epoch so far.
    plateau
        The state of the learning rate schedule.
    best
        The epoch, from 1, with the lowest validation loss; 0 before the first one.
    best_weights
        The weights after it if the training restores them at the end; else empty.
    dynamics
        How each training sample was learned; None for a regression.
    """

    history: tuple[EpochMetrics, ...] = ()
    plateau: Plateau = field(default_factory=Plateau)
    best: int = 0
    best_weights: list[Array] = field(default_factory=list)
    dynamics: Dynamics | None = None

    @property
    def epoch(self) -> int:
        """How many epochs have ended."""
        return len(self.history)

    def ended(self, settings: TrainingSettings) -> bool:
        """Whether all epochs are trained, or early stopping ends the training."""
        patience = settings.early_stopping_patience
        return self.epoch >= settings.epochs or (patience is not None and self.epoch - self.best >= patience)

    def after(self, epoch: Epoch, model: IterativeModel, schedule: Schedule, *, keep_best: bool) -> "Progress":
        """Return the progress after one more `epoch`, whose outcomes are of the samples in order.

        The `model` is as the epoch left it. With `keep_best`, the weights are copied if they are the best so far.
        """
        metrics, outcomes = epoch.metrics, epoch.outcomes
        plateau, dynamics = schedule.after(self.epoch, metrics["val_loss"], self.plateau), self.dynamics
        if outcomes is not None:
            dynamics = (dynamics or Dynamics.before(len(outcomes.correct))).after(outcomes)
        extended = replace(self, history=(*self.history, metrics), plateau=plateau, dynamics=dynamics)
        if self.best and metrics["val_loss"] >= self.history[self.best - 1]["val_loss"]:
            return extended
        return replace(extended, best=extended.epoch, best_weights=model.weights() if keep_best else [])
