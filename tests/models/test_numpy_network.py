"""The written-out network computes what Keras computes, and its gradients are those of its loss."""

from typing import Any

import numpy as np
import pytest

from mlx.core.errors import ArtifactError
from mlx.models.in_numpy.heads import LOSSES, OUTPUT_ACTIVATIONS, class_logits, target_table
from mlx.models.in_numpy.network import ACTIVATIONS, Network
from mlx.models.in_numpy.optimizers import OPTIMIZERS, Adam, Optimizer, build_optimizer
from mlx.models.in_numpy.trainer import Limits, Trainer

RATE = 2.0**-7  # the same number in single precision, in which Keras keeps it


def network_of(activation: str, sizes: tuple[int, ...] = (5, 7, 4, 3)) -> Network:
    network = Network(sizes, activation)
    network.initialize(np.random.default_rng(1))
    network.parameters += np.random.default_rng(2).normal(0, 0.1, len(network.parameters))  # biases too
    return network


def problem(output: str, m: int = 11) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X (m, 5), targets (m, 3) that suit the output, sample weights (m,)."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(m, 5))
    if output == "none":
        return X, rng.normal(size=(m, 3)), rng.uniform(0.5, 2, m)
    return X, target_table(output, 3, 0.1)[rng.integers(0, 3, m)], rng.uniform(0.5, 2, m)


def learner_of(network: Network, output: str, **options: Any) -> Trainer:
    return Trainer(network, output, build_optimizer("sgd", len(network.parameters), RATE), **options)


@pytest.mark.parametrize("output", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_the_loss_by_finite_differences(activation: str, output: str) -> None:
    network = network_of(activation)
    X, targets, weights = problem(output)
    trainer = learner_of(network, output, l2=0.01)

    def loss() -> float:
        (logits,) = network.run(X)
        return float((weights * LOSSES[output](logits, targets)[0]).mean()) + trainer.penalty()

    trainer.differentiate(X, targets, weights)
    analytic, numeric, h = trainer.gradient.copy(), np.empty(len(network.parameters)), 1e-5
    for i in range(len(numeric)):
        kept = network.parameters[i]
        values = []
        for step in (h, -h):
            network.parameters[i] = kept + step
            values.append(loss())
        network.parameters[i] = kept
        numeric[i] = (values[0] - values[1]) / (2 * h)
    assert np.abs(analytic - numeric).max() <= 1e-6 * np.abs(numeric).max()


@pytest.fixture
def keras_in_double() -> Any:
    import keras

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield keras
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@pytest.mark.slow
@pytest.mark.parametrize("output", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_outputs_and_gradients_are_those_of_keras(activation: str, output: str, keras_in_double: Any) -> None:
    import tensorflow as tf

    keras, network = keras_in_double, network_of(activation)
    X, targets, weights = problem(output)
    layers = [keras.layers.Dense(w, activation=activation) for w in network.sizes[1:-1]]
    theirs = keras.Sequential([keras.Input((5,)), *layers, keras.layers.Dense(3)])
    pairs = zip(network.weights, network.biases, strict=True)
    theirs.set_weights([array for pair in pairs for array in pair])
    loss = {
        "none": keras.losses.MeanSquaredError(),
        "sigmoid": keras.losses.BinaryCrossentropy(from_logits=True),
        "softmax": keras.losses.CategoricalCrossentropy(from_logits=True),
    }[output]
    with tf.GradientTape() as tape:
        logits = theirs(X)
        value = loss(targets, logits, sample_weight=weights)
    expected = np.concatenate([np.ravel(g) for g in tape.gradient(value, theirs.trainable_variables)])
    trainer = learner_of(network, output)
    losses, ours = trainer.differentiate(X, targets, weights)
    np.testing.assert_allclose(losses.mean(), float(value), rtol=1e-12)
    np.testing.assert_allclose(ours, logits, atol=1e-13)
    np.testing.assert_allclose(trainer.gradient, expected, atol=1e-14)
    known = np.array(keras.activations.get(None if output == "none" else output)(logits))
    np.testing.assert_allclose(OUTPUT_ACTIVATIONS[output](ours), known, atol=1e-14)


@pytest.mark.slow  # imports TensorFlow
@pytest.mark.parametrize(
    ("name", "options"),
    [(name, options) for name in OPTIMIZERS for options in ({}, {"weight_decay": 2.0**-6})]
    + [("sgd", {"momentum": 0.875}), ("sgd", {"momentum": 0.5, "weight_decay": 0.25})],
    ids=str,
)
def test_optimizers_take_the_steps_of_keras(
    name: str, options: dict[str, float], keras_in_double: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras = keras_in_double
    # Keras raises its betas to a power after rounding them to single precision; these two are not changed by that.
    monkeypatch.setattr(Adam, "beta_1", 0.875)
    monkeypatch.setattr(Adam, "beta_2", 1 - 2.0**-10)
    betas = {"beta_1": Adam.beta_1, "beta_2": Adam.beta_2} if name.startswith("adam") else {}
    config = {"learning_rate": RATE, "weight_decay": 0.0} | betas | options
    theirs = keras.optimizers.get({"class_name": name, "config": config})
    np.testing.assert_allclose(*trajectories(keras, theirs, build_optimizer(name, 50, RATE, **options)), rtol=1e-11)


@pytest.mark.slow  # imports TensorFlow
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_constants_of_the_optimizers_are_those_of_keras(name: str, keras_in_double: Any) -> None:
    theirs = keras_in_double.optimizers.get(
        {"class_name": name, "config": {"learning_rate": RATE, "weight_decay": 0.0}}
    )
    ours, known = trajectories(keras_in_double, theirs, build_optimizer(name, 50, RATE))
    np.testing.assert_allclose(ours, known, atol=1e-4 * RATE)


def trajectories(keras: Any, theirs: Any, ours: Optimizer) -> tuple[np.ndarray, np.ndarray]:
    """Where both optimizers come to on the same 30 gradients, (30, 50)."""
    rng = np.random.default_rng(0)
    parameters, paths = rng.normal(size=50), ([], [])
    variable = keras.Variable(parameters)
    for step in range(30):
        gradient = rng.normal(size=50) * 10.0 ** rng.integers(-4, 3, 50)
        if step == 20:
            ours.learning_rate, theirs.learning_rate = RATE / 4, RATE / 4
        ours.step(parameters, gradient)
        theirs.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        paths[0].append(parameters.copy())
        paths[1].append(variable.numpy())
    return np.array(paths[0]), np.array(paths[1])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_on_from_its_state(name: str) -> None:
    rng = np.random.default_rng(0)
    first, second = (build_optimizer(name, 6, 0.1, momentum=0.9) for _ in range(2))
    theta, gradients = rng.normal(size=6), rng.normal(size=(8, 6))
    for gradient in gradients[:4]:
        first.step(theta, gradient)
    resumed = theta.copy()
    second.set_state(first.state())
    for gradient in gradients[4:]:
        first.step(theta, gradient)
        second.step(resumed, gradient)
    np.testing.assert_array_equal(theta, resumed)
    with pytest.raises(ArtifactError, match="optimizer: expected state of shapes .* found"):
        second.set_state({"n_steps": np.array(1)})


def test_limits_hold_for_gradients_and_parameters() -> None:
    network = network_of("relu")
    X, targets, _ = problem("none")
    before = network.parameters.copy()
    trainer = learner_of(network, "none", limits=Limits(gradient=0.01, gradient_norm=0.02, parameters=0.3))
    trainer.step(1e6 * X, targets)
    assert np.linalg.norm(trainer.gradient) == pytest.approx(0.02)
    assert np.abs(network.parameters).max() == 0.3
    untouched = np.abs(before) < 0.2
    np.testing.assert_allclose(network.parameters[untouched], (before - RATE * trainer.gradient)[untouched], atol=1e-15)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_initial_weights_have_the_variance_of_he_or_xavier(activation: str) -> None:
    network = Network((400, 300, 200), activation)
    network.initialize(np.random.default_rng(0))
    expected = [2 / 400 if activation == "relu" else 2 / 700, 2 / 500]
    assert [float(w.var()) for w in network.weights] == pytest.approx(expected, rel=0.02)
    assert not any(bias.any() for bias in network.biases)


def test_no_sum_overflows_an_activation_or_a_loss() -> None:
    for activation in ACTIVATIONS:
        network = network_of(activation)
        for output in ("sigmoid", "softmax"):
            X, targets, _ = problem(output)
            losses, logits = learner_of(network, output).differentiate(1e6 * X, targets)
            assert np.isfinite(losses).all()
            probabilities = OUTPUT_ACTIVATIONS[output](1e6 * logits)
            assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_a_sample_has_the_same_bits_in_any_batch() -> None:
    rng = np.random.default_rng(0)
    for sizes in ((64, 128, 64, 10), (5, 1), (784, 33, 7, 3), (3, 257, 2)):
        network = Network(sizes, "relu")
        network.initialize(rng)
        X = rng.normal(size=(300, sizes[0]))
        (whole,) = network.run(X)
        for first, last in ((0, 1), (7, 8), (3, 70), (255, 300), (17, 290)):
            np.testing.assert_array_equal(network.run(X[first:last])[0], whole[first:last])


def test_classes_by_sigmoids_have_logits_whose_softmax_are_their_probabilities() -> None:
    z = np.random.default_rng(0).normal(0, 5, (20, 3))
    against_rest = OUTPUT_ACTIVATIONS["sigmoid"](z)
    found = OUTPUT_ACTIVATIONS["softmax"](class_logits("sigmoid", z))
    np.testing.assert_allclose(found, against_rest / against_rest.sum(axis=1, keepdims=True), atol=1e-14)
    binary = OUTPUT_ACTIVATIONS["softmax"](class_logits("sigmoid", z[:, :1]))
    np.testing.assert_allclose(binary[:, 1:], OUTPUT_ACTIVATIONS["sigmoid"](z[:, :1]), atol=1e-15)
