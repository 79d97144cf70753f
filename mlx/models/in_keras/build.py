"""From the settings of a Keras network to the model."""

from collections.abc import Callable
from typing import Any

from mlx.models.contract import Model, Problem
from mlx.models.in_keras.cnn import build_cnn
from mlx.models.in_keras.mlp import build_mlp
from mlx.models.in_keras.model import KerasModel
from mlx.models.in_keras.network import Network, check_classes
from mlx.models.in_keras.params import NetworkParams
from mlx.models.in_keras.rnn import build_rnn
from mlx.models.in_keras.runtime import keras
from mlx.models.settings import ModelSettings

BUILDERS: dict[str, Callable[[Any, Problem], Network]] = {"cnn": build_cnn, "keras_mlp": build_mlp, "rnn": build_rnn}


def build_keras(settings: ModelSettings, problem: Problem, seed: int) -> Model:
    """Make the network that `settings` name."""
    params = settings.parameters()
    assert isinstance(params, NetworkParams)
    check_classes(params, problem)
    keras().utils.set_random_seed(seed)
    return KerasModel(BUILDERS[settings.name](params, problem), problem)
