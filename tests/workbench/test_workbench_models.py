"""The classes that make and train models in a notebook, as the first seed document shows them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlx
from mlx.core.errors import DataError

pytestmark = pytest.mark.slow

# What users of the seed document run, but for the name of the package.
BLOCKS = """
from mlx import ImageDataGenerator

# Create data generator
generator = ImageDataGenerator(random_state=42)

# Generate images
X, y = generator.generate_image_data(
    method='shapes',  # 'shapes', 'patterns', 'noise', 'gradients'
    n_samples=1000,
    n_classes=5,
    image_size=(32, 32)
)

# Preprocess and split data
X_processed = generator.preprocess_images(X)
data_splits = generator.split_data(X_processed, y)

# Visualize sample images
generator.visualize_images(X, y, n_images_per_class=5)

from mlx import ModelSelector, TrainingPipeline
import tensorflow as tf

# Create model selector
selector = ModelSelector(random_state=42)

# Get model
model = selector.get_model(
    model_type='cnn',  # 'mlp', 'cnn', 'rnn', 'random_forest', etc.
    n_classes=5,
    n_features=32*32,  # Flattened input shape
    hidden_layers=[128, 64]
)

# Create training pipeline
pipeline = TrainingPipeline(model=model, model_type='keras')

# Train model
history = pipeline.train(
    X_train=data_splits['X_train'],
    y_train=data_splits['y_train'],
    X_val=data_splits['X_val'],
    y_val=data_splits['y_val'],
    batch_size=32,
    epochs=30,
    callbacks=[
        tf.keras.callbacks.EarlyStopping(patience=10),
        tf.keras.callbacks.ModelCheckpoint('best_model.h5')
    ]
)

# Evaluate model
metrics = pipeline.evaluate(X_test=data_splits['X_test'], y_test=data_splits['y_test'])

# Get predictions
y_pred = pipeline.predict(data_splits['X_test'])

# Extract intermediate representations
intermediate_reps = pipeline.extract_intermediate_representations(
    data_splits['X_test'],
    intermediate_model=selector.intermediate_representations['model']
)

# Extract softmax outputs
softmax_outputs = pipeline.extract_softmax_outputs(
    data_splits['X_test'],
    softmax_model=selector.softmax_outputs['model']
)
"""
SHORTER = BLOCKS.replace("n_samples=1000", "n_samples=500").replace("epochs=30", "epochs=10")  # the same calls


def test_the_code_of_the_seed_document_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlx.models.in_keras.runtime import keras

    keras()  # quietly
    monkeypatch.chdir(tmp_path)
    told: dict[str, Any] = {}
    exec(SHORTER, told)  # noqa: S102  # it stands above
    X_test, y_test = told["data_splits"]["X_test"], told["data_splits"]["y_test"]
    assert told["metrics"]["accuracy"] > 0.6
    assert told["metrics"]["accuracy"] == np.mean(told["y_pred"] == y_test)
    assert told["intermediate_reps"].shape == (100, 64)
    assert told["softmax_outputs"].shape == (100, 5)
    np.testing.assert_allclose(told["softmax_outputs"].sum(axis=1), 1, rtol=1e-5)
    assert set(told["history"]) == set(told["history"].history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert len(told["history"]["loss"]) <= 10
    network = told["model"]
    scores = told["intermediate_reps"] @ network.get_layer("logits").kernel + network.get_layer("logits").bias
    np.testing.assert_array_equal(np.argmax(scores, axis=1), told["y_pred"])
    loaded = keras().saving.load_model("best_model.h5")
    np.testing.assert_allclose(loaded.predict(X_test, verbose=0), told["softmax_outputs"], rtol=1e-4, atol=1e-6)
    # What is not given is what the selector has.
    pipeline = told["pipeline"]
    np.testing.assert_array_equal(pipeline.extract_intermediate_representations(X_test), told["intermediate_reps"])
    np.testing.assert_array_equal(pipeline.extract_softmax_outputs(X_test[..., 0]), told["softmax_outputs"])


TYPES = ["mlp", "cnn", "rnn", "random_forest", "gradient_boosting", "svm", "logistic_regression"]


@pytest.mark.parametrize("model_type", TYPES)
def test_every_type_learns_and_gives_the_same_for_the_same_seed(model_type: str) -> None:
    generator = mlx.ImageDataGenerator(random_state=1)
    X, y = generator.generate_image_data("shapes", n_samples=240, n_classes=2, image_size=8, noise=0.0)
    parts = generator.split_data(generator.preprocess_images(X), y)
    found = []
    for _ in range(1 if model_type in {"cnn", "rnn"} else 2):  # to train which is the same code as for an mlp
        selector = mlx.ModelSelector(random_state=3)
        network = model_type in {"mlp", "cnn", "rnn"}
        faster = {"learning_rate": 0.01} if network else {}
        model = selector.get_model(model_type, n_classes=2, n_features=64, **faster)
        pipeline = mlx.TrainingPipeline(model, "keras" if network else "sklearn")
        options: dict[str, Any] = {"epochs": 8, "verbose": 0} if network else {}
        history = pipeline.train(parts["X_train"], parts["y_train"], parts["X_val"], parts["y_val"], **options)
        assert history["accuracy"][-1] > 0.6
        assert 0 <= history["val_accuracy"][-1] <= 1
        metrics = pipeline.evaluate(parts["X_test"], parts["y_test"])
        assert metrics["accuracy"] is not None
        assert pipeline.evaluation is not None
        assert dict(pipeline.evaluation.metrics) == metrics
        by_group = pipeline.evaluate(parts["X_test"], parts["y_test"], groups=np.arange(len(parts["y_test"])) // 2)
        assert (by_group["groups"], by_group["accuracy"]) == ("given", metrics["accuracy"])
        read = selector.intermediate_representations["model"]
        representations = pipeline.extract_intermediate_representations(parts["X_test"], intermediate_model=read)
        assert representations.shape[0] == len(parts["y_test"])
        found.append((pipeline.extract_softmax_outputs(parts["X_test"]), representations))
    for first, again in zip(found[0], found[-1], strict=True):
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model_type": "cmm"}, "model_type: expected one of mlp, cnn, rnn, random_forest, "),
        ({"n_classes": 1}, "n_classes: expected at least 2, found 1"),
        ({"n_features": 50}, "n_features: expected the number of values of a square image, .* found 50"),
        ({"n_features": (32, 32)}, "model.name: expected a model for samples of shape"),
        ({"model_type": "svm", "hidden_layers": [3]}, "hidden_layers: expected none, as svm has no layers"),
        ({"kernels": 3}, "kernels"),
    ],
)
def test_a_model_that_can_not_be_is_refused(arguments: dict[str, Any], message: str) -> None:
    asked = {"model_type": "cnn", "n_classes": 3, "n_features": 64} | arguments
    with pytest.raises(ValueError, match=message):
        mlx.ModelSelector().get_model(**asked)


def test_what_does_not_fit_together_is_refused() -> None:
    model = mlx.ModelSelector().get_model("logistic_regression", n_classes=2, n_features=4)
    with pytest.raises(ValueError, match="model: expected one of model_type 'keras', found LogisticRegression"):
        mlx.TrainingPipeline(model)
    with pytest.raises(ValueError, match="model_type: expected one of keras, sklearn, found 'torch'"):
        mlx.TrainingPipeline(model, "torch")
    pipeline = mlx.TrainingPipeline(model, "sklearn")
    X, y = np.random.default_rng(0).random((20, 4)), np.arange(20) % 2
    with pytest.raises(ValueError, match="callbacks: expected none, as the model is fitted all at once"):
        pipeline.train(X, y, callbacks=[object()])
    with pytest.raises(ValueError, match="expected X_val and y_val together"):
        pipeline.train(X, y, X)
    with pytest.raises(DataError, match=r"X: expected samples of shape \(4,\), found \(3,\)"):
        pipeline.predict(X[:, :3])
