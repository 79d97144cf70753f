"""The Keras adapter does what Keras does, and an epoch is a function of its seed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlx.core.errors import ArtifactError, SettingsError
from mlx.models import ModelSettings, Optimization, TaskSpec, build_model, load_model, save_model
from mlx.models.in_keras.model import KerasModel

pytestmark = pytest.mark.slow

TASK_SPEC = TaskSpec("classification", (8, 8, 1), 3)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 8, 8, 1)).astype(np.float32)
Y = RNG.integers(0, 3, 50)


def batches(y: Any = Y) -> Iterator[tuple[Any, Any]]:
    for first in range(0, 50, 16):
        yield X[first : first + 16], y[first : first + 16]


def built(name: str = "keras_mlp", task_spec: TaskSpec = TASK_SPEC, **params: Any) -> KerasModel:
    model = build_model(ModelSettings(name=name, params=params), task_spec, seed=1)
    assert isinstance(model, KerasModel)
    return model


def twin(model: KerasModel, optimizer: Any, loss: str, **options: Any) -> Any:
    """The same network for Keras's own loop."""
    import keras

    copy = keras.models.clone_model(model.network)
    copy.set_weights(model.network.get_weights())
    copy.compile(optimizer, loss, run_eagerly=True, **options)  # a few steps: to compile them takes longer
    return copy


def agree(model: KerasModel, copy: Any) -> None:
    for ours, theirs in zip(model.weights(), copy.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "sgd"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_a_step_is_that_of_kerass_own_loop(name: str, decay: float) -> None:
    import keras

    model = built("cnn", filters=[4], hidden_layers=[8], dropout=0.0, l2=0.01)
    config: dict[str, Any] = {"learning_rate": 0.01, "weight_decay": decay} | (
        {"momentum": 0.9} if name == "sgd" else {}
    )
    optimizer = keras.optimizers.get({"class_name": name, "config": config})
    copy = twin(model, optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    if not decay:  # which changes the optimizer alone: each is compiled once
        model.expect_few_steps()
    model.prepare(Optimization(name, 0.01, momentum=0.9, weight_decay=decay))
    theirs = copy.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    for epoch in range(2):
        ours = model.run_epoch(batches(), np.random.default_rng(epoch)).metrics
        assert ours == pytest.approx({"loss": theirs["loss"][epoch], "accuracy": theirs["accuracy"][epoch]}, rel=1e-5)
    agree(model, copy)
    evaluated = copy.evaluate(X, Y, verbose=0, return_dict=True)
    assert model.evaluate(batches()) == pytest.approx({k: evaluated[k] for k in ("loss", "accuracy")}, rel=1e-5)


def test_clipping_smoothing_and_class_weights_are_kerass() -> None:
    import keras

    for ours, theirs in (
        ({"clip_norm": 0.3}, {"global_clipnorm": 0.3}),
        ({"clip_value": 0.01}, {"clipvalue": 0.01}),
    ):
        model = built()
        copy = twin(
            model,
            keras.optimizers.SGD(0.1, **theirs),
            keras.losses.CategoricalCrossentropy(label_smoothing=0.2),
        )
        model.prepare(
            Optimization("sgd", 0.1, label_smoothing=0.2, class_weights=(1.0, 3.0, 0.5), **ours)  # type: ignore[arg-type]
        )
        reached = model.run_epoch(batches(), np.random.default_rng(0)).metrics
        history = copy.fit(
            X, np.eye(3)[Y], batch_size=16, shuffle=False, verbose=0, class_weight={0: 1.0, 1: 3.0, 2: 0.5}
        ).history
        assert reached["loss"] == pytest.approx(history["loss"][0], rel=1e-5)
        agree(model, copy)


def test_regression_is_least_squares() -> None:
    y = X[:, 2, 3, 0].astype(np.float64)
    model = built(task_spec=TaskSpec("regression", (8, 8, 1), 0))
    copy = twin(model, "adam", "mean_squared_error")
    model.prepare(Optimization())
    history = copy.fit(X, y, batch_size=16, shuffle=False, verbose=0).history
    assert model.run_epoch(batches(y), np.random.default_rng(0)).metrics == pytest.approx(
        {"loss": history["loss"][0]}, rel=1e-5
    )
    outputs = model.outputs(X)
    assert outputs.logits is outputs.probabilities is None
    np.testing.assert_allclose(outputs.predictions, copy.predict(X, verbose=0)[:, 0], atol=1e-5)


def test_a_saturated_softmax_still_has_a_loss() -> None:
    model = built(hidden_layers=[])
    model.set_weights([np.zeros((64, 3), np.float32), np.array([0, 500, 0], np.float32)])
    model.prepare(Optimization())
    assert model.evaluate([(X, np.zeros(50, int))])["loss"] == pytest.approx(500)


@pytest.mark.parametrize("name", ["keras_mlp", "rnn"])
def test_an_epoch_is_a_function_of_state_batches_and_seed(name: str) -> None:
    task_spec = TaskSpec("classification", (2, 8, 1), 3)  # each row, and each size of a batch, takes time to compile
    options: dict[str, Any] = {"task_spec": task_spec, "dropout": 0.5}
    parts = [(samples[:, :2], labels) for samples, labels in batches() if len(labels) == 16]
    whole, first = built(name, **options), built(name, **options)
    for model in (whole, first):
        model.prepare(Optimization("adam", 0.01))
        model.run_epoch(parts, np.random.default_rng(1))
    halfway = first.state()
    built("keras_mlp")  # other networks in the process change nothing
    second = built(name, **options)
    second.prepare(Optimization("adam", 0.01))
    second.run_epoch(parts, np.random.default_rng(8))
    second.set_state(halfway)
    for model in (whole, second):
        model.run_epoch(parts, np.random.default_rng(2))
    for a, b in zip(whole.state().values(), second.state().values(), strict=True):
        np.testing.assert_array_equal(a, b)
    second.set_state(halfway)
    second.run_epoch(parts, np.random.default_rng(3))
    assert any((a != b).any() for a, b in zip(whole.weights(), second.weights(), strict=True))


def test_the_learning_rate_holds_from_the_next_step_on() -> None:
    model = built()
    model.prepare(Optimization("sgd", 0.1))
    before = model.weights()
    model.set_learning_rate(0.0)
    model.run_epoch(batches(), np.random.default_rng(0))
    for a, b in zip(before, model.weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    state = model.state()
    model.set_learning_rate(0.1)
    model.set_state(state)
    model.set_learning_rate(0.1)
    model.run_epoch(batches(), np.random.default_rng(0))
    assert (before[0] != model.weights()[0]).any()


def test_a_state_of_another_network_is_refused() -> None:
    model, other = built(), built(hidden_layers=[5])
    for each in (model, other):
        each.prepare(Optimization())
    with pytest.raises(ArtifactError, match=r"weight_0: expected shape \(64, 128\), found shape \(64, 5\)"):
        model.set_state(other.state())


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("shape", [(28, 28, 1), (12,), (100, 3)])
def test_a_recurrent_network_reads_rows_features_or_steps(cell: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    settings = ModelSettings(name="rnn", params={"cell": cell, "units": [5, 4], "bidirectional": False})
    model = build_model(settings, TaskSpec("classification", shape, 2), seed=0)
    model.expect_few_steps()
    samples = np.random.default_rng(1).normal(size=(3, *shape)).astype(np.float32)
    outputs = model.outputs(samples, model.layers)
    assert model.layers == (f"{cell}_1", f"{cell}_2", "hidden_1")
    assert outputs.representations[f"{cell}_1"].shape == (3, shape[0] * 5)
    save_model(model, settings, tmp_path, ["a", "b"])
    loaded = load_model(tmp_path)
    loaded.expect_few_steps()
    np.testing.assert_array_equal(loaded.outputs(samples).logits, outputs.logits)


def test_settings_that_do_not_fit_the_data_are_refused() -> None:
    with pytest.raises(SettingsError, match="expected 3, as many classes as the dataset has, found 10"):
        built(num_classes=10)
    with pytest.raises(SettingsError, match="expected none, as the dataset is for regression, found 10"):
        built(task_spec=TaskSpec("regression", (4,), 0), num_classes=10)
    with pytest.raises(SettingsError, match="at most 250,000,000 weights"):
        built(hidden_layers=[65_536, 65_536])
    with pytest.raises(SettingsError, match="found rnn, which needs a sequence"):
        built("rnn", TaskSpec("classification", (1,), 3))


def test_steps_that_are_not_compiled_do_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlx.models.in_keras.vgg.FILTERS", (4, 4, 8, 8, 8))
    compiled, interpreted = built("vgg11"), built("vgg11")
    interpreted.expect_few_steps()
    said = []
    for model in (compiled, interpreted):
        model.prepare(Optimization("adam", 0.001))
        reached = model.run_epoch([(X[:8], Y[:8])], np.random.default_rng(0)).metrics
        said.append((reached["loss"], model.evaluate([(X[:8], Y[:8])])["loss"], *model.outputs(X[:2]).predictions))
    assert said[1] == pytest.approx(said[0], rel=1e-3)


def test_keras_is_imported_without_packages_of_its_parts_that_are_not_used() -> None:
    code = """
import sys
from mlx.models.in_keras.runtime import keras
module = keras()
assert not {"sklearn", "matplotlib"} & sys.modules.keys()
assert not hasattr(module, "absent")
from sklearn.base import BaseEstimator
assert issubclass(module.wrappers.SKLearnClassifier, BaseEstimator)
from keras.visualization import plot_image_gallery
"""
    subprocess.run([sys.executable, "-c", code], check=True)
