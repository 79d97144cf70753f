"""Dense layers on the flattened sample, in Keras."""

import math

from mlx.models.contract import TaskSpec
from mlx.models.in_keras.network import SCORES, Network, check_size, dense_weights, finished, representing
from mlx.models.in_keras.params import KerasMlpParams
from mlx.models.in_keras.runtime import keras


def build_mlp(params: KerasMlpParams, task_spec: TaskSpec) -> Network:
    """Make a multilayer perceptron for samples of any shape."""
    check_size(dense_weights([math.prod(task_spec.sample_shape), *params.hidden_layers, max(task_spec.n_classes, 1)]))
    module = keras()
    sample = module.Input(task_spec.sample_shape, name="sample")
    flat = module.layers.Flatten(name="flatten")(sample)
    model = finished(sample, flat, task_spec, params, name="keras_mlp", hidden=params.hidden_layers)
    return Network(model, representing(model), SCORES[task_spec.task])
