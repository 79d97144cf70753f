"""Every model keeps the one contract, whatever library computes it."""

import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import issparse
from scipy.special import softmax
from stripes import LARGE, TRAINED, Silent, samples, write_onnx

from mlx.core.errors import ArtifactError, DataError, SettingsError
from mlx.core.extras import missing
from mlx.models import Model, ModelSettings, TaskSpec, build_model, catalogue, load_model, save_model
from mlx.models.task_spec import BOTH_TASKS
from mlx.training import FitResult, TrainingSettings, fit_model

SMALL: dict[str, dict[str, Any]] = {
    "cnn": {"filters": [4, 8], "hidden_layers": [12, 6], "dropout": 0.1},
    "keras_mlp": {"hidden_layers": [12, 6], "dropout": 0.1},
    "rnn": {"units": [12], "hidden_layers": [6]},
    "mlp": {"hidden_layers": [12, 6]},
    "gradient_boosting": {"max_iter": 20, "max_features": 0.5},
    "random_forest": {"n_estimators": 30},
}
# To compile the variables of Adam for a hundred layers takes as long as to compile the layers, and a smaller last batch
# is compiled by itself. All take more than the 20 steps that are not compiled.
TRAINING: dict[str, tuple[int, int, dict[str, Any]]] = {
    "mobilenet_v3_small": (128, 3, {"batch_size": 16, "learning_rate": 0.05, "optimizer": "sgd"}),
    "resnet18": (66, 2, {"batch_size": 6, "learning_rate": 0.02, "optimizer": "sgd"}),
    "rnn": (160, 6, {"batch_size": 16, "learning_rate": 0.01}),
    "vgg11": (128, 3, {"batch_size": 16, "learning_rate": 0.003}),
}
SKIPPED = {"onnx": missing("onnx")}
SLOW = {"cnn", "custom", "gradient_boosting", "keras_mlp", "rnn", *TRAINED}
MODELS = [
    pytest.param(
        name,
        marks=[
            *([pytest.mark.slow] if name in SLOW else []),
            *([pytest.mark.skip(f"{name} {reason}")] if (reason := SKIPPED.get(name)) else []),
        ],
    )
    for name in sorted(catalogue.MODELS.keys() - LARGE - {"recorded"} | TRAINED)  # which says nothing of samples
]
# The scope puts the tests of a model beside each other, so that one worker of pytest runs them with one fitted model.
of_each_model = pytest.mark.parametrize("name", MODELS, scope="module")
RANDOM = {"cnn", "custom", "gradient_boosting", "keras_mlp", "mlp", "random_forest", "rnn", "sklearn"}  # seeded
OWN_MODEL = """
def network(n_classes, sample_shape, width):
    import keras
    return keras.Sequential([
        keras.Input(sample_shape), keras.layers.Flatten(), keras.layers.Dense(width, "relu"),
        keras.layers.Dropout(0.1), keras.layers.Dense(max(n_classes, 1), "softmax" if n_classes else None),
    ])

def estimator(n_classes, max_depth):
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    forest = RandomForestClassifier if n_classes else RandomForestRegressor
    return make_pipeline(StandardScaler(), forest(n_estimators=20, max_depth=max_depth))
"""


@pytest.fixture(autouse=True)
def _own_model(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand where ``custom`` finds its function; a VGG network of few filters is the same but for its size."""
    monkeypatch.setattr("mlx.models.in_keras.vgg.FILTERS", (8, 8, 16, 16, 16))
    folder = tmp_path_factory.mktemp("repository")
    (folder / "own.py").write_text(OWN_MODEL)
    if not SKIPPED["onnx"]:
        write_onnx(folder / "stripes.onnx")
    monkeypatch.chdir(folder)


def settings_of(name: str) -> ModelSettings:
    if name == "custom":
        return ModelSettings(name=name, architecture="own.py:network", params={"width": 12})
    if name == "sklearn":
        return ModelSettings(name=name, architecture="own.py:estimator", params={"max_depth": 5})
    if name == "onnx":
        return ModelSettings(name=name, architecture="stripes.onnx")
    return ModelSettings(name=name, params=SMALL.get(name, {}))


def dense(representation: Any) -> Any:
    return representation.toarray() if issparse(representation) else representation


def task_spec_of(name: str, channels: int = 1) -> TaskSpec:
    if name == "linear_regression":
        return TaskSpec("regression", (8, 8, channels), 0)
    return TaskSpec("classification", (8, 8, channels), 3)


@cache
def fitted(name: str, seed: int) -> tuple[Model, ModelSettings, FitResult]:
    settings, task_spec = settings_of(name), task_spec_of(name)
    model = build_model(settings, task_spec, seed=seed)
    # Once the loss of a deep network is near 0, Adam divides by gradients near 0: at 0.01 an occasional step of the
    # last epoch takes a network from 100 % to 85 %, on one processor and not on another.
    n, epochs, options = TRAINING.get(name, (150, 6, {"batch_size": 16, "learning_rate": 0.01}))
    training = TrainingSettings(epochs=epochs, **options, seed=seed)
    return model, settings, fit_model(model, samples(task_spec, n), samples(task_spec, 40, 1), training, Silent())


def briefly_fitted(name: str, seed: int) -> tuple[Model, ModelSettings, FitResult]:
    """Take two steps, which are not compiled: what a seed decides it decides in them, too."""
    settings, task_spec = settings_of(name), task_spec_of(name)
    model = build_model(settings, task_spec, seed=seed)
    training = TrainingSettings(epochs=1, batch_size=2, optimizer="sgd", seed=seed)
    return model, settings, fit_model(model, samples(task_spec, 4), samples(task_spec, 4, 1), training, Silent())


SEED = 7


def saved(name: str, folder: Path, seed: int = SEED, fit: Any = fitted) -> Model:
    model, settings, _ = fit(name, seed)
    folder.mkdir()
    save_model(model, settings, folder, [f"c{i}" for i in range(model.task_spec.n_classes)])
    return model


@of_each_model
def test_it_learns_what_can_be_learned(name: str) -> None:
    task_spec = task_spec_of(name)
    model, _, result = fitted(name, SEED)
    unseen = samples(task_spec, 60, 2)
    predictions = model.outputs(unseen.X).predictions
    if task_spec.task == "regression":
        assert np.corrcoef(predictions, unseen.y)[0, 1] > 0.95
    else:
        assert (predictions == unseen.y).mean() > 0.9
    if not getattr(model, "inference_only", False):
        assert result.history[-1]["loss"] <= result.history[0]["loss"]


@of_each_model
def test_outputs_have_their_shapes_and_probabilities_sum_to_one(name: str) -> None:
    task_spec = task_spec_of(name)
    model, _, _ = fitted(name, SEED)
    X = samples(task_spec, 11).X
    outputs = model.outputs(X, model.layers)
    assert outputs.predictions.shape == (11,)
    assert list(outputs.representations) == list(model.layers)
    for values in outputs.representations.values():
        assert values.ndim == 2
        assert values.shape[0] == 11
        assert np.isfinite(dense(values)).all()
    if task_spec.task == "classification":
        assert outputs.probabilities is not None
        assert outputs.probabilities.shape == (11, 3)
        assert outputs.probabilities.dtype == np.float64
        if outputs.logits is not None:
            assert outputs.logits.shape == (11, 3)
            np.testing.assert_allclose(softmax(outputs.logits.astype(float), axis=1), outputs.probabilities, atol=1e-12)
        np.testing.assert_allclose(outputs.probabilities.sum(axis=1), 1, atol=1e-12)
        np.testing.assert_array_equal(outputs.probabilities.argmax(axis=1), outputs.predictions)
        if (last := model.last_layer) is not None:
            assert last.gives(dense(outputs.representations[last.layer]), outputs.logits)
    if name in {"mlp", "keras_mlp", "cnn", "logistic_regression"}:
        assert model.last_layer is not None


@of_each_model
def test_a_loaded_model_gives_the_same_bits(name: str, tmp_path: Path) -> None:
    model = saved(name, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    X = samples(model.task_spec, 33, 3).X
    ours, theirs = model.outputs(X, model.layers), loaded.outputs(X, model.layers)
    assert loaded.layers == model.layers
    for a, b in (
        (ours.predictions, theirs.predictions),
        (ours.logits, theirs.logits),
        (ours.probabilities, theirs.probabilities),
        *((dense(ours.representations[layer]), dense(theirs.representations[layer])) for layer in model.layers),
    ):
        np.testing.assert_array_equal(a, b)


@of_each_model
def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(name: str, tmp_path: Path) -> None:
    # The small networks show it of compiled steps; to compile those of these takes up to a minute.
    fit, again = (briefly_fitted,) * 2 if name in LARGE | {"rnn"} else (fitted, fitted.__wrapped__)
    saved(name, tmp_path / "a", fit=fit)
    saved(name, tmp_path / "b", fit=again)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name
    if name in RANDOM:
        saved(name, tmp_path / "c", seed=8, fit=fit)
        assert any(
            file.read_bytes() != (tmp_path / "c" / file.name).read_bytes() for file in (tmp_path / "a").iterdir()
        )


@of_each_model
def test_penultimate_is_a_layer_and_an_unknown_one_is_refused(name: str) -> None:
    model, _, _ = fitted(name, SEED)
    assert model.resolve_layer("penultimate") == model.penultimate
    assert model.penultimate in model.layers
    with pytest.raises(SettingsError, match="expected one of penultimate, .*, found 'nonsense'"):
        model.resolve_layer("nonsense")


@of_each_model
def test_wrong_shapes_and_values_are_refused(name: str) -> None:
    model, _, _ = fitted(name, SEED)
    with pytest.raises(DataError, match=r"expected samples of shape \(8, 8, 1\), found \(8, 9, 1\)"):
        model.outputs(np.zeros((2, 8, 9, 1), np.float32))
    bad = np.zeros((3, 8, 8, 1), np.float32)
    bad[1, 0, 0] = np.nan
    with pytest.raises(DataError, match="found NaN or infinity in row 1"):
        model.outputs(bad)


@of_each_model
def test_a_model_is_for_both_tasks_or_refuses_the_other(name: str) -> None:
    task = "regression" if task_spec_of(name).task == "classification" else "classification"
    other = TaskSpec(task, (8, 8, 1), 3 if task == "classification" else 0)  # type: ignore[arg-type]
    model, _, _ = fitted(name, SEED)
    if name == "onnx":  # for what the file is for
        with pytest.raises(DataError, match=r"expected an output 'logits' of shape \(n, 1\), found \(1, 3\)"):
            build_model(settings_of(name), other, seed=0)
        return
    if model.tasks == BOTH_TASKS:
        assert build_model(settings_of(name), other, seed=0).task_spec == other
        return
    with pytest.raises(SettingsError, match=f"expected a model for {task}, which the dataset is, found {name}"):
        build_model(settings_of(name), other, seed=0)


@pytest.mark.parametrize("name", [param for param in MODELS if param.values[0] not in TRAINED], scope="module")
def test_a_damaged_or_foreign_checkpoint_is_refused(name: str, tmp_path: Path) -> None:
    saved(name, tmp_path / "m")
    checkpoint = next(file for file in (tmp_path / "m").iterdir() if file.name != "model.json")
    whole = checkpoint.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"PK nonsense"):
        checkpoint.write_bytes(content)
        with pytest.raises(ArtifactError, match=f"{checkpoint.name}: expected .*, found"):
            load_model(tmp_path / "m")
    checkpoint.unlink()
    with pytest.raises(ArtifactError, match=f"{checkpoint.name}: expected .*, found none"):
        load_model(tmp_path / "m")
    (tmp_path / "m/model.json").write_text('{"name": "cnn"}')
    with pytest.raises(ArtifactError, match=r"model\.json: params: expected a section of keys, found nothing"):
        load_model(tmp_path / "m")


@pytest.mark.slow
def test_a_keras_model_opens_with_keras_alone_and_carries_no_date(tmp_path: Path) -> None:
    import keras

    model = saved("cnn", tmp_path / "m")
    X = samples(model.task_spec, 20, 4).X
    plain = keras.saving.load_model(tmp_path / "m/model.keras")
    probabilities = model.outputs(X).probabilities
    assert probabilities is not None
    np.testing.assert_allclose(plain.predict(X, verbose=0), probabilities, atol=1e-6)
    with zipfile.ZipFile(tmp_path / "m/model.keras") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


@pytest.mark.slow
def test_the_cnn_has_the_layers_that_were_asked_for_and_gives_their_values(tmp_path: Path) -> None:
    import keras

    model = saved("cnn", tmp_path / "m")
    assert model.layers == ("conv_1", "pool_1", "conv_2", "pool_2", "flatten", "hidden_1", "hidden_2")
    assert model.penultimate == "hidden_2"
    X = samples(model.task_spec, 9, 5).X
    found = model.outputs(X, ("conv_2", "hidden_2")).representations
    plain = keras.saving.load_model(tmp_path / "m/model.keras")
    for layer, values in found.items():
        direct = keras.Model(plain.inputs, plain.get_layer(layer).output).predict(X, verbose=0)
        np.testing.assert_allclose(values, direct.reshape(9, -1), atol=1e-6)


@pytest.mark.slow
def test_an_image_too_small_for_its_poolings_is_refused() -> None:
    settings = ModelSettings(name="cnn", params={"filters": [2, 2, 2, 2]})
    with pytest.raises(SettingsError, match="expected at most 3 convolutions.*8x8, found 4"):
        build_model(settings, task_spec_of("cnn"), seed=0)
    with pytest.raises(SettingsError, match=r"samples of shape \(5,\), found cnn, which needs images"):
        build_model(ModelSettings(name="cnn"), TaskSpec("classification", (5,), 3), seed=0)
