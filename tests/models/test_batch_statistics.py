"""After an epoch BatchNorm knows the mean and variance that its inputs have under the weights of that moment."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mlx.models import Optimization, TaskSpec
from mlx.models.in_keras import batch_statistics
from mlx.models.in_keras.custom import wrapped
from mlx.models.in_keras.runtime import keras

pytestmark = pytest.mark.slow

TASK_SPEC = TaskSpec("classification", (6,), 2)
X = np.random.default_rng(0).normal(3, 2, size=(144, 6)).astype(np.float32)
Y = (X[:, 0] > 3).astype(np.int64)


def batches(size: int = 16) -> Iterator[tuple[Any, Any]]:
    for first in range(0, len(Y), size):
        yield X[first : first + size], Y[first : first + size]


def network(**options: Any) -> Any:
    """Two normalized layers; the second one in a network within the network."""
    layers = keras().layers
    keras().utils.set_random_seed(1)
    inner = keras().Sequential([
        keras().Input((5,)), layers.BatchNormalization(name="second", **options), layers.ReLU(),
    ])  # fmt: skip
    sample = keras().Input((6,))
    tensor = layers.BatchNormalization(name="first", **options)(layers.Dense(5, name="dense")(sample))
    return keras().Model(sample, layers.Dense(2, name="output")(inner(layers.Dense(5, name="other")(tensor)))), inner


def trained(made: Any, rate: float = 0.1, epochs: int = 1) -> Any:
    model: Any = wrapped(made, TASK_SPEC, "own.py:f")
    model.expect_few_steps()
    model._statistics.compiled = True  # as after many steps, which alone are not compiled here
    model.prepare(Optimization("adam", rate))
    for epoch in range(epochs):
        model.run_epoch(batches(), np.random.default_rng(epoch))
    return model


def standardised(values: Any, layer: Any) -> Any:
    scaled = (values - values.mean(axis=0)) / np.sqrt(values.var(axis=0) + layer.epsilon)
    return scaled * layer.gamma.numpy() + layer.beta.numpy()


@pytest.mark.parametrize("momentum", [0.0, 0.9, 0.99])
@pytest.mark.parametrize("batch", [256, 40])
def test_mean_and_variance_are_those_of_the_last_weights(
    momentum: float, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_statistics, "BATCH", batch)
    made, inner = network(momentum=momentum)
    trained(made)
    first, second = made.get_layer("first"), inner.get_layer("second")
    values = X.astype(np.float64) @ made.get_layer("dense").kernel.numpy() + made.get_layer("dense").bias.numpy()
    np.testing.assert_allclose(first.moving_mean, values.mean(axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(first.moving_variance, values.var(axis=0), rtol=1e-4)
    if batch == 256:  # of smaller batches the second layer sees each standardised by itself
        other = made.get_layer("other")
        values = standardised(values, first) @ other.kernel.numpy() + other.bias.numpy()
        np.testing.assert_allclose(second.moving_mean, values.mean(axis=0), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(second.moving_variance, values.var(axis=0), rtol=1e-4)
    assert first.momentum == second.momentum == momentum


def test_what_fits_its_training_batches_fits_them_after_the_epoch_as_well() -> None:
    """Keras's own averages, after ten steps at the default momentum, are still almost those of the start."""
    model = trained(network()[0], rate=0.05, epochs=3)
    assert model.evaluate(batches())["loss"] < 0.5 * np.log(2)
    assert model.evaluate(batches())["accuracy"] > 0.9


@pytest.mark.parametrize("frozen", [{"trainable": False}, {"momentum": 1.0}])
def test_a_layer_that_does_not_move_keeps_its_statistics(frozen: dict[str, Any]) -> None:
    made, inner = network(**frozen)
    trained(made)
    for layer in (made.get_layer("first"), inner.get_layer("second")):
        np.testing.assert_array_equal(layer.moving_mean, 0)
        np.testing.assert_array_equal(layer.moving_variance, 1)


def test_a_thousand_samples_are_enough_and_large_ones_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = wrapped(network()[0], TASK_SPEC, "own.py:f")._statistics  # type: ignore[attr-defined]
    many = [(np.full((100, 6), i, np.float32), None) for i in range(30)]
    assert len(list(statistics.recorded(many))) == 30
    assert [int(part[0, 0]) for part in statistics._recent] == list(range(19, 30))
    monkeypatch.setattr(batch_statistics, "MOST_BYTES", 150 * 24)
    list(statistics.recorded(many))
    assert [int(part[0, 0]) for part in statistics._recent] == [28, 29]
