"""What the builders of all networks share: hidden dense layers, the output, and checks of the settings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx.core.errors import SettingsError
from mlx.models.in_keras.params import NetworkParams
from mlx.models.in_keras.runtime import keras
from mlx.models.task_spec import TaskSpec

SCORES = {"classification": "logits", "regression": "prediction"}
"""Name of the layer of K units before softmax, and of the one unit of a regression."""


@dataclass(frozen=True)
class Network:
    """A network that can be trained.

    Attributes
    ----------
    model
        Functional Keras model of one input and one output: probabilities (m, K), or values (m, 1).
    layers
        Names of the layers that represent a sample, from input to output.
    scores
        Name of the layer of logits (m, K), or of the values of a regression (m, 1).
    imagenet
        The function of ``keras.applications`` whose ImageNet weights it starts from, and their input scale, a key of
        `mlx.models.in_keras.pretrained.SCALES`; None for random initial weights.
    weights_file
        The file whose weights it starts from, or None.
    """

    model: Any
    layers: tuple[str, ...]
    scores: str
    imagenet: tuple[str, str] | None = None
    weights_file: Path | None = None


def with_output(
    sample: Any,
    tensor: Any,
    name: str,
    params: NetworkParams,
    task_spec: TaskSpec,
    *,
    hidden: Sequence[int] = (),
    pattern: str = "",
    imagenet: tuple[str, str] | None = None,
) -> Network:
    """Complete a network by dense layers and the output.

    Parameters
    ----------
    sample, tensor
        The input, and the last layer (m, units) so far.
    hidden
        Widths of the dense layers.
    pattern
        Matches the names of the layers that represent a sample; by default all inner ones.
    """
    module = keras()
    for i, width in enumerate(hidden, start=1):
        activation = getattr(params, "activation", "relu")
        tensor = module.layers.Dense(width, activation, name=f"hidden_{i}", **penalty(params))(tensor)
        if params.dropout:
            tensor = module.layers.Dropout(params.dropout, name=f"dropout_{i}")(tensor)
    if params.dropout and not hidden:
        tensor = module.layers.Dropout(params.dropout, name="dropout")(tensor)
    scores = SCORES[task_spec.task]
    tensor = module.layers.Dense(task_spec.n_outputs, name=scores, **penalty(params))(tensor)
    if task_spec.task == "classification":
        tensor = module.layers.Softmax(name="probabilities")(tensor)
    model = module.Model(sample, tensor, name=name)
    return Network(model, _representations(model, pattern), scores, imagenet)


def penalty(params: NetworkParams) -> dict[str, Any]:
    """Return the argument that sets the L2 penalty of a layer's kernel."""
    return {"kernel_regularizer": keras().regularizers.L2(params.l2)} if params.l2 else {}


def _representations(model: Any, pattern: str) -> tuple[str, ...]:
    inner = [layer.name for layer in model.layers[1:] if layer.name not in {"logits", "probabilities", "prediction"}]
    return tuple(n for n in inner if not n.startswith(("dropout", "as_sequence")) and re.search(pattern, n))


def check_classes(params: NetworkParams, task_spec: TaskSpec) -> None:
    """Reject a number of classes other than that of the data.

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


def freeze(model: Any, n: int) -> None:
    """Exclude the first `n` layers with weights from training.

    Raises
    ------
    SettingsError
        No layer would be left.
    """
    layers = [layer for layer in model.layers if layer.weights]
    if n >= len(layers):
        names = ", ".join(layer.name for layer in layers)
        raise SettingsError(
            f"expected less than {len(layers)}, the layers with weights ({names}), found {n}",
            key=("model", "params", "freeze"),
        )
    for layer in layers[:n]:
        layer.trainable = False


def check_image(name: str, task_spec: TaskSpec) -> None:
    """Reject samples that are not images (height, width, channels).

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
