"""From the `training` section to the options of a model's optimizer."""

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import SettingsError
from mlx.models import Optimization, TaskSpec
from mlx.training.settings import TrainingSettings

ADAMW_DECAY = 0.004  # Keras's default; without decay, adamw is adam


def optimization_of(settings: TrainingSettings, task_spec: TaskSpec, y: Array) -> Optimization:
    """Return how a model updates its weights.

    Balanced class weights are computed from the targets `y` (n,) of the training split.

    Raises
    ------
    SettingsError
        The number of class weights is not the number of classes, or all are 0.
    """
    params = settings.params
    return Optimization(
        optimizer=settings.optimizer,
        learning_rate=settings.learning_rate,
        momentum=params.momentum,
        weight_decay=_weight_decay(settings),
        clip_norm=params.clip_norm,
        clip_value=params.clip_value,
        label_smoothing=params.label_smoothing,
        class_weights=_class_weights(params.class_weights, task_spec, y),
        n_samples=len(y),
    )


def _weight_decay(settings: TrainingSettings) -> float:
    if settings.params.weight_decay is not None:
        return settings.params.weight_decay
    return ADAMW_DECAY if settings.optimizer == "adamw" else 0.0


def _class_weights(given: str | list[float] | None, task_spec: TaskSpec, y: Array) -> tuple[float, ...] | None:
    if given is None or task_spec.task == "regression":
        return None
    k = task_spec.n_classes
    if isinstance(given, list):
        if len(given) != k or not any(given):
            raise SettingsError(
                f"expected a weight for each of {k} classes, not all 0, found {given}",
                key=("training", "params", "class_weights"),
            )
        return tuple(given)
    # As scikit-learn's class_weight="balanced"; a class without samples has no loss to weight.
    counts = np.bincount(y, minlength=k)
    return tuple((len(y) / (k * np.maximum(counts, 1))).tolist())
