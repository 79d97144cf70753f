"""One way to train every model, whether it is fitted in one go or epoch by epoch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import rows_of
from mlx.core.log_scores import log_of
from mlx.models import DirectModel, IterativeModel, Model
from mlx.training.augment import Augmentation
from mlx.training.divergence import check_overflow, divergence, rate_of, refuse_divergence
from mlx.training.optimization import optimization_of
from mlx.training.progress import Epoch, Progress
from mlx.training.samples import Samples
from mlx.training.settings import TrainingSettings

EVALUATION_BATCH = 256  # nothing is learnt from these, so they may be larger than training's


class Callback(Protocol):
    """Is told how a training goes on."""

    def begin(self, history: tuple[Epoch, ...]) -> None:
        """It starts, or goes on after the epochs of `history`."""

    def batch(self) -> None:
        """A step was taken."""

    def epoch(self, number: int, reached: Epoch) -> None:
        """Epoch `number` (from 1) ended."""


@dataclass(frozen=True)
class Callbacks:
    """Several watchers that are told the same."""

    all: tuple[Callback, ...]

    def begin(self, history: tuple[Epoch, ...]) -> None:
        """Tell each."""
        for callback in self.all:
            callback.begin(history)

    def batch(self) -> None:
        """Tell each."""
        for callback in self.all:
            callback.batch()

    def epoch(self, number: int, reached: Epoch) -> None:
        """Tell each."""
        for callback in self.all:
            callback.epoch(number, reached)


class Keeper(Protocol):
    """Keeps what a training needs to go on after it was killed."""

    def restore(self, model: IterativeModel) -> Progress:
        """Put `model` where it was kept last, and return how far that was."""

    def keep(self, model: IterativeModel, progress: Progress) -> None:
        """An epoch ended: this is how far it has come."""

    def diverged(self, epoch: int, reached: Epoch) -> None:
        """Epoch `epoch` (from 1) ended with a loss that shows divergence."""


@dataclass(frozen=True)
class Fitted:
    """How a training went.

    Attributes
    ----------
    history : one entry an epoch, in order; one in all for a model that is fitted in one go.
    best_epoch : the epoch, from 1, whose weights the model has now.
    """

    history: tuple[Epoch, ...]
    best_epoch: int

    @property
    def best(self) -> Epoch:
        """What the kept epoch reached."""
        return self.history[self.best_epoch - 1]


def fit_model(
    model: Model,
    train: Samples,
    val: Samples,
    settings: TrainingSettings,
    callback: Callback,
    *,
    augmentation: Augmentation | None = None,
    keeper: Keeper | None = None,
) -> Fitted:
    """Fit `model` to `train`, watching `val`.

    Parameters
    ----------
    augmentation : changes each training batch anew; a model that is fitted in one go has none.
    keeper : lets a training by epochs continue where one that was killed had come to.

    Raises
    ------
    DataError
        The training diverged: says the epoch and the loss.
    """
    if isinstance(model, DirectModel):
        model.fit(np.asarray(train.X), np.asarray(train.y), seed=settings.seed)
        reached = _loss_of(model, train) | {f"val_{k}": v for k, v in _loss_of(model, val).items()}
        if model.task_spec.n_classes == 0 or any(map(math.isnan, reached.values())):
            check_overflow(reached)
        fitted = Fitted((reached,), 1)
    else:
        assert isinstance(model, IterativeModel)
        fitted = _Training(model, train, val, settings, callback, augmentation or Augmentation(), keeper).run()
    model.measure_fit(train.X, train.y)
    return fitted


@dataclass(frozen=True)
class _Training:
    """The arguments of `fit_model` for a model that is trained by epochs."""

    model: IterativeModel
    train: Samples
    val: Samples
    settings: TrainingSettings
    callback: Callback
    augmentation: Augmentation
    keeper: Keeper | None

    def run(self) -> Fitted:
        self.model.prepare(optimization_of(self.settings, self.model.task_spec, self.train.y))
        start = self._evaluate()["loss"]
        if self.model.task_spec.n_classes == 0:
            check_overflow({"val_loss": start})
        progress = self.keeper.restore(self.model) if self.keeper else Progress()
        self.callback.begin(progress.history)
        goes_back = self.settings.early_stopping_patience is not None
        while not progress.ended(self.settings):
            reached = self._epoch(progress, start)
            progress = progress.after(reached, self.model, self.settings.schedule(), goes_back=goes_back)
            self.callback.epoch(progress.epoch, reached)
            if self.keeper:
                self.keeper.keep(self.model, progress)
        kept = progress.best if goes_back else progress.epoch
        if kept < progress.epoch:
            self.model.set_weights(progress.best_weights)
        return Fitted(progress.history, kept)

    def _epoch(self, before: Progress, start: float) -> Epoch:
        number = before.epoch + 1
        reached = self.model.run_epoch(self._batches(before), np.random.default_rng([self.settings.seed, number, 2]))
        reached = reached | {f"val_{name}": value for name, value in self._evaluate().items()}
        if self.keeper and divergence(reached, start, f"epoch {number}"):
            self.keeper.diverged(number, reached)
        refuse_divergence(reached, start, f"epoch {number}", rate=rate_of(self.model.training_fields))
        return reached

    def _evaluate(self) -> Epoch:
        return self.model.evaluate(self.val.batches(max(self.settings.batch_size, EVALUATION_BATCH)))

    def _batches(self, before: Progress) -> Iterator[tuple[Array, Array]]:
        """Yield the batches of the epoch after `before`, and set the learning rate for each.

        All that is random depends on seed and epoch alone, so that epoch 7 is epoch 7 however it was come to.
        """
        seed, size, schedule = self.settings.seed, self.settings.batch_size, self.settings.schedule()
        n = len(self.train.y)
        order = np.random.default_rng([seed, before.epoch + 1]).permutation(n)
        changes = np.random.default_rng([seed, before.epoch + 1, 1])
        rate = None
        for i, (X, y) in enumerate(self.train.batches(size, order)):
            if (new := schedule.rate(before.epoch, i, math.ceil(n / size), before.plateau)) != rate:
                rate = new
                self.model.set_learning_rate(rate)
            yield (self.augmentation.apply(X, changes) if self.augmentation else X), y
            self.callback.batch()


def _loss_of(model: DirectModel, samples: Samples) -> Epoch:
    """Mean log loss (nats) and accuracy, or mean squared error for regression, block by block.

    The log loss is infinite where the probability of a true class is 0, as forests give it; that is no divergence.
    """
    losses, hits = 0.0, 0.0
    for X, y in samples.batches(rows_of(samples.X[:1].nbytes)):
        outputs = model.outputs(X)
        if outputs.probabilities is None:
            with np.errstate(over="ignore", invalid="ignore"):  # the caller looks at what is not finite
                losses += float(((y - outputs.predictions) ** 2).sum())
            continue
        p = outputs.probabilities[np.arange(len(y)), y]
        losses += float(-log_of(np.asarray(p, dtype=np.float64)).sum())
        hits += float((outputs.predictions == y).sum())
    n = len(samples.y)
    return {"loss": losses / n} | ({"accuracy": hits / n} if model.task_spec.n_classes else {})
