"""A Keras network of the user's own, as a network that can be trained."""

from typing import Any

from mlx.core.errors import DataError
from mlx.models.contract import Model, TaskSpec
from mlx.models.in_keras.model import KerasModel
from mlx.models.in_keras.network import Network
from mlx.models.in_keras.runtime import keras


def adopted(made: Any, task_spec: TaskSpec, where: str) -> Model:
    """Put the output that every network here has on a functional or Sequential model.

    Its own output may be logits or probabilities. What a last softmax is applied to, be it a layer or an
    activation, is taken as the logits. A regression has one unit without activation.

    Raises
    ------
    DataError
        It is of another kind, for other samples or classes, or ends in another activation.
    """
    _check(made, task_spec, where)
    module = keras()
    output = made.outputs[0]
    scores = last = next(layer for layer in made.layers if layer.output is output)
    activation = getattr(last, "activation", module.activations.linear)
    if task_spec.task == "classification":
        if isinstance(last, module.layers.Softmax) or (
            isinstance(last, module.layers.Activation) and activation is module.activations.softmax
        ):
            scores = next(layer for layer in made.layers if layer.output is last.input)
        else:
            if activation is module.activations.softmax:
                last.activation = activation = module.activations.linear
            output = module.layers.Softmax(name="probabilities")(output)
    if scores is last and activation is not module.activations.linear:
        kinds = "a softmax or no activation" if task_spec.n_classes else "no activation"
        raise DataError(f"{where}: expected {kinds} at the output, found {activation.__name__}")
    model = module.Model(made.inputs, output, name="custom")
    return KerasModel(Network(model, _representing(model, {scores.name, last.name}), scores.name), task_spec)


def _check(made: Any, task_spec: TaskSpec, where: str) -> None:
    """Refuse what has not one tensor of samples at its input and one of outputs at its end."""
    module = keras()
    if isinstance(made, module.Sequential) and not made.built:
        made.build((None, *task_spec.sample_shape))
    if not isinstance(made, module.Sequential) and not hasattr(made, "operations"):
        raise DataError(
            f"{where}: expected a functional or Sequential Keras model, found {type(made).__name__}, "
            "whose layers can't be read"
        )
    shapes = [tuple(tensor.shape) for tensor in (*made.inputs, *made.outputs)]
    expected = [(None, *task_spec.sample_shape), (None, max(task_spec.n_classes, 1))]
    if shapes != expected:
        raise DataError(
            f"{where}: expected a model from {expected[0][1:]} to {expected[1][1:]}, "
            f"found one from {' and '.join(str(t.shape[1:]) for t in made.inputs)} "
            f"to {' and '.join(str(t.shape[1:]) for t in made.outputs)}"
        )


def _representing(model: Any, output: set[str]) -> tuple[str, ...]:
    """Return the names of the layers that give one tensor a sample, random ones and the output left out."""
    module = keras()
    random = (module.layers.Dropout, module.layers.GaussianNoise, module.layers.GaussianDropout)
    return tuple(
        layer.name
        for layer in model.layers[1:]
        if layer.name not in output | {"probabilities"}
        and not isinstance(layer, random)
        and not isinstance(layer.output, list | tuple | dict)
    )
