"""From the settings of a Keras network to the model."""

from collections.abc import Callable
from functools import partial
from typing import Any

from mlx.models.contract import Model, TaskSpec
from mlx.models.in_keras.applications import APPLICATIONS, build_application
from mlx.models.in_keras.cnn import build_cnn
from mlx.models.in_keras.mlp import build_mlp
from mlx.models.in_keras.model import KerasModel
from mlx.models.in_keras.network import Network, check_classes
from mlx.models.in_keras.params import NetworkParams
from mlx.models.in_keras.resnet import DEPTHS, build_resnet
from mlx.models.in_keras.rnn import build_rnn
from mlx.models.in_keras.runtime import fresh_names, keras
from mlx.models.in_keras.vgg import DEPTHS as VGG_DEPTHS
from mlx.models.in_keras.vgg import build_vgg
from mlx.models.settings import ModelSettings


def build_keras(settings: ModelSettings, task_spec: TaskSpec, seed: int, *, fetch: bool = True) -> Model:
    """Make the network that `settings` name.

    Parameters
    ----------
    fetch : get pretrained weights where they are asked for; a network about to be restored needs none.
    """
    params = settings.parameters()
    assert isinstance(params, NetworkParams)
    check_classes(params, task_spec)
    keras().utils.set_random_seed(seed)
    with fresh_names():
        return KerasModel(_builders(fetch)[settings.name](params, task_spec), task_spec)


def _builders(fetch: bool) -> dict[str, Callable[[Any, TaskSpec], Network]]:
    """Return the function that makes each network, by the network's name."""
    return {
        "cnn": build_cnn,
        "keras_mlp": build_mlp,
        "rnn": build_rnn,
        **{name: partial(build_resnet, name) for name in DEPTHS},
        **{name: partial(build_vgg, name, fetch=fetch) for name in VGG_DEPTHS},
        **{name: partial(build_application, name, fetch=fetch) for name in APPLICATIONS},
    }
