"""Checks the task of a model, with one message for all libraries."""

from mlx.core.errors import SettingsError
from mlx.models.contract import Task, TaskSpec

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
