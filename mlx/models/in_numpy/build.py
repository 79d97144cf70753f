"""From the settings of a NumPy model to the model."""

from collections.abc import Callable
from typing import Any

from mlx.core.errors import SettingsError
from mlx.core.streams import stream
from mlx.models.contract import Model
from mlx.models.in_numpy.heads import n_units
from mlx.models.in_numpy.least_squares_model import LeastSquaresModel
from mlx.models.in_numpy.network import HIDDEN_LAYERS, Network
from mlx.models.in_numpy.network_model import NetworkModel
from mlx.models.in_numpy.params import LinearRegressionParams, MlpParams
from mlx.models.in_numpy.trainer import Limits
from mlx.models.settings import ModelSettings
from mlx.models.task_check import WHERE_STATED, check_size, dense_weights, require_task
from mlx.models.task_spec import TaskSpec


def build(
    make: Callable[[Any, TaskSpec, int], Model], settings: ModelSettings, task_spec: TaskSpec, seed: int
) -> Model:
    """Make the NumPy model that `settings` name; a seed in its parameters overrides `seed`."""
    return make(settings.parameters(), task_spec, seed)


def make_linear_regression(params: LinearRegressionParams, task_spec: TaskSpec, seed: int) -> Model:
    """Make a linear regression, in closed form or by gradient descent."""
    require_task("linear_regression", LeastSquaresModel.tasks, task_spec)
    if not params.use_gradient_descent:
        return LeastSquaresModel(params, task_spec)
    network = _initialized((task_spec.n_features, 1), "relu", params.seed, seed)
    return NetworkModel(task_spec, network, "none", ridge=params.l2_regularization, own=params.optimizer_config)


def make_mlp(params: MlpParams, task_spec: TaskSpec, seed: int) -> Model:
    """Make a multi-layer perceptron."""
    output = _output_activation(params, task_spec)
    network = _initialized(_layer_sizes(params, task_spec, output), params.activation, params.seed, seed)
    limits = Limits(gradient=params.gradient_clip, parameters=params.weight_clip)
    return NetworkModel(task_spec, network, output, l2=params.l2, limits=limits, own=params.optimizer_config)


def _initialized(sizes: tuple[int, ...], activation: str, own_seed: int | None, seed: int) -> Network:
    check_size(dense_weights(sizes))
    network = Network(sizes, activation)
    network.initialize(stream(seed if own_seed is None else own_seed))
    return network


def _output_activation(params: MlpParams, task_spec: TaskSpec) -> str:
    suitable = ("softmax", "sigmoid") if task_spec.task == "classification" else ("none",)
    chosen = params.output_activation or suitable[0]
    if chosen not in suitable:
        raise SettingsError(
            f"expected {' or '.join(suitable)} for {task_spec.task}, which the dataset is, "
            f"found {chosen}{WHERE_STATED}",
            key=("model", "params", "output_activation"),
        )
    return chosen


def _layer_sizes(params: MlpParams, task_spec: TaskSpec, output: str) -> tuple[int, ...]:
    n_in = task_spec.n_features
    n_out = n_units(output, task_spec.n_outputs)
    if params.layer_sizes is None:
        hidden = HIDDEN_LAYERS if params.hidden_layers is None else params.hidden_layers
        return (n_in, *hidden, n_out)
    first, *hidden, last = params.layer_sizes
    if (first, last) != (n_in, n_out):
        shape = f"samples of shape {task_spec.sample_shape}"
        wanted = f"{task_spec.n_classes} classes with {output}" if task_spec.n_classes else "regression"
        raise SettingsError(
            f"expected {n_in} at the input for {shape} and {n_out} at the output for {wanted}, "
            f"found {params.layer_sizes}; use hidden_layers to infer both ends",
            key=("model", "params", "layer_sizes"),
        )
    return tuple(params.layer_sizes)
