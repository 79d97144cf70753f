"""A recurrent network in Keras, which reads an image row by row and a table feature by feature."""

import math
from typing import Any

from mlx.core.errors import SettingsError
from mlx.models.in_keras.network import Network, penalty, with_output
from mlx.models.in_keras.params import RnnParams
from mlx.models.in_keras.runtime import keras
from mlx.models.task_check import check_size, dense_weights
from mlx.models.task_spec import TaskSpec

MOST_UNROLLED = 64  # steps; an unrolled loop runs several times faster and compiles slower


def build_rnn(name: str, params: RnnParams, task_spec: TaskSpec) -> Network:
    """Make recurrent layers and, after the last step, dense ones."""
    steps, width = _sequence(task_spec)
    _check_weights(params, task_spec, width)
    module = keras()
    sample = module.Input(task_spec.sample_shape, name="sample")
    tensor = module.layers.Reshape((steps, width), name="as_sequence")(sample)
    for i, units in enumerate(params.units, start=1):
        tensor = _recurrent(params, i, units, steps)(tensor)
    return with_output(sample, tensor, name, params, task_spec, hidden=params.hidden_layers)


def _sequence(task_spec: TaskSpec) -> tuple[int, int]:
    """Return the number of steps of a sample, and the width of a step.

    Raises
    ------
    SettingsError
        The sample is a single number.
    """
    steps, *inner = task_spec.sample_shape
    if task_spec.n_features < 2:
        raise SettingsError(
            f"expected a model for samples of shape {task_spec.sample_shape}, found rnn, which needs a sequence",
            key=("model", "name"),
        )
    return steps, math.prod(inner)


def _recurrent(params: RnnParams, i: int, units: int, steps: int) -> Any:
    layers = keras().layers
    layer = {"lstm": layers.LSTM, "gru": layers.GRU}[params.cell](
        units,
        return_sequences=i < len(params.units),
        unroll=steps <= MOST_UNROLLED,
        name=f"{params.cell}_{i}",
        **penalty(params),
    )
    return layers.Bidirectional(layer, name=f"both_{i}") if params.bidirectional else layer


def _check_weights(params: RnnParams, task_spec: TaskSpec, width: int) -> None:
    gates, ways = {"lstm": 4, "gru": 3}[params.cell], 1 + params.bidirectional
    total = dense_weights([params.units[-1] * ways, *params.hidden_layers, task_spec.n_outputs])
    for units in params.units:
        total += ways * gates * units * (width + units)
        width = ways * units
    check_size(total)
