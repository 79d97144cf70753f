"""The VGG networks: 3x3 convolutions, and a pooling after each of five blocks.

Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition (2015), table 1,
columns A, B, D, E. From scratch they hardly train without batch normalization, which is newer. In place
of two dense layers of 4096 units on 7x7 positions, the last map is averaged and `hidden_layers` follow.
"""

from typing import Any

from mlx.core.errors import SettingsError
from mlx.models.in_keras.network import Network, check_image, penalty, with_output
from mlx.models.in_keras.params import VggParams
from mlx.models.in_keras.pretrained import imagenet_scaled
from mlx.models.in_keras.runtime import keras
from mlx.models.in_keras.stem import skipped_halvings
from mlx.models.task_check import check_size, dense_weights
from mlx.models.task_spec import TaskSpec

FILTERS = (64, 128, 256, 512, 512)
DEPTHS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2,) * 5, "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""The number of convolutions in each block."""
WITH_WEIGHTS = {"vgg16": "VGG16", "vgg19": "VGG19"}
"""Those of which Keras has weights, and their names there."""


def build_vgg(name: str, params: VggParams, task_spec: TaskSpec) -> Network:
    """Make a VGG network."""
    check_image(name, task_spec)
    check_size(dense_weights([512, *params.hidden_layers]))
    normalized = _normalized(name, params)
    image = keras().Input(task_spec.sample_shape, name="image")
    tensor = imagenet_scaled(image, "caffe") if params.pretrained is True else image
    for block, depth in enumerate(DEPTHS[name]):
        for i in range(depth):
            tensor = _convolved(tensor, FILTERS[block], params, normalized, f"block{block + 1}_conv{i + 1}")
        # A map of one pixel is enough for the dense layers; padding keeps an odd row and column.
        if block >= skipped_halvings(task_spec, width=1):
            pooling = keras().layers.MaxPooling2D(2, padding="same", name=f"block{block + 1}_pool")
            tensor = pooling(tensor)
    tensor = keras().layers.GlobalAveragePooling2D(name="avg_pool")(tensor)
    imagenet = (WITH_WEIGHTS[name], "caffe") if params.pretrained is True else None
    hidden, pattern = params.hidden_layers, r"_relu$|_pool$|^hidden_"
    return with_output(image, tensor, name, params, task_spec, hidden=hidden, pattern=pattern, imagenet=imagenet)


def _convolved(tensor: Any, filters: int, params: VggParams, normalized: bool, name: str) -> Any:
    layers = keras().layers
    convolution = layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=not normalized,
        kernel_initializer="he_normal",
        name=name,
        **penalty(params),
    )
    tensor = convolution(tensor)
    if normalized:
        tensor = layers.BatchNormalization(name=f"{name}_bn")(tensor)
    return layers.ReLU(name=f"{name}_relu")(tensor)


def _normalized(name: str, params: VggParams) -> bool:
    """Whether there is batch normalization; ImageNet's weights were trained without it.

    Raises
    ------
    SettingsError
        Keras does not have the requested weights.
    """
    if params.pretrained is True and name not in WITH_WEIGHTS:
        raise SettingsError(
            f"expected false, as Keras has no weights of {name} but of {' and '.join(WITH_WEIGHTS)}, found true",
            key=("model", "params", "pretrained"),
        )
    if params.pretrained is True and params.batch_norm:
        raise SettingsError(
            "expected false or null, as the pretrained weights were made without, found true",
            key=("model", "params", "batch_norm"),
        )
    return params.pretrained is not True if params.batch_norm is None else params.batch_norm
