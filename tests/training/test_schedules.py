"""Learning rates are Keras's, step by step; what is said of them in the configuration is checked."""

from typing import Any

import numpy as np
import pytest

from mlx.models.in_keras.runtime import keras
from mlx.training.schedules import SCHEDULES, Plateau, PlateauParams, Schedule
from mlx.training.settings import TrainingSettings

BATCHES = 7


def rates(schedule: str, epochs: int, warmup: int = 0, **numbers: Any) -> list[float]:
    params = {"schedule": schedule, "schedule_params": numbers, "warmup_epochs": warmup}
    made = TrainingSettings.model_validate({"epochs": epochs, "learning_rate": 0.5, "params": params}).schedule()
    return [made.rate(epoch, batch, BATCHES, Plateau()) for epoch in range(epochs) for batch in range(BATCHES)]


@pytest.mark.slow  # imports TensorFlow
def test_cosine_and_its_warm_up_are_those_of_keras() -> None:
    oracle = keras().optimizers.schedules.CosineDecay(
        0.0, decay_steps=6 * BATCHES, alpha=0.1, warmup_target=0.5, warmup_steps=2 * BATCHES
    )
    expected = [float(oracle(step)) for step in range(8 * BATCHES)]
    np.testing.assert_allclose(rates("cosine", 8, warmup=2, alpha=0.1), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.slow  # imports TensorFlow
def test_step_is_the_staircase_of_keras() -> None:
    oracle = keras().optimizers.schedules.ExponentialDecay(0.5, decay_steps=3 * BATCHES, decay_rate=0.3, staircase=True)
    expected = [float(oracle(step)) for step in range(10 * BATCHES)]
    np.testing.assert_allclose(rates("step", 10, decay_epochs=3, decay_rate=0.3), expected, rtol=1e-6)
    np.testing.assert_array_equal(rates("step", 10)[: 9 * BATCHES], 0.5)


@pytest.mark.slow  # imports TensorFlow
@pytest.mark.parametrize("cooldown", [0, 1, 3])
@pytest.mark.parametrize("patience", [1, 2, 3])
def test_plateau_drops_when_keras_does(patience: int, cooldown: int) -> None:
    numbers: dict[str, Any] = {
        "factor": 0.5, "patience": patience, "min_delta": 0.05, "cooldown": cooldown, "min_lr": 0.03,
    }  # fmt: skip
    losses = (2 + np.cumsum(np.random.default_rng(patience).normal(-0.02, 0.1, 60))).tolist()
    module = keras()
    model = module.Sequential([module.Input((1,)), module.layers.Dense(1)])
    model.compile(module.optimizers.SGD(0.5), loss="mse")
    oracle = module.callbacks.ReduceLROnPlateau(**numbers)
    oracle.set_model(model)
    oracle.on_train_begin()
    oracle.monitor_op = np.less
    oracle._is_improvement = lambda current, best: current < best - numbers["min_delta"]
    oracle.best = np.inf

    schedule = Schedule(0.5, PlateauParams(**numbers), 0, 60)
    state = Plateau()
    for epoch, loss in enumerate(losses):
        oracle.on_epoch_end(epoch, {"val_loss": loss})
        state = schedule.after(epoch, loss, state)
        assert schedule.rate(epoch + 1, 3, BATCHES, state) == pytest.approx(float(model.optimizer.learning_rate))
    assert state.drops > 2


def test_without_schedule_the_rate_stays_after_the_warm_up() -> None:
    found = rates("none", 3, warmup=1)
    np.testing.assert_allclose(found, [0.5 * step / BATCHES for step in range(BATCHES)] + [0.5] * 2 * BATCHES)


def test_the_warm_up_is_not_counted_as_a_plateau() -> None:
    schedule = Schedule(0.5, PlateauParams(patience=1), 2, 9)
    assert schedule.after(1, 3.0, Plateau()) == Plateau()
    assert schedule.after(2, 3.0, Plateau()) == Plateau(best=3.0)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_keeps_to_positive_rates_of_at_most_the_one_set(name: str) -> None:
    found = np.array(rates(name, 50))
    assert (found > 0).all()
    assert (found <= 0.5).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"schedule": "cosin"}, "expected one of cosine, none, plateau, step, found 'cosin'; did you mean 'cosine'"),
        ({"schedule": "step", "schedule_params": {"alpha": 0.1}}, "alpha"),
        ({"schedule_params": {"alpha": 0.1}}, "alpha"),
        ({"warmup_epochs": 10}, "expected warmup_epochs below training.epochs, which is 10, found 10"),
        ({"class_weights": "even"}, "class_weights"),
        ({"clip_norm": 0}, "clip_norm"),
        ({"augmentation": {"rotate": 1}}, "rotate"),
    ],
)
def test_what_can_not_be_is_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingSettings.model_validate({"params": params})
