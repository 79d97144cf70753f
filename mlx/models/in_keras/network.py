"""What the builders of networks share: the input, the output, the checks of their settings."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mlx.core.errors import SettingsError
from mlx.models.contract import TaskSpec
from mlx.models.in_keras.params import NetworkParams
from mlx.models.in_keras.runtime import keras

MOST_WEIGHTS = 250_000_000  # a gigabyte, and the optimizer takes three times as much
SCORES = {"classification": "logits", "regression": "prediction"}
"""Name of the layer of K units before softmax, and of the one unit of a regression."""


@dataclass(frozen=True)
class Network:
    """A network that can be trained.

    Attributes
    ----------
    model : functional Keras model of one input and one output: probabilities (m, K), or values (m, 1).
    layers : names of the layers that represent a sample, from input to output.
    scores : name of the layer of logits (m, K), or of the values of a regression (m, 1).
    """

    model: Any
    layers: tuple[str, ...]
    scores: str


def finished(
    image: Any, tensor: Any, task_spec: TaskSpec, params: NetworkParams, *, name: str, hidden: Any = ()
) -> Any:
    """Put dense layers of the widths `hidden` and the output on `tensor` (m, units); return the Keras model."""
    module = keras()
    for i, width in enumerate(hidden, start=1):
        activation = getattr(params, "activation", "relu")
        tensor = module.layers.Dense(width, activation, name=f"hidden_{i}", **penalty(params))(tensor)
        if params.dropout:
            tensor = module.layers.Dropout(params.dropout, name=f"dropout_{i}")(tensor)
    if params.dropout and not hidden:
        tensor = module.layers.Dropout(params.dropout, name="dropout")(tensor)
    units = max(task_spec.n_classes, 1)
    tensor = module.layers.Dense(units, name=SCORES[task_spec.task], **penalty(params))(tensor)
    if task_spec.task == "classification":
        tensor = module.layers.Softmax(name="probabilities")(tensor)
    return module.Model(image, tensor, name=name)


def penalty(params: NetworkParams) -> dict[str, Any]:
    """Return the argument that puts the L2 penalty on a layer's kernel, where there is one."""
    return {"kernel_regularizer": keras().regularizers.L2(params.l2)} if params.l2 else {}


def representing(model: Any, pattern: str = "") -> tuple[str, ...]:
    """Return the names of the layers between input and output, or of those that match `pattern`."""
    inner = [layer.name for layer in model.layers[1:] if layer.name not in {"logits", "probabilities", "prediction"}]
    return tuple(n for n in inner if not n.startswith(("dropout", "as_sequence")) and re.search(pattern, n))


def check_classes(params: NetworkParams, task_spec: TaskSpec) -> None:
    """Refuse a number of classes that is not the data's.

    Raises
    ------
    SettingsError
        Names both numbers.
    """
    if params.num_classes is not None and params.num_classes != task_spec.n_classes:
        classes = f"{task_spec.n_classes}, as many classes as the dataset has"
        raise SettingsError(
            f"expected {classes if task_spec.n_classes else 'none, as the dataset is for regression'}, "
            f"found {params.num_classes}",
            key=("model", "params", "num_classes"),
        )


def check_image(name: str, task_spec: TaskSpec) -> None:
    """Refuse samples that are no images (height, width, channels).

    Raises
    ------
    SettingsError
        Names the shape of the samples.
    """
    if len(task_spec.sample_shape) != 3:
        raise SettingsError(
            f"expected a model for samples of shape {task_spec.sample_shape}, found {name}, "
            "which needs images (height, width, channels)",
            key=("model", "name"),
        )


def check_size(n_weights: int) -> None:
    """Refuse a network that would not fit into memory, before any of it is made.

    Raises
    ------
    SettingsError
        Names the number of weights.
    """
    if n_weights > MOST_WEIGHTS:
        raise SettingsError(
            f"expected widths that make at most {MOST_WEIGHTS:,} weights, found {n_weights:,}", key=("model", "params")
        )


def dense_weights(widths: Iterable[int]) -> int:
    """Count the weights of dense layers of consecutive `widths`, the input's first, biases left out."""
    return sum(a * b for a, b in pairwise(widths))
