"""The residual networks of basic blocks, 18 and 34 layers deep, which Keras does not have.

He, Zhang, Ren and Sun, Deep residual learning for image recognition (2016), table 1, with projections where
the size changes. Layers are named as in ``keras.applications``' deeper ones.
"""

from typing import Any

from mlx.models.in_keras.network import Network, check_image, penalty, with_output
from mlx.models.in_keras.params import NetworkParams
from mlx.models.in_keras.runtime import keras
from mlx.models.in_keras.stem import skipped_halvings
from mlx.models.task_spec import TaskSpec

DEPTHS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
"""How many blocks each of the four stages has."""


def build_resnet(name: str, params: NetworkParams, task_spec: TaskSpec) -> Network:
    """Make a residual network of basic blocks; its stem depends on the size of the images."""
    check_image(name, task_spec)
    layers = keras().layers
    halves = [i >= skipped_halvings(task_spec) for i in range(5)]
    image = keras().Input(task_spec.sample_shape, name="image")
    tensor = _convolved(image, 64, *((7, 2) if halves[0] else (3, 1)), params, "conv1")
    tensor = layers.ReLU(name="conv1_relu")(tensor)
    if halves[1]:
        tensor = layers.MaxPooling2D(3, 2, padding="same", name="pool1_pool")(tensor)
    for stage, depth in enumerate(DEPTHS[name]):
        for block in range(depth):
            stride = 2 if block == 0 and stage > 0 and halves[stage + 1] else 1
            tensor = _block(tensor, 64 << stage, stride, params, f"conv{stage + 2}_block{block + 1}")
    tensor = layers.GlobalAveragePooling2D(name="avg_pool")(tensor)
    return with_output(image, tensor, name, params, task_spec, pattern=r"^conv1_relu$|_out$|^avg_pool$")


def _block(tensor: Any, filters: int, stride: int, params: NetworkParams, name: str) -> Any:
    layers = keras().layers
    shortcut = tensor
    if stride > 1 or tensor.shape[-1] != filters:
        shortcut = _convolved(tensor, filters, 1, stride, params, f"{name}_0")
    tensor = _convolved(tensor, filters, 3, stride, params, f"{name}_1")
    tensor = layers.ReLU(name=f"{name}_1_relu")(tensor)
    tensor = _convolved(tensor, filters, 3, 1, params, f"{name}_2")
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([shortcut, tensor]))


def _convolved(tensor: Any, filters: int, size: int, stride: int, params: NetworkParams, name: str) -> Any:
    layers = keras().layers
    convolution = layers.Conv2D(
        filters, size, stride, padding="same", use_bias=False, kernel_initializer="he_normal",
        name=f"{name}_conv", **penalty(params),
    )  # fmt: skip
    return layers.BatchNormalization(name=f"{name}_bn")(convolution(tensor))
