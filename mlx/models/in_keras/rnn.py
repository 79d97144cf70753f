"""A recurrent network in Keras: an image is read row by row, a table feature by feature."""

import math
from typing import Any

from mlx.core.errors import SettingsError
from mlx.models.contract import TaskSpec
from mlx.models.in_keras.network import SCORES, Network, check_size, dense_weights, finished, penalty, representing
from mlx.models.in_keras.params import RnnParams
from mlx.models.in_keras.runtime import keras

MOST_UNROLLED = 64  # steps; written out one by one they run several times faster than a loop, and compile slower


def build_rnn(params: RnnParams, task_spec: TaskSpec) -> Network:
    """Make recurrent layers and, after the last step, dense ones."""
    steps, width = _sequence(task_spec)
    _check_weights(params, task_spec, width)
    module = keras()
    sample = module.Input(task_spec.sample_shape, name="sample")
    tensor = module.layers.Reshape((steps, width), name="as_sequence")(sample)
    for i, units in enumerate(params.units, start=1):
        tensor = _recurrent(params, i, units, steps)(tensor)
    model = finished(sample, tensor, task_spec, params, name="rnn", hidden=params.hidden_layers)
    return Network(model, representing(model), SCORES[task_spec.task])


def _sequence(task_spec: TaskSpec) -> tuple[int, int]:
    """Return how many steps a sample has, and the width of each.

    Raises
    ------
    SettingsError
        The sample is a single number, which is no sequence.
    """
    steps, *inner = task_spec.sample_shape
    if steps * math.prod(inner) < 2:
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
    total = dense_weights([params.units[-1] * ways, *params.hidden_layers, max(task_spec.n_classes, 1)])
    for units in params.units:
        total += ways * gates * units * (width + units)
        width = ways * units
    check_size(total)
