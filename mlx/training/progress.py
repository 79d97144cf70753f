"""How far a training has come: what, with the model's own state, its next epoch depends on."""

from dataclasses import dataclass, field, replace

from mlx.core.array_types import Array
from mlx.models import IterativeModel
from mlx.training.schedules import Plateau, Schedule
from mlx.training.settings import TrainingSettings

Epoch = dict[str, float]
"""What one epoch reached: loss and accuracy on train, and the same with ``val_`` before."""


@dataclass(frozen=True)
class Progress:
    """A training between two epochs.

    Attributes
    ----------
    history : what each epoch so far reached.
    plateau : what the schedule remembers.
    best : the epoch, from 1, with the lowest validation loss; 0 before the first one.
    best_weights : the weights after it, where the training goes back to them in the end; else empty.
    """

    history: tuple[Epoch, ...] = ()
    plateau: Plateau = field(default_factory=Plateau)
    best: int = 0
    best_weights: list[Array] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """How many epochs have ended."""
        return len(self.history)

    def ended(self, settings: TrainingSettings) -> bool:
        """Whether all epochs are trained, or the validation loss has not fallen for too long."""
        patience = settings.early_stopping_patience
        return self.epoch >= settings.epochs or (patience is not None and self.epoch - self.best >= patience)

    def after(self, reached: Epoch, model: IterativeModel, schedule: Schedule, *, goes_back: bool) -> "Progress":
        """Return how far it has come when one more epoch reached `reached` and left `model` as it is.

        Parameters
        ----------
        goes_back : whether the best weights will be put back, so that a copy of them is needed.
        """
        plateau = schedule.after(self.epoch, reached["val_loss"], self.plateau)
        grown = replace(self, history=(*self.history, reached), plateau=plateau)
        if self.best and reached["val_loss"] >= self.history[self.best - 1]["val_loss"]:
            return grown
        return replace(grown, best=grown.epoch, best_weights=model.weights() if goes_back else [])
