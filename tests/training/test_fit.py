"""Training stops when it should, keeps the best weights, and is a function of its seed."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlx.core.errors import DataError, SettingsError
from mlx.models import Epoch, IterativeModel, ModelSettings, Optimization, Outputs, TaskSpec, build_model
from mlx.training import Samples, TrainingSettings, fit_model

Array = Any


class Scripted(IterativeModel):
    """A model whose validation loss follows a script, and whose weight is the number of its epochs."""

    tasks = frozenset({"classification"})
    training_fields = frozenset()
    layers = ()
    penultimate = ""
    n_parameters = n_activations = 1

    def __init__(self, losses: list[float]) -> None:
        self.task_spec = TaskSpec("classification", (1,), 2)
        self.losses, self.epoch, self.seen = losses, 0, list[Array]()

    def prepare(self, optimization: Optimization) -> None: ...

    def set_learning_rate(self, rate: float) -> None: ...

    def run_epoch(self, batches: Iterable[tuple[Array, Array]], rng: np.random.Generator) -> Epoch:
        self.seen.append([X[:, 0].tolist() for X, _ in batches])
        self.epoch += 1
        return Epoch({"loss": self.losses[self.epoch - 1], "accuracy": 0.5})

    def evaluate(self, batches: Iterable[tuple[Array, Array]]) -> dict[str, float]:
        return {"loss": self.losses[self.epoch - 1], "accuracy": 0.5}

    def weights(self) -> list[Array]:
        return [np.array(self.epoch)]

    def set_weights(self, weights: list[Array]) -> None:
        self.epoch = int(weights[0])

    def state(self) -> dict[str, Array]:
        return {"epoch": np.array(self.epoch)}

    def set_state(self, state: Mapping[str, Array]) -> None:
        self.epoch = int(state["epoch"])

    def outputs(self, X: Array, layers: Any = ()) -> Outputs:
        raise AssertionError

    def save(self, folder: Path) -> None: ...

    def restore(self, folder: Path) -> None: ...


class Log:
    def __init__(self) -> None:
        self.batches, self.epochs = 0, list[int]()

    def begin(self, history: Any) -> None:
        assert history == ()

    def batch(self) -> None:
        self.batches += 1

    def epoch(self, number: int, metrics: dict[str, float]) -> None:
        assert set(metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}
        self.epochs.append(number)


DATA = Samples(np.arange(10.0)[:, None], np.zeros(10, np.int64))


def run(losses: list[float], **settings: Any) -> tuple[Scripted, Any, Log]:
    model, log = Scripted(losses), Log()
    fitted = fit_model(model, DATA, DATA, TrainingSettings(batch_size=4, **settings), log)
    return model, fitted, log


def test_it_stops_after_patience_and_goes_back_to_the_best_epoch() -> None:
    model, fitted, log = run([3, 2, 1, 2, 1, 1, 9, 9], epochs=8, early_stopping_patience=3)
    assert len(fitted.history) == 6
    assert fitted.best_epoch == 3
    assert fitted.best["val_loss"] == 1
    assert model.epoch == 3
    assert log.epochs == [1, 2, 3, 4, 5, 6]
    assert log.batches == 6 * 3


def test_the_best_epoch_is_kept_when_the_epochs_run_out_first() -> None:
    model, fitted, _ = run([3, 1, 2], epochs=3, early_stopping_patience=5)
    assert (len(fitted.history), fitted.best_epoch, model.epoch) == (3, 2, 2)


def test_without_patience_all_epochs_are_trained_and_the_last_is_kept() -> None:
    model, fitted, _ = run([3, 1, 2], epochs=3)
    assert (len(fitted.history), fitted.best_epoch, model.epoch) == (3, 3, 3)


def test_every_epoch_sees_each_sample_once_in_an_order_of_its_own() -> None:
    model, _, _ = run([1, 1, 1], epochs=3, seed=5)
    again, _, _ = run([1, 1, 1], epochs=3, seed=5)
    other, _, _ = run([1, 1, 1], epochs=3, seed=6)
    assert model.seen == again.seen != other.seen
    assert model.seen[0] != model.seen[1]
    for batches in model.seen:
        assert [len(batch) for batch in batches] == [4, 4, 2]
        assert sorted(value for batch in batches for value in batch) == list(range(10))


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_ends_the_training_with_its_epoch(loss: float) -> None:
    with pytest.raises(SettingsError, match=r"expected a finite training loss, found (nan|inf) in epoch 2"):
        run([1, loss, 1], epochs=3)


def test_a_finite_loss_far_beyond_that_of_the_untrained_model_ends_the_training_too() -> None:
    # Untrained, the script gives its last loss.
    with pytest.raises(SettingsError, match=r"1000 times .* untrained model, which is 2, found 2001 in epoch 2; lower"):
        run([1, 2001, 2], epochs=3)
    assert run([1, 2000, 2], epochs=3)[1].best_epoch == 3
    assert run([1, 2001, 0], epochs=3)[1].best_epoch == 3  # nothing to compare with


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["linear_regression", "random_forest", "mlp"])
def test_targets_whose_squares_overflow_are_refused_with_what_helps(name: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)).astype(np.float32)
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=40)
    for unit in (1e200, 1.0):  # what the message says helps
        model = build_model(ModelSettings(name=name), TaskSpec("regression", (3,), 0), seed=0)
        samples, settings = Samples(X, y * unit), TrainingSettings(epochs=1)
        if unit == 1.0:
            fit_model(model, samples, samples, settings, Mute())
            continue
        with pytest.raises(DataError, match="squares of errors .* divide the target by a constant") as refused:
            fit_model(model, samples, samples, settings, Mute())
        assert "learning_rate" not in str(refused.value)


class Mute:
    def begin(self, history: Any) -> None: ...

    def batch(self) -> None: ...

    def epoch(self, number: int, metrics: dict[str, float]) -> None: ...
