"""A model from a function of the user's own is trained, saved and loaded as any other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlx.core.errors import DataError, SettingsError
from mlx.models import Model, ModelSettings, Optimization, TaskSpec, build_model, load_model, save_model

pytestmark = pytest.mark.slow

TASK_SPEC = TaskSpec("classification", (6,), 3)
X = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 30)

FUNCTIONS = """
import keras
from mlx.models import DirectModel, Outputs, TaskSpec

def functional(n_classes, sample_shape, end="softmax", width=4):
    sample = keras.Input(sample_shape)
    x = keras.layers.Dense(width, activation="relu", name="mine")(sample)
    x = keras.layers.GaussianNoise(0.1)(x)
    if end == "layer":
        x = keras.layers.Softmax()(keras.layers.Dense(n_classes)(x))
    else:
        x = keras.layers.Dense(n_classes, activation=end)(x)
    return keras.Model(sample, x)

def regression(**known):
    return keras.Sequential([keras.layers.Dense(1)])

def shared_names(n_classes):
    return keras.Sequential([keras.layers.Dense(n_classes, name="probabilities"), keras.layers.Dense(n_classes)])

def needs(depth):
    return depth

def fails():
    return 1 / 0

def text():
    return "a model"

class Subclassed(keras.Model):
    def call(self, x):
        return x

def subclassed():
    return Subclassed()

class Constant(DirectModel):
    tasks = frozenset({"classification"})
    training_fields = frozenset()
    layers = ("input",)
    penultimate = "input"
    n_parameters = 0
    def __init__(self, task_spec): self.task_spec = task_spec
    def fit(self, X, y, *, seed): pass
    def outputs(self, X, layers=()): raise NotImplementedError
    def save(self, folder): (folder / "constant.txt").write_text("kept")
    def restore(self, folder): self.kept = (folder / "constant.txt").read_text()

def own_class(n_classes, sample_shape):
    return Constant(TaskSpec("classification", sample_shape, n_classes))
"""


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    monkeypatch.chdir(tmp_path)


def settings(function: str, **params: Any) -> ModelSettings:
    return ModelSettings(name="custom", architecture=f"mine.py:{function}", params=params)


def built(function: str, task_spec: TaskSpec = TASK_SPEC, **params: Any) -> Model:
    return build_model(settings(function, **params), task_spec, seed=3)


@pytest.mark.parametrize("end", ["softmax", "layer", "linear"])
def test_softmax_and_logits_give_the_same_model(end: str, tmp_path: Path) -> None:
    model: Any = built("functional", end=end)
    assert model.layers == ("mine",)
    model.prepare(Optimization())
    model.run_epoch([(X, Y)], np.random.default_rng(0))
    outputs = model.outputs(X, model.layers)
    np.testing.assert_allclose(outputs.probabilities.sum(axis=1), 1)
    reference = built("functional", end="softmax")
    reference.prepare(Optimization())  # type: ignore[attr-defined]
    reference.run_epoch([(X, Y)], np.random.default_rng(0))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(outputs.logits, reference.outputs(X).logits)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    save_model(model, settings("functional", end=end), tmp_path / "a", ["a", "b", "c"])
    loaded = load_model(tmp_path / "a")
    np.testing.assert_array_equal(loaded.outputs(X).logits, outputs.logits)
    save_model(loaded, settings("functional", end=end), tmp_path / "b", ["a", "b", "c"])
    assert (tmp_path / "a/model.keras").read_bytes() == (tmp_path / "b/model.keras").read_bytes()


def test_a_sequential_regression_without_input_is_built_for_the_samples() -> None:
    model = built("regression", TaskSpec("regression", (6,), 0))
    assert model.outputs(X).predictions.shape == (30,)


def test_an_object_with_the_contract_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    save_model(built("own_class"), settings("own_class"), tmp_path / "m", ["a", "b", "c"])
    loaded: Any = load_model(tmp_path / "m")
    assert loaded.kept == "kept"
    with pytest.raises(SettingsError, match="expected a model for regression, .* found mine.py:own_class"):
        built("own_class", TaskSpec("regression", (6,), 0))


@pytest.mark.parametrize(
    ("function", "params", "message"),
    [
        ("absent", {}, "expected a function absent in mine.py, found none"),
        ("fails", {}, r"mine.py:fails: failed in line \d+: ZeroDivisionError"),
        ("text", {}, "expected a Keras model, or a DirectModel or IterativeModel of mlx.models, found str"),
        ("subclassed", {}, "expected a functional or Sequential Keras model, found Subclassed"),
        ("functional", {"end": "sigmoid"}, "expected a softmax or no activation at the output, found sigmoid"),
        ("functional", {"n_classes": 7}, r"expected a model from \(6,\) to \(3,\), found one from \(6,\) to \(7,\)"),
    ],
)
def test_what_is_no_model_for_the_data_is_refused(function: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        built(function, **params)


def test_parameters_that_the_function_does_not_take_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"arguments of mine.py:needs\(depth\), found missing .*'depth'"):
        built("needs")
    with pytest.raises(SettingsError, match=r"mine.py:fails\(\), found got an unexpected keyword argument 'width'"):
        built("fails", width=3)


def test_a_file_outside_of_the_repository_is_not_run() -> None:
    for file in ("/etc/own.py", "../own.py"):
        with pytest.raises(DataError, match=f"model.architecture: {file}: expected a file in the repository"):
            build_model(ModelSettings(name="custom", architecture=f"{file}:f"), TASK_SPEC, seed=0)
    with pytest.raises(ValueError, match="expected the function that makes the model as file.py:name, found nothing"):
        ModelSettings(name="custom")
