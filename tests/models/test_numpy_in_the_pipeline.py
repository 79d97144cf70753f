"""The NumPy models as the pipeline builds and trains them."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlx.core.errors import ArtifactError, SettingsError
from mlx.models import IterativeModel, ModelSettings, Optimization, TaskSpec, build_model
from mlx.models.in_numpy.network_model import NetworkModel

pytestmark = pytest.mark.slow

CLASSES = TaskSpec("classification", (4, 3, 1), 3)
VALUES = TaskSpec("regression", (5,), 0)


def built(task_spec: TaskSpec, start: int = 0, name: str = "mlp", **params: Any) -> NetworkModel:
    model = build_model(ModelSettings(name=name, params=params), task_spec, seed=start)
    assert isinstance(model, NetworkModel)
    return model


def batches(task_spec: TaskSpec, n: int = 50, size: int = 16, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, *task_spec.sample_shape)).astype(np.float32)
    first = X.reshape(n, -1)[:, 0]
    y = first.astype(np.float64) if task_spec.task == "regression" else np.digitize(first, [-0.5, 0.5])
    return [(X[i : i + size], y[i : i + size]) for i in range(0, n, size)]


def epochs(model: IterativeModel, number: int, task_spec: TaskSpec) -> list[dict[str, float]]:
    return [model.run_epoch(batches(task_spec), np.random.default_rng(0)).metrics for _ in range(number)]


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adamw"])
def test_a_training_goes_on_from_a_copied_state_to_the_same_bits(optimizer: str) -> None:
    optimization = Optimization(optimizer, 0.01, momentum=0.9, weight_decay=0.01, label_smoothing=0.1)
    whole, second = built(CLASSES), built(CLASSES, start=5)
    whole.prepare(optimization)
    second.prepare(optimization)
    epochs(whole, 2, CLASSES)
    state = {name: value.copy() for name, value in whole.state().items()}
    rest = epochs(whole, 2, CLASSES)
    second.set_state(state)
    assert epochs(second, 2, CLASSES) == rest
    np.testing.assert_array_equal(second.weights()[0], whole.weights()[0])
    with pytest.raises(ArtifactError, match=r"parameters: expected shape .*, found \(0,\)"):
        second.set_state({})


def test_a_seed_of_its_own_stands_before_that_of_the_training() -> None:
    a, b, c = (built(CLASSES, start, **params) for start, params in ((1, {"seed": 9}), (2, {"seed": 9}), (2, {})))
    np.testing.assert_array_equal(a.weights()[0], b.weights()[0])
    assert (b.weights()[0] != c.weights()[0]).any()


def test_layer_sizes_have_to_suit_the_data() -> None:
    assert built(CLASSES, layer_sizes=[12, 5, 3]).network.sizes == (12, 5, 3)
    assert built(CLASSES, hidden_layers=[]).network.sizes == (12, 3)
    assert built(CLASSES, hidden_layers=[]).layers == ("input",)
    assert built(VALUES, hidden_layers=[4, 2]).layers == ("hidden_1", "hidden_2")
    two = TaskSpec("classification", (5,), 2)
    assert built(two, output_activation="sigmoid").network.sizes == (5, 128, 64, 1)
    with pytest.raises(SettingsError, match=r"expected 12 at the input .* and 3 at the output .*found \[10, 5, 3\]"):
        built(CLASSES, layer_sizes=[10, 5, 3])
    with pytest.raises(SettingsError, match="expected softmax or sigmoid for classification, .* found none"):
        built(CLASSES, output_activation="none")
    with pytest.raises(SettingsError, match="expected none for regression, .* found softmax"):
        built(VALUES, output_activation="softmax")
    with pytest.raises(ValueError, match=r"either layer_sizes or hidden_layers, found both: \[12, 3\] and \[4\]"):
        built(CLASSES, layer_sizes=[12, 3], hidden_layers=[4])
    with pytest.raises(SettingsError, match=r"at most 250,000,000 weights, found 4,"):
        built(CLASSES, hidden_layers=[65536, 65536])


def test_an_optimizer_of_its_own_stands_before_that_of_the_training_and_keeps_its_ratio_to_a_schedule() -> None:
    own = built(VALUES, optimizer_config={"optimizer_type": "SGD", "learning_rate": 0.02, "momentum": 0.5})
    plain = built(VALUES)
    own.prepare(Optimization("adam", 0.001))
    plain.prepare(Optimization("sgd", 0.02, momentum=0.5))
    for factor in (1.0, 0.25):
        own.set_learning_rate(0.001 * factor)
        plain.set_learning_rate(0.02 * factor)
        epochs(own, 1, VALUES)
        epochs(plain, 1, VALUES)
    np.testing.assert_allclose(own.weights()[0], plain.weights()[0], rtol=1e-12)


def test_a_learning_rate_above_one_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"learning rate above 1 rarely converges, found 1\.5"):
        built(VALUES).prepare(Optimization("sgd", 1.5))


def test_weights_and_gradients_are_clipped_unless_that_is_off() -> None:
    for clip, largest in ((10.0, 10.0), (None, 1e3)):
        model = built(VALUES, gradient_clip=clip, weight_clip=clip, hidden_layers=[4])
        model.prepare(Optimization("sgd", 1.0))
        model.run_epoch([(np.full((2, 5), 1e3), np.full(2, 1e4))], np.random.default_rng(0))
        assert (np.abs(model.weights()[0]).max() <= largest) == (clip is not None)


def test_a_class_without_weight_is_not_learned_and_smoothing_raises_the_least_loss() -> None:
    seen = {}
    for name, options in {
        "plain": {},
        "weighted": {"class_weights": (1.0, 0.0, 1.0)},
        "smooth": {"label_smoothing": 0.3},
    }.items():
        model = built(CLASSES, hidden_layers=[16])
        model.prepare(Optimization("adam", 0.01, **options))
        epochs(model, 60, CLASSES)
        predictions = np.concatenate([model.outputs(X).predictions for X, _ in batches(CLASSES)])
        seen[name] = (predictions, model.evaluate(batches(CLASSES))["loss"])
    assert set(seen["plain"][0]) == {0, 1, 2}
    assert set(seen["weighted"][0]) == {0, 2}
    assert seen["smooth"][1] > seen["plain"][1] + 0.3


def test_descent_with_a_ridge_comes_to_the_closed_form() -> None:
    data = batches(VALUES, 48, 16)
    X, y = np.concatenate([X for X, _ in data]).astype(np.float64), np.concatenate([y for _, y in data])
    y = y + X @ np.arange(5.0) + 2
    model = built(VALUES, name="linear_regression", use_gradient_descent=True, l2_regularization=3.0)
    model.prepare(Optimization("sgd", 0.05, n_samples=48))
    for _ in range(3000):
        model.run_epoch([(X, y)], np.random.default_rng(0))
    centered = X - X.mean(axis=0)
    expected = np.linalg.solve(centered.T @ centered + 3 * np.eye(5), centered.T @ (y - y.mean()))
    np.testing.assert_allclose(model.network.weights[0][:, 0], expected, atol=1e-10)
    np.testing.assert_allclose(model.network.biases[0][0], y.mean() - X.mean(axis=0) @ expected, atol=1e-10)


def test_weights_that_claim_more_than_any_memory_are_refused(tmp_path: Path) -> None:
    model = built(VALUES, hidden_layers=[2])
    model.save(tmp_path)
    with zipfile.ZipFile(tmp_path / "weights.npz") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    shape, forged = b"'shape': (5, 2), ", b"'shape': (10**15, 2), "
    for claim in (b"'shape': (555555555555, 2), ", b"'shape': (5555555555555555555555, 2), ", forged):
        with zipfile.ZipFile(tmp_path / "weights.npz", "w") as archive:
            for name, content in entries.items():
                longer = content.replace(shape, claim, 1).replace(b" " * (len(claim) - len(shape)), b"", 1)
                archive.writestr(name, longer if name == "weight_1.npy" else content)
        with pytest.raises(ArtifactError, match=r"weights\.npz: expected a checkpoint .* found a damaged"):
            model.restore(tmp_path)


def test_a_regression_may_have_hidden_layers_and_a_two_class_problem_one_sigmoid() -> None:
    two = TaskSpec("classification", (6,), 2)
    for task_spec, params in (
        (VALUES, {}),
        (two, {"output_activation": "sigmoid"}),
        (CLASSES, {"output_activation": "sigmoid"}),
    ):
        model = built(task_spec, hidden_layers=[16], **params)
        model.prepare(Optimization("adam", 0.02))
        data = [
            (X, np.minimum(y, max(task_spec.n_classes - 1, 0)) if task_spec.n_classes else y)
            for X, y in batches(task_spec)
        ]
        history = [model.run_epoch(data, np.random.default_rng(0)).metrics for _ in range(60)]
        assert history[-1]["loss"] < 0.3 * history[0]["loss"]
        outputs = model.outputs(data[0][0], ("hidden_1",))
        if task_spec.n_classes:
            assert outputs.probabilities is not None
            assert outputs.probabilities.shape == (16, task_spec.n_classes)
            np.testing.assert_array_equal(outputs.probabilities.argmax(axis=1), outputs.predictions)
