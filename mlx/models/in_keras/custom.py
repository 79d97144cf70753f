"""Wraps a user's Keras network as a model."""

from typing import Any

from mlx.core.errors import DataError
from mlx.models.contract import Model
from mlx.models.in_keras.model import KerasModel
from mlx.models.in_keras.network import Network
from mlx.models.in_keras.runtime import keras
from mlx.models.task_spec import TaskSpec


def wrapped(network: Any, task_spec: TaskSpec, where: str) -> Model:
    """Wrap a functional or Sequential model, with the probabilities as its output.

    Its own output may be logits or probabilities; the input of a final softmax, as a layer or an activation, is
    taken as the logits. A regression has one unit without activation.

    Raises
    ------
    DataError
        It is of another class, for other samples or classes, or ends in another activation.
    """
    _check(network, task_spec, where)
    module = keras()
    output = network.outputs[0]
    scores = last = next(layer for layer in network.layers if layer.output is output)
    activation = getattr(last, "activation", module.activations.linear)
    if task_spec.task == "classification":
        if isinstance(last, module.layers.Softmax) or (
            isinstance(last, module.layers.Activation) and activation is module.activations.softmax
        ):
            scores = next(layer for layer in network.layers if layer.output is last.input)
        else:
            if activation is module.activations.softmax:
                last.activation = activation = module.activations.linear
            output = module.layers.Softmax(name="probabilities")(output)
    if scores is last and activation is not module.activations.linear:
        kinds = "a softmax or no activation" if task_spec.n_classes else "no activation"
        raise DataError(f"{where}: expected {kinds} at the output, found {activation.__name__}")
    model = module.Model(network.inputs, output, name="custom")
    return KerasModel(Network(model, _representing(model, {scores.name, last.name}), scores.name), task_spec)


def _check(network: Any, task_spec: TaskSpec, where: str) -> None:
    """Reject a network without exactly one input, for the samples, and one output."""
    module = keras()
    if isinstance(network, module.Sequential) and not network.built:
        network.build((None, *task_spec.sample_shape))
    if not isinstance(network, module.Sequential) and not hasattr(network, "operations"):
        raise DataError(
            f"{where}: expected a functional or Sequential Keras model, found {type(network).__name__}, "
            "whose layers can't be read"
        )
    shapes = [tuple(tensor.shape) for tensor in (*network.inputs, *network.outputs)]
    expected = [(None, *task_spec.sample_shape), (None, task_spec.n_outputs)]
    if shapes != expected:
        raise DataError(
            f"{where}: expected a model from {expected[0][1:]} to {expected[1][1:]}, "
            f"found one from {' and '.join(str(t.shape[1:]) for t in network.inputs)} "
            f"to {' and '.join(str(t.shape[1:]) for t in network.outputs)}"
        )


def _representing(model: Any, output: set[str]) -> tuple[str, ...]:
    """Return the names of the layers with one output tensor, without random layers and the output."""
    module = keras()
    random = (module.layers.Dropout, module.layers.GaussianNoise, module.layers.GaussianDropout)
    return tuple(
        layer.name
        for layer in model.layers[1:]
        if layer.name not in output | {"probabilities"}
        and not isinstance(layer, random)
        and not isinstance(layer.output, list | tuple | dict)
    )
