"""Fits every model, in closed form or epoch by epoch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import rows_of
from mlx.core.errors import SettingsError
from mlx.core.log_scores import log_of
from mlx.core.streams import epoch_stream
from mlx.models import DirectModel, Epoch, IterativeModel, Model
from mlx.training.augment import Augmentation
from mlx.training.divergence import check_overflow, divergence, learning_rate_key
from mlx.training.dynamics import Dynamics
from mlx.training.optimization import optimization_of
from mlx.training.progress import EpochMetrics, Progress
from mlx.training.samples import Samples
from mlx.training.settings import TrainingSettings

FEW_STEPS = 20
"""Compiling a network takes longer than a training of at most so many steps, such as that of a dry run."""

EVALUATION_BATCH = 256  # no gradients are computed, so batches may be larger than in training


class Callback(Protocol):
    """Receives training-progress events."""

    def begin(self, history: tuple[EpochMetrics, ...]) -> None:
        """The training starts, or resumes after the epochs of `history`."""

    def batch(self) -> None:
        """A step was taken."""

    def epoch(self, number: int, metrics: EpochMetrics) -> None:
        """Epoch `number` (from 1) ended."""


@dataclass(frozen=True)
class Callbacks:
    """Passes each event on to several callbacks."""

    all: tuple[Callback, ...]

    def begin(self, history: tuple[EpochMetrics, ...]) -> None:
        """Pass it on."""
        for callback in self.all:
            callback.begin(history)

    def batch(self) -> None:
        """Pass it on."""
        for callback in self.all:
            callback.batch()

    def epoch(self, number: int, metrics: EpochMetrics) -> None:
        """Pass it on."""
        for callback in self.all:
            callback.epoch(number, metrics)


class CheckpointStore(Protocol):
    """Stores the state from which a killed training resumes."""

    def restore(self, model: IterativeModel) -> Progress:
        """Load the latest state into `model`, and return its progress."""

    def save(self, model: IterativeModel, progress: Progress) -> None:
        """Store the state after an epoch."""

    def record_divergence(self, epoch: int, metrics: EpochMetrics) -> None:
        """Record that the training diverged in `epoch` (from 1)."""


@dataclass(frozen=True)
class FitResult:
    """The course of a training.

    Attributes
    ----------
    history
        The metrics of each epoch, in order; one entry for a model that is fitted all at once, none for one that was
        fitted elsewhere.
    best_epoch
        The epoch, from 1, whose weights the model has; 0 without any.
    dynamics
        How each training sample was learned; None for a regression, and for a model that is fitted all at once.
    """

    history: tuple[EpochMetrics, ...]
    best_epoch: int
    dynamics: Dynamics | None = None

    @property
    def best(self) -> EpochMetrics:
        """The metrics of `best_epoch`."""
        return self.history[self.best_epoch - 1] if self.history else {}


def fit_model(
    model: Model,
    train: Samples,
    val: Samples,
    settings: TrainingSettings,
    callback: Callback,
    *,
    augmentation: Augmentation | None = None,
    checkpoints: CheckpointStore | None = None,
) -> FitResult:
    """Fit `model` to `train`, and evaluate it on `val`.

    The `augmentation` changes each training batch at random; it has no effect on a model that is fitted all at once.
    With `checkpoints`, a training by epochs resumes where a killed one stopped.

    Raises
    ------
    SettingsError
        The training diverged: names the epoch and the loss.
    DataError
        A loss is not finite although no gradient step led to it.
    """
    if isinstance(model, DirectModel) and model.inference_only:
        return FitResult((), 0)
    if isinstance(model, DirectModel):
        model.fit(np.asarray(train.X), np.asarray(train.y), seed=settings.seed)
        metrics = _metrics_of(model, train) | {f"val_{k}": v for k, v in _metrics_of(model, val).items()}
        if model.task_spec.n_classes == 0 or any(map(math.isnan, metrics.values())):
            check_overflow(metrics, train.y)
        result = FitResult((metrics,), 1)
    else:
        assert isinstance(model, IterativeModel)
        result = _Training(model, train, val, settings, callback, augmentation or Augmentation(), checkpoints).run()
    if model.task_spec.n_classes == 0:
        model.measure_fit(train.X, train.y)
    return result


@dataclass(frozen=True)
class _Training:
    """The arguments of `fit_model` for a model that is trained by epochs."""

    model: IterativeModel
    train: Samples
    val: Samples
    settings: TrainingSettings
    callback: Callback
    augmentation: Augmentation
    checkpoints: CheckpointStore | None

    def run(self) -> FitResult:
        if self.settings.epochs * math.ceil(len(self.train.y) / self.settings.batch_size) <= FEW_STEPS:
            self.model.expect_few_steps()
        self.model.prepare(optimization_of(self.settings, self.model.task_spec, self.train.y))
        start = self._evaluate()["loss"]
        if self.model.task_spec.n_classes == 0:
            check_overflow({"val_loss": start}, self.train.y)
        progress = self.checkpoints.restore(self.model) if self.checkpoints else Progress()
        self.callback.begin(progress.history)
        restores_best = self.settings.early_stopping_patience is not None
        while not progress.ended(self.settings):
            epoch = self._epoch(progress, start)
            progress = progress.after(epoch, self.model, self.settings.schedule(), keep_best=restores_best)
            self.callback.epoch(progress.epoch, epoch.metrics)
            if self.checkpoints:
                self.checkpoints.save(self.model, progress)
        if restores_best and progress.best < progress.epoch:
            self.model.set_weights(progress.best_weights)
        best = progress.best if restores_best else progress.epoch
        return FitResult(progress.history, best, progress.dynamics)

    def _epoch(self, before: Progress, start: float) -> Epoch:
        """Run the epoch after `before`; return its metrics with those of validation, and the outcomes by sample."""
        number, seed = before.epoch + 1, self.settings.seed
        order = epoch_stream(seed, number).permutation(len(self.train.y))
        epoch = self.model.run_epoch(self._batches(before, order), epoch_stream(seed, number, 2))
        metrics = epoch.metrics | {f"val_{name}": value for name, value in self._evaluate().items()}
        if diverged := divergence(metrics, start, f"epoch {number}"):
            if self.checkpoints:
                self.checkpoints.record_divergence(number, metrics)
            key = learning_rate_key(self.model.training_fields)
            advice = f"lower {key}, or scale the data (preprocessing.scaling)"
            raise SettingsError(f"{diverged}; {advice}", key=tuple(key.split(".")))
        return Epoch(metrics, epoch.outcomes and epoch.outcomes.sorted_by(order))

    def _evaluate(self) -> EpochMetrics:
        return self.model.evaluate(self.val.batches(max(self.settings.batch_size, EVALUATION_BATCH)))

    def _batches(self, before: Progress, order: Array) -> Iterator[tuple[Array, Array]]:
        """Yield the batches of the epoch after `before`, whose samples are in `order`; set the learning rate for each.

        Random numbers depend on seed and epoch alone, so that a resumed training repeats an epoch exactly.
        """
        seed, size, schedule = self.settings.seed, self.settings.batch_size, self.settings.schedule()
        n = len(self.train.y)
        rng = epoch_stream(seed, before.epoch + 1, 1)
        rate = None
        for i, (X, y) in enumerate(self.train.batches(size, order)):
            if (new := schedule.rate(before.epoch, i, math.ceil(n / size), before.plateau)) != rate:
                rate = new
                self.model.set_learning_rate(rate)
            yield (self.augmentation.apply(X, rng) if self.augmentation else X), y
            self.callback.batch()


def _metrics_of(model: DirectModel, samples: Samples) -> EpochMetrics:
    """Mean log loss (nats) and accuracy, or mean squared error for regression, block by block.

    The log loss is infinite where the probability of a true class is 0, which forests return; this is no divergence.
    """
    losses, hits = 0.0, 0.0
    for X, y in samples.batches(rows_of(samples.X[:1].nbytes)):
        outputs = model.outputs(X)
        if outputs.probabilities is None:
            with np.errstate(over="ignore", invalid="ignore"):  # the caller checks that the sum is finite
                losses += float(((y - outputs.predictions) ** 2).sum())
            continue
        p = outputs.probabilities[np.arange(len(y)), y]
        losses += float(-log_of(np.asarray(p, dtype=np.float64)).sum())
        hits += float((outputs.predictions == y).sum())
    n = len(samples.y)
    return {"loss": losses / n} | ({"accuracy": hits / n} if model.task_spec.n_classes else {})
