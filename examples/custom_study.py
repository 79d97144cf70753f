"""Functions that `examples/custom.yaml` names: samples, and a network to train on them."""

from typing import Any

import numpy as np


def two_spirals(n_samples: int, noise: float, seed: int) -> dict[str, Any]:
    """Make two classes that wind around each other, and say where on its spiral each sample lies."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % 2
    turn = np.sqrt(rng.random(n_samples)) * 3 * np.pi
    angle = turn + np.pi * y
    X = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) / 10
    X += rng.normal(0, noise * 0.3, X.shape)
    return {"X": X, "y": y, "class_names": ["first", "second"], "factors": {"turn": turn}}


def small_network(n_classes: int, sample_shape: tuple[int, ...], width: int) -> Any:
    """Build a Keras model that ends in a probability for each class."""
    import keras

    return keras.Sequential(
        [
            keras.Input(sample_shape),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(width, activation="relu", name="features"),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )
