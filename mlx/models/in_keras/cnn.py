"""A convolutional network in Keras."""

import math

from mlx.core.errors import SettingsError
from mlx.models.in_keras.network import Network, check_image, penalty, with_output
from mlx.models.in_keras.params import CnnParams
from mlx.models.in_keras.runtime import keras
from mlx.models.task_check import check_size, dense_weights
from mlx.models.task_spec import TaskSpec


def build_cnn(name: str, params: CnnParams, task_spec: TaskSpec) -> Network:
    """Make convolutions with pooling, then dense layers with dropout."""
    check_image(name, task_spec)
    _check_fit(params, task_spec)
    module = keras()
    layers = module.layers
    tensor = image = module.Input(task_spec.sample_shape, name="image")
    for i, width in enumerate(params.filters, start=1):
        convolution = layers.Conv2D(
            width, params.kernel_size, padding="same", activation="relu", name=f"conv_{i}", **penalty(params)
        )
        tensor = layers.MaxPooling2D(name=f"pool_{i}")(convolution(tensor))
    tensor = layers.Flatten(name="flatten")(tensor)
    return with_output(image, tensor, name, params, task_spec, hidden=params.hidden_layers)


def _check_fit(params: CnnParams, task_spec: TaskSpec) -> None:
    height, width, _ = task_spec.sample_shape
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
    check_size(_n_weights(params, task_spec))


def _n_weights(params: CnnParams, task_spec: TaskSpec) -> int:
    """Count the weights of the network before it is made, without biases."""
    height, width, channels = task_spec.sample_shape
    total = 0
    for filters in params.filters:
        total += params.kernel_size**2 * channels * filters
        height, width, channels = height // 2, width // 2, filters
    return total + dense_weights([height * width * channels, *params.hidden_layers, task_spec.n_outputs])
