"""The model of recorded outputs, which is elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.models.contract import DirectModel
from mlx.models.settings import ModelSettings
from mlx.models.task_spec import BOTH_TASKS, TaskSpec


class RecordedModel(DirectModel):
    """A model that is not here; `extract-representations` copies what was recorded of it.

    Parameters
    ----------
    layers
        That were recorded, the one of the headline first.
    """

    tasks = BOTH_TASKS
    training_fields = frozenset()
    inference_only = True
    n_parameters = 0

    def __init__(self, task_spec: TaskSpec, layers: Sequence[str] = ("penultimate",)) -> None:
        self.task_spec, self.layers = task_spec, tuple(layers)

    @property
    def penultimate(self) -> str:
        """The layer of the headline."""
        return self.layers[0]

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> NoReturn:  # noqa: ARG002  # as all
        """Reject samples, which can't be run through a model that is elsewhere."""
        raise DataError("model recorded: expected recorded samples, found others: the model itself is not here")

    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Change nothing."""

    def save(self, folder: Path) -> None:
        """Write nothing."""

    def restore(self, folder: Path) -> None:
        """Read nothing."""


def build(kind: Any, settings: ModelSettings, task_spec: TaskSpec, seed: int) -> RecordedModel:  # noqa: ARG001  # as all
    """Make the model of recorded outputs."""
    model: RecordedModel = kind(task_spec)
    return model
