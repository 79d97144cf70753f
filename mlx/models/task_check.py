"""Checks the task and the size of a model, with one message for all libraries."""

from collections.abc import Iterable
from itertools import pairwise

from mlx.core.descriptions import Task
from mlx.core.errors import SettingsError
from mlx.core.recorded import RECORDED
from mlx.models.task_spec import TaskSpec

WHERE_STATED = "; dataset.params.task states what the targets of custom data are"


def require_task(name: str, tasks: frozenset[Task], task_spec: TaskSpec) -> None:
    """Reject a model `name`, which is for `tasks`, for another task.

    Raises
    ------
    SettingsError
        Names the tasks.
    """
    if task_spec.task not in tasks:
        raise SettingsError(
            f"expected a model for {task_spec.task}, which the dataset is, found {name}, "
            f"which is for {' and '.join(sorted(tasks))}{WHERE_STATED}",
            key=("model", "name"),
        )


def check_recorded(name: str, recorded: object) -> None:
    """Reject a model `name` for recorded outputs that is not `RECORDED`, and this one for samples.

    Raises
    ------
    SettingsError
        Names both.
    """
    if (name == RECORDED) != (recorded is not None):
        wanted = "recorded, as dataset.name is" if recorded else "a model of samples, as dataset.name is not recorded"
        raise SettingsError(f"expected {wanted}, found {name}", key=("model", "name"))


MOST_WEIGHTS = 250_000_000
"""One gigabyte in single precision; the optimizer takes three times as much."""


def check_size(n_weights: int) -> None:
    """Reject a network that would not fit into memory, before it is made.

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
    """Count the weights of dense layers of consecutive `widths`, the input's first, without biases."""
    return sum(a * b for a, b in pairwise(widths))
