"""From the settings of a Keras network to the model."""

from collections.abc import Callable
from typing import Any

from mlx.core.extras import require
from mlx.models.contract import Model, TaskSpec
from mlx.models.in_keras.model import KerasModel
from mlx.models.in_keras.network import Network, check_classes
from mlx.models.in_keras.params import NetworkParams
from mlx.models.in_keras.pretrained import load_imagenet_weights
from mlx.models.in_keras.runtime import fresh_names, keras
from mlx.models.settings import ModelSettings


def build(
    make: Callable[[str, Any, TaskSpec], Network],
    settings: ModelSettings,
    task_spec: TaskSpec,
    seed: int,
    *,
    pretrained: bool,
) -> Model:
    """Make the network that `settings` name, with ImageNet's weights if `pretrained` and the settings ask for them."""
    require("keras", f"model {settings.name}")
    params = settings.parameters()
    assert isinstance(params, NetworkParams)
    check_classes(params, task_spec)
    keras().utils.set_random_seed(seed)
    with fresh_names():
        network = make(settings.name, params, task_spec)
        if network.imagenet and pretrained:
            load_imagenet_weights(network.model, *network.imagenet)
        return KerasModel(network, task_spec)
