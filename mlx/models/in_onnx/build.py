"""From the settings of an exported network to the model."""

from typing import Any

from mlx.core.extras import require
from mlx.core.paths import from_root
from mlx.models.contract import Model
from mlx.models.settings import ModelSettings
from mlx.models.task_spec import TaskSpec


def build(kind: Any, settings: ModelSettings, task_spec: TaskSpec, seed: int) -> Model:  # noqa: ARG001  # nothing is drawn
    """Make the model of the file that `settings` name; it is read when it is loaded."""
    require("onnx", f"model {settings.name}")
    assert settings.architecture is not None
    model: Model = kind(settings.parameters(), task_spec, from_root(settings.architecture))
    return model
