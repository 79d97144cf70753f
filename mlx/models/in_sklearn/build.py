"""From the settings of a scikit-learn model to the model."""

from typing import Any

from mlx.models.contract import Model
from mlx.models.settings import ModelSettings
from mlx.models.task_check import require_task
from mlx.models.task_spec import TaskSpec


def build(kind: Any, settings: ModelSettings, task_spec: TaskSpec, seed: int) -> Model:  # noqa: ARG001  # `fit` takes it
    """Make the scikit-learn model that `settings` name."""
    require_task(settings.name, kind.tasks, task_spec)
    model: Model = kind(settings.parameters(), task_spec)
    return model
