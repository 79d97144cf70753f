"""The networks of ``keras.applications``, taken layer by layer so that they suit small images.

Keras draws them for 224x224 in full; here each layer is made again from its configuration with what the images
ask for: the first halvings are left out (see `mlx.models.in_keras.stem`), padding follows the size, and the network's
own scaling of 0 … 255 gives way to the step ``preprocess-split``. At 224x224 with ImageNet's weights it computes what
Keras's does.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mlx.models.contract import TaskSpec
from mlx.models.in_keras.network import SCORES, Network, check_image, finished
from mlx.models.in_keras.params import ImageNetParams
from mlx.models.in_keras.pretrained import adopt, as_imagenet, fetched
from mlx.models.in_keras.runtime import fresh_names, keras, undisturbed_seeds
from mlx.models.in_keras.stem import dropped_halvings


@dataclass(frozen=True)
class Application:
    """One of Keras's networks.

    Attributes
    ----------
    name : of the function in ``keras.applications``.
    mode : the scale that its weights want, a key of `mlx.models.in_keras.pretrained.SCALES`.
    options : arguments of the function.
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
"""How the layers of a block begin; the last one of each block represents a sample."""


def build_application(name: str, params: ImageNetParams, task_spec: TaskSpec, *, fetch: bool) -> Network:
    """Make one of Keras's networks, with ImageNet's weights where `fetch` holds and they are asked for."""
    check_image(name, task_spec)
    application = APPLICATIONS[name]
    image = keras().Input(task_spec.sample_shape, name="image")
    tensor = as_imagenet(image, application.mode) if params.pretrained else image
    tensor = _replayed(_drawn(application), tensor, _Change(application, params, dropped_halvings(task_spec)))
    tensor = keras().layers.GlobalAveragePooling2D(name="avg_pool")(tensor)
    model = finished(image, tensor, task_spec, params, name=name)
    if params.pretrained and fetch:
        adopt(model, fetched(application.name), application.mode)
    return Network(model, _block_ends(model), SCORES[task_spec.task])


@cache
def _drawn(application: Application) -> list[dict[str, Any]]:
    """Return the configurations of the layers of Keras's network for 224x224, in their order.

    Those that change the size are told the ``side`` of the images they are given.
    """
    make = getattr(keras().applications, application.name)
    with fresh_names(), undisturbed_seeds():
        network = make(weights=None, include_top=False, input_shape=(224, 224, 3), **dict(application.options))
    layers: list[dict[str, Any]] = network.get_config()["layers"]
    for entry in layers:
        if entry["class_name"] in {"Conv2D", "DepthwiseConv2D", "MaxPooling2D", "ZeroPadding2D"}:
            entry["side"] = network.get_layer(entry["name"]).input.shape[1]
    return layers


def _replayed(drawn: list[dict[str, Any]], tensor: Any, change: "_Change") -> Any:
    """Make each layer as `change` has it and apply it to what Keras's network applies it to."""
    results: dict[str, Any] = {}
    for entry in drawn:
        if entry["class_name"] == "InputLayer":
            results[entry["name"]] = tensor
            continue
        node = entry["inbound_nodes"][0]
        arguments = _with_results(node["args"], results)
        if change.leaves_out(entry):
            tensor = arguments[0]
        else:
            layer = keras().saving.deserialize_keras_object(change.made(entry))
            tensor = layer(*arguments, **_with_results(node["kwargs"], results))
        results[entry["name"]] = tensor
    return tensor


def _with_results(argument: Any, results: Mapping[str, Any]) -> Any:
    """Put the tensors in place of their descriptions in the arguments of a layer."""
    if isinstance(argument, list | tuple):
        return [_with_results(item, results) for item in argument]
    if not isinstance(argument, dict):
        return argument
    if argument.get("class_name") == "__keras_tensor__":
        return results[argument["config"]["keras_history"][0]]
    return {key: _with_results(value, results) for key, value in argument.items()}


@dataclass(frozen=True)
class _Change:
    """What is changed about the layers of Keras's network.

    Attributes
    ----------
    dropped : how many of the first halvings are left out.
    """

    application: Application
    params: ImageNetParams
    dropped: int

    def leaves_out(self, entry: Mapping[str, Any]) -> bool:
        """Say whether a layer has no place in the network."""
        kind = entry["class_name"]
        if kind == "ZeroPadding2D":
            return self._pads_itself or self._is_dropped(entry)
        return kind in {"Rescaling", "Normalization"} or (kind == "MaxPooling2D" and self._is_dropped(entry))

    def made(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changed configuration of a layer."""
        config = dict(entry["config"])
        if config.get("strides") in ((2, 2), [2, 2]):
            config |= self._strided(entry)
        penalized = {"Conv2D": "kernel_regularizer", "DepthwiseConv2D": "depthwise_regularizer"}
        if self.params.l2 and entry["class_name"] in penalized:
            config[penalized[entry["class_name"]]] = keras().regularizers.L2(self.params.l2)
        return {key: entry[key] for key in ("module", "class_name", "registered_name")} | {"config": config}

    def _strided(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        if not self._is_dropped(entry):
            return {"padding": "same"} if self._pads_itself else {}
        stem = {"kernel_size": (3, 3)} if entry["name"] == "conv1_conv" and not self.params.pretrained else {}
        return {"strides": (1, 1), "padding": "same"} | stem

    @property
    def _pads_itself(self) -> bool:
        """Whether Keras pads for a stride as ``padding="same"`` does, by a layer made for one size; ResNet does not."""
        return not self.application.name.startswith("ResNet")

    def _is_dropped(self, entry: Mapping[str, Any]) -> bool:
        """Say whether a strided layer, or the padding for one, belongs to a halving that is left out."""
        # 224, 112, 56, 28 or 14, and a few more where it is padded before.
        return int(math.log2(224)) - int(math.log2(entry["side"])) < self.dropped


def _block_ends(model: Any) -> tuple[str, ...]:
    """Return the names of the last layers of the blocks, in their order."""
    ends: dict[str, str] = {}
    for layer in model.layers:
        if block := BLOCK.match(layer.name):
            ends[block[0]] = layer.name
    return tuple(ends.values())
