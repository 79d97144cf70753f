"""One way to train every model, whether it is fitted in one go or epoch by epoch."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mlx.core.arrays import rows_of
from mlx.core.errors import DataError
from mlx.models import DirectModel, IterativeModel, Model, Optimization
from mlx.training.augment import Augmentation
from mlx.training.settings import TrainingSettings

Array = npt.NDArray[Any]
Epoch = dict[str, float]
"""What one epoch reached: loss and accuracy on train, and the same with ``val_`` before."""

EVALUATION_BATCH = 256  # nothing is learnt from these, so they may be larger than training's


@dataclass(frozen=True)
class Samples:
    """A part of the data: ``X`` (n, *sample_shape), which may be memory-mapped, and ``y`` (n,)."""

    X: Array
    y: Array

    def batches(self, size: int, order: Array | None = None) -> Iterator[tuple[Array, Array]]:
        """Yield batches of `size` rows (the last may be smaller), in `order` where one is given."""
        for first in range(0, len(self.y), size):
            rows: Any = slice(first, first + size) if order is None else order[first : first + size]
            yield np.asarray(self.X[rows]), np.asarray(self.y[rows])


class Watcher(Protocol):
    """Is told how a training goes on."""

    def batch(self) -> None:
        """A step was taken."""

    def epoch(self, number: int, reached: Epoch) -> None:
        """Epoch `number` (from 1) ended."""


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
    watcher: Watcher,
    *,
    augmentation: Augmentation | None = None,
) -> Fitted:
    """Fit `model` to `train`, watching `val`.

    Parameters
    ----------
    augmentation : changes each training batch anew; a model that is fitted in one go has none.

    Raises
    ------
    DataError
        The loss stopped being a finite number: says the epoch.
    """
    if isinstance(model, DirectModel):
        model.fit(np.asarray(train.X), np.asarray(train.y), seed=settings.seed)
        reached = _loss_of(model, train) | {f"val_{k}": v for k, v in _loss_of(model, val).items()}
        _refuse_divergence(reached, "the fit")
        return Fitted((reached,), 1)
    assert isinstance(model, IterativeModel)
    model.prepare(Optimization(settings.optimizer, settings.learning_rate))
    return _fit_by_epochs(model, train, val, settings, watcher, augmentation)


def _fit_by_epochs(
    model: IterativeModel,
    train: Samples,
    val: Samples,
    settings: TrainingSettings,
    watcher: Watcher,
    augmentation: Augmentation | None,
) -> Fitted:
    history: list[Epoch] = []
    best, best_weights = 0, model.weights()
    patience = settings.early_stopping_patience
    for number in range(1, settings.epochs + 1):
        batches = _training_batches(train, settings, number, augmentation)
        history.append(_epoch(model, batches, val, settings, number, watcher.batch))
        watcher.epoch(number, history[-1])
        if patience is None:
            best = number
        elif best == 0 or history[-1]["val_loss"] < history[best - 1]["val_loss"]:
            best, best_weights = number, model.weights()
        elif number - best >= patience:
            break
    if patience is not None and best < len(history):
        model.set_weights(best_weights)
    return Fitted(tuple(history), best)


def _training_batches(
    train: Samples, settings: TrainingSettings, number: int, augmentation: Augmentation | None
) -> Iterator[tuple[Array, Array]]:
    """Yield the batches of epoch `number`.

    All that is random depends on seed and epoch alone, so that epoch 7 is epoch 7 however it was come to.
    """
    order = np.random.default_rng([settings.seed, number]).permutation(len(train.y))
    changes = np.random.default_rng([settings.seed, number, 1])
    for X, y in train.batches(settings.batch_size, order):
        yield (X if augmentation is None else augmentation.apply(X, changes)), y


def _epoch(
    model: IterativeModel,
    batches: Iterator[tuple[Array, Array]],
    val: Samples,
    settings: TrainingSettings,
    number: int,
    on_batch: Callable[[], None],
) -> Epoch:
    def counted() -> Iterator[tuple[Array, Array]]:
        for batch in batches:
            yield batch
            on_batch()

    reached = model.run_epoch(counted(), np.random.default_rng([settings.seed, number, 2]))
    validation = model.evaluate(val.batches(max(settings.batch_size, EVALUATION_BATCH)))
    reached |= {f"val_{name}": value for name, value in validation.items()}
    _refuse_divergence(reached, f"epoch {number}")
    return reached


def _refuse_divergence(reached: Epoch, when: str) -> None:
    for name, key in (("training", "loss"), ("validation", "val_loss")):
        if not math.isfinite(reached[key]):
            raise DataError(
                f"training: expected a finite {name} loss, found {reached[key]} in {when}; "
                "lower training.learning_rate, or scale the data (preprocessing.scaling)"
            )


def _loss_of(model: DirectModel, samples: Samples) -> Epoch:
    """Mean log loss (nats) and accuracy, or mean squared error for regression, block by block."""
    losses, hits = 0.0, 0.0
    for X, y in samples.batches(rows_of(samples.X[:1].nbytes)):
        outputs = model.outputs(X)
        if outputs.probabilities is None:
            losses += float(((y - outputs.predictions) ** 2).sum())
            continue
        p = outputs.probabilities[np.arange(len(y)), y]
        losses -= float(np.log(np.maximum(p, np.finfo(np.float64).tiny)).sum())
        hits += float((outputs.predictions == y).sum())
    n = len(samples.y)
    return {"loss": losses / n} | ({"accuracy": hits / n} if model.problem.n_classes else {})
