"""The networks of ``keras.applications``, rebuilt layer by layer for small images.

Keras designs them for 224x224. Here each layer is made again from its configuration, with these changes: the first
halvings are skipped (see `mlx.models.in_keras.stem`), padding follows the size, and the step ``preprocess-split``
replaces the network's own scaling of 0 … 255. At 224x224 with ImageNet's weights the outputs are those of Keras's
network.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from mlx.models.in_keras.network import Network, check_image, with_output
from mlx.models.in_keras.params import ImageNetParams
from mlx.models.in_keras.pretrained import imagenet_scaled
from mlx.models.in_keras.runtime import fresh_names, keras, undisturbed_seeds
from mlx.models.in_keras.stem import skipped_halvings
from mlx.models.task_spec import TaskSpec


@dataclass(frozen=True)
class Application:
    """One of Keras's networks.

    Attributes
    ----------
    name
        Of the function in ``keras.applications``.
    mode
        The input scale of its weights, a key of `mlx.models.in_keras.pretrained.SCALES`.
    options
        Arguments of the function.
    """

    name: str
    mode: str
    options: tuple[tuple[str, Any], ...] = ()


_PLAIN = (("include_preprocessing", False),)
APPLICATIONS = {
    "resnet50": Application("ResNet50", "caffe"),
    "resnet101": Application("ResNet101", "caffe"),
    "resnet152": Application("ResNet152", "caffe"),
    "mobilenet": Application("MobileNet", "tf"),
    "mobilenet_v2": Application("MobileNetV2", "tf"),
    "mobilenet_v3_small": Application("MobileNetV3Small", "tf", _PLAIN),
    "mobilenet_v3_large": Application("MobileNetV3Large", "tf", _PLAIN),
    **{f"efficientnet_b{i}": Application(f"EfficientNetB{i}", "torch") for i in range(8)},
}

BLOCK = re.compile(
    r"(block_?\d+[a-z]?_|expanded_conv_(?:\d+_)?|conv\d_block\d+_|conv_pw_\d+|"
    r"conv1_relu|Conv1_relu|out_relu|stem_activation|top_activation|avg_pool)"
)
"""Prefixes of the layers of a block; the last layer of each block represents a sample."""


def build_application(name: str, params: ImageNetParams, task_spec: TaskSpec) -> Network:
    """Make one of Keras's networks."""
    check_image(name, task_spec)
    application = APPLICATIONS[name]
    image = keras().Input(task_spec.sample_shape, name="image")
    tensor = imagenet_scaled(image, application.mode) if params.pretrained is True else image
    tensor = _rebuilt(_layers_of(application), tensor, _Adaptation(application, params, skipped_halvings(task_spec)))
    tensor = keras().layers.GlobalAveragePooling2D(name="avg_pool")(tensor)
    imagenet = (application.name, application.mode) if params.pretrained is True else None
    network = with_output(image, tensor, name, params, task_spec, imagenet=imagenet)
    return replace(network, layers=_block_ends(network.model))


@cache
def _layers_of(application: Application) -> list[dict[str, Any]]:
    """Return the configurations of the layers of Keras's network for 224x224, in order.

    Those of layers that can change the size include the ``side`` of their input.
    """
    make = getattr(keras().applications, application.name)
    with fresh_names(), undisturbed_seeds():
        network = make(weights=None, include_top=False, input_shape=(224, 224, 3), **dict(application.options))
    layers: list[dict[str, Any]] = network.get_config()["layers"]
    for entry in layers:
        if entry["class_name"] in {"Conv2D", "DepthwiseConv2D", "MaxPooling2D", "ZeroPadding2D"}:
            entry["side"] = network.get_layer(entry["name"]).input.shape[1]
    return layers


def _rebuilt(layers: list[dict[str, Any]], tensor: Any, adaptation: "_Adaptation") -> Any:
    """Apply the adapted layers to each other as Keras's network does; return the last tensor."""
    results: dict[str, Any] = {}
    for entry in layers:
        if entry["class_name"] == "InputLayer":
            results[entry["name"]] = tensor
            continue
        node = entry["inbound_nodes"][0]
        arguments = _with_results(node["args"], results)
        if adaptation.omits(entry):
            tensor = arguments[0]
        else:
            layer = keras().saving.deserialize_keras_object(adaptation.adapted(entry))
            tensor = layer(*arguments, **_with_results(node["kwargs"], results))
        results[entry["name"]] = tensor
    return tensor


def _with_results(argument: Any, results: Mapping[str, Any]) -> Any:
    """Replace the descriptions of tensors in the arguments of a layer by the tensors."""
    if isinstance(argument, list | tuple):
        return [_with_results(item, results) for item in argument]
    if not isinstance(argument, dict):
        return argument
    if argument.get("class_name") == "__keras_tensor__":
        return results[argument["config"]["keras_history"][0]]
    return {key: _with_results(value, results) for key, value in argument.items()}


@dataclass(frozen=True)
class _Adaptation:
    """How the layers of Keras's network are adapted to the size of the images.

    The first `skipped` halvings are skipped.
    """

    application: Application
    params: ImageNetParams
    skipped: int

    def omits(self, entry: Mapping[str, Any]) -> bool:
        """Whether a layer is omitted."""
        kind = entry["class_name"]
        if kind == "ZeroPadding2D":
            return self._pads_itself or self._is_skipped(entry)
        return kind in {"Rescaling", "Normalization"} or (kind == "MaxPooling2D" and self._is_skipped(entry))

    def adapted(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the adapted configuration of a layer."""
        config = dict(entry["config"])
        if config.get("strides") in ((2, 2), [2, 2]):
            config |= self._strided(entry)
        penalized = {"Conv2D": "kernel_regularizer", "DepthwiseConv2D": "depthwise_regularizer"}
        if self.params.l2 and entry["class_name"] in penalized:
            config[penalized[entry["class_name"]]] = keras().regularizers.L2(self.params.l2)
        return {key: entry[key] for key in ("module", "class_name", "registered_name")} | {"config": config}

    def _strided(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        if not self._is_skipped(entry):
            return {"padding": "same"} if self._pads_itself else {}
        stem = {"kernel_size": (3, 3)} if entry["name"] == "conv1_conv" and self.params.pretrained is not True else {}
        return {"strides": (1, 1), "padding": "same"} | stem

    @property
    def _pads_itself(self) -> bool:
        """Whether Keras's padding layers, made for one size, equal ``padding="same"``; those of ResNet do not."""
        return not self.application.name.startswith("ResNet")

    def _is_skipped(self, entry: Mapping[str, Any]) -> bool:
        """Whether a strided layer, or its padding, belongs to a halving that is skipped."""
        # 224, 112, 56, 28 or 14, and a few more where it is padded before.
        return int(math.log2(224)) - int(math.log2(entry["side"])) < self.skipped


def _block_ends(model: Any) -> tuple[str, ...]:
    """Return the name of the last layer of each block, in order."""
    ends: dict[str, str] = {}
    for layer in model.layers:
        if block := BLOCK.match(layer.name):
            ends[block[0]] = layer.name
    return tuple(ends.values())
