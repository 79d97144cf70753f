"""From the settings of a Keras network to the model."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mlx.core.extras import require
from mlx.core.paths import from_root
from mlx.models.contract import Model
from mlx.models.in_keras.model import KerasModel
from mlx.models.in_keras.network import Network, check_classes, freeze
from mlx.models.in_keras.params import NetworkParams
from mlx.models.in_keras.runtime import fresh_names, keras
from mlx.models.settings import ModelSettings
from mlx.models.task_spec import TaskSpec


def build(
    make: Callable[[str, Any, TaskSpec], Network], settings: ModelSettings, task_spec: TaskSpec, seed: int
) -> Model:
    """Make the network that `settings` name."""
    require("keras", f"model {settings.name}")
    params = settings.parameters()
    assert isinstance(params, NetworkParams)
    check_classes(params, task_spec)
    keras().utils.set_random_seed(seed)
    with fresh_names():
        network = make(settings.name, params, task_spec)
        freeze(network.model, params.freeze)
        if isinstance(params.pretrained, str):
            network = replace(network, weights_file=from_root(params.pretrained))
        return KerasModel(network, task_spec)
