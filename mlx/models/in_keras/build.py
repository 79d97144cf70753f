"""From the settings of a Keras network to the model."""

from mlx.models.contract import Model, Problem
from mlx.models.in_keras.cnn import Cnn
from mlx.models.in_keras.params import CnnParams
from mlx.models.settings import ModelSettings
from mlx.models.suits import require_task


def build_keras(settings: ModelSettings, problem: Problem, seed: int) -> Model:
    """Make the network that `settings` name."""
    require_task(settings.name, Cnn.tasks, problem)
    params = settings.parameters()
    assert isinstance(params, CnnParams)
    return Cnn(params, problem, seed)
