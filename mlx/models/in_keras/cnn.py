"""A convolutional network in Keras."""

import math

from mlx.core.errors import SettingsError
from mlx.models.contract import TaskSpec
from mlx.models.in_keras.network import (
    SCORES,
    Network,
    check_image,
    check_size,
    dense_weights,
    finished,
    penalty,
    representing,
)
from mlx.models.in_keras.params import CnnParams
from mlx.models.in_keras.runtime import keras


def build_cnn(params: CnnParams, problem: TaskSpec) -> Network:
    """Make convolutions and poolings, then dense layers with dropout."""
    check_image("cnn", problem)
    _check_fit(params, problem)
    module = keras()
    layers = module.layers
    tensor = image = module.Input(problem.sample_shape, name="image")
    for i, width in enumerate(params.filters, start=1):
        convolution = layers.Conv2D(
            width, params.kernel_size, padding="same", activation="relu", name=f"conv_{i}", **penalty(params)
        )
        tensor = layers.MaxPooling2D(name=f"pool_{i}")(convolution(tensor))
    tensor = layers.Flatten(name="flatten")(tensor)
    model = finished(image, tensor, problem, params, name="cnn", hidden=params.hidden_layers)
    return Network(model, representing(model), SCORES[problem.task])


def _check_fit(params: CnnParams, problem: TaskSpec) -> None:
    height, width, _ = problem.sample_shape
    side = min(height, width)
    if params.kernel_size > side:
        raise SettingsError(
            f"expected at most {side}, as the image is {height}x{width}, found {params.kernel_size}",
            key=("model", "params", "kernel_size"),
        )
    if side < 2 ** len(params.filters):
        raise SettingsError(
            f"expected at most {int(math.log2(side))} convolutions, as each halves the image of {height}x{width}, "
            f"found {len(params.filters)}",
            key=("model", "params", "filters"),
        )
    check_size(_n_weights(params, problem))


def _n_weights(params: CnnParams, problem: TaskSpec) -> int:
    """Count the weights before any is made, biases left out."""
    height, width, channels = problem.sample_shape
    total = 0
    for filters in params.filters:
        total += params.kernel_size**2 * channels * filters
        height, width, channels = height // 2, width // 2, filters
    return total + dense_weights([height * width * channels, *params.hidden_layers, max(problem.n_classes, 1)])
