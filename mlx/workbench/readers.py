"""Shapes of samples, and predictors of a layer or of the probabilities of a fitted model, for notebooks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.models import Model

SMALLEST_SIDE = 8  # of an image that a flat number of features may stand for in a recurrent network


class Predictor(Protocol):
    """Anything that predicts an array for samples, such as a Keras model."""

    def predict(self, X: Array, **options: Any) -> Array:
        """Return a row per sample."""


@dataclass(frozen=True)
class Reader:
    """Predicts a layer of a fitted model, or its probabilities, with the interface of a Keras model.

    Attributes
    ----------
    model
        Fitted.
    layer
        To predict; None for the probabilities.
    """

    model: Model
    layer: str | None = None

    def predict(self, X: Array, **_: Any) -> Array:
        """Return (n, d) representations or (n, K) probabilities of ``X`` (n, …)."""
        X = shaped(X, self.model.task_spec.sample_shape)
        if self.layer is None:
            probabilities = self.model.outputs(X).probabilities
            assert probabilities is not None
            return probabilities
        return _dense(self.model.outputs(X, [self.layer]).representations[self.layer])


def sample_shape(model_type: str, n_features: int | Sequence[int]) -> tuple[int, ...]:
    """Return the shape of a sample for the argument `n_features` of `ModelSelector.get_model`.

    Raises
    ------
    ValueError
        A number for a cnn is not that of a square image.
    """
    if not isinstance(n_features, int | np.integer):
        return tuple(int(n) for n in n_features)
    for channels in (1, 3):
        side = math.isqrt(int(n_features) // channels)
        if side * side * channels == n_features and (
            model_type == "cnn" or (model_type == "rnn" and side >= SMALLEST_SIDE)
        ):
            return side, side, channels
    if model_type == "cnn":
        raise ValueError(
            f"n_features: expected the number of values of a square image, or its shape (height, width, channels), "
            f"found {n_features}"
        )
    return (int(n_features),)


def shaped(X: Array, shape: tuple[int, ...]) -> Array:
    """Return ``X`` (n, …) as (n, *shape).

    Raises
    ------
    DataError
        A sample has another number of values.
    """
    X = np.asarray(X)
    if X.ndim < 2 or X[:1].size * len(X) != math.prod(shape) * len(X):
        raise DataError(f"X: expected samples of shape {shape}, found {X.shape[1:]}")
    return X.reshape(len(X), *shape)


def _dense(values: Any) -> Array:
    dense: Array = values.toarray() if hasattr(values, "toarray") else values
    return dense
