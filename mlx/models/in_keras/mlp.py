"""Dense layers on the flattened sample, in Keras."""

from mlx.models.in_keras.network import Network, with_output
from mlx.models.in_keras.params import KerasMlpParams
from mlx.models.in_keras.runtime import keras
from mlx.models.task_check import check_size, dense_weights
from mlx.models.task_spec import TaskSpec


def build_mlp(name: str, params: KerasMlpParams, task_spec: TaskSpec) -> Network:
    """Make a multilayer perceptron for samples of any shape."""
    check_size(dense_weights([task_spec.n_features, *params.hidden_layers, task_spec.n_outputs]))
    module = keras()
    sample = module.Input(task_spec.sample_shape, name="sample")
    flat = module.layers.Flatten(name="flatten")(sample)
    return with_output(sample, flat, name, params, task_spec, hidden=params.hidden_layers)
