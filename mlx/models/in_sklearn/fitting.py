"""What all scikit-learn models share: checks of parameters and samples, and the fit itself."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.descriptions import Task
from mlx.core.errors import DataError, SettingsError
from mlx.core.settings import Settings
from mlx.models.task_check import WHERE_STATED
from mlx.models.task_spec import TaskSpec


def flattened(X: Array) -> Array:
    """Return ``X`` (m, *sample_shape) as a table (m, d) of floats."""
    table = X.reshape(len(X), -1)
    return table if table.dtype.kind == "f" else table.astype(np.float64)


def fitted(name: str, estimator: Any, table: Array, y: Array, task_spec: TaskSpec) -> Any:
    """Fit `estimator` to ``table`` (n, d) and ``y`` (n,), and return it.

    Raises
    ------
    DataError
        A class has no training sample, or scikit-learn can't use the samples.

    Warns
    -----
    RuntimeWarning
        The fit did not converge: gives the number of iterations, and remedies.
    """
    from sklearn.exceptions import ConvergenceWarning

    if task_spec.task == "classification":
        check_classes_present(name, y, task_spec)
    # A forest uses single precision, and rejects larger values.
    with warnings.catch_warnings(record=True) as caught, np.errstate(over="ignore"):
        warnings.simplefilter("always")
        try:
            estimator.fit(table, y)
        except ValueError as error:
            raise DataError(f"{name}: {' '.join(str(error).split())}") from None
    for warning in caught:
        if not issubclass(warning.category, ConvergenceWarning):
            warnings.warn(warning.message, stacklevel=2)
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        warnings.warn(
            f"{name} did not converge in {estimator_limit(estimator)} iterations; raise model.params.max_iter, "
            "lower C, or use preprocessing.scaling: standard",
            RuntimeWarning,
            stacklevel=2,
        )
    return estimator


def check_classes_present(name: str, y: Array, task_spec: TaskSpec) -> None:
    """Reject training labels ``y`` (n,) that lack one of the classes.

    Raises
    ------
    DataError
        Lists the classes without a label, by their names where they are known.
    """
    if absent := sorted(set(range(task_spec.n_classes)) - set(np.unique(y).tolist())):
        named = [task_spec.class_names[k] if task_spec.class_names else k for k in absent]
        raise DataError(f"{name}: expected training samples of every class, found none of {named}")


def estimator_limit(estimator: Any) -> int:
    """Return the largest number of iterations of `estimator`, or of the one inside it."""
    return int(getattr(estimator, "max_iter", None) or estimator.estimator.max_iter)


def check_task_params(params: Settings, task: Task, *, only: Mapping[str, Task]) -> None:
    """Reject a parameter of another task than `task`.

    The parameters that `only` one task has are given with that task.

    Raises
    ------
    SettingsError
        Names the first of them whose value is not its default.
    """
    for field, its_task in only.items():
        default, found = type(params).model_fields[field].default, getattr(params, field)
        if its_task != task and found != default:
            raise SettingsError(
                f"expected {default if default is not None else 'null'}, as it is for {its_task} and the dataset is "
                f"a {task}, found {found}{WHERE_STATED}",
                key=("model", "params", field),
            )


def resolve_auto(params: Settings, task: Task, field: str, choices: Mapping[Task, tuple[str, ...]]) -> str:
    """Return the value of `field` for `task`, where auto means the first of its `choices`.

    Raises
    ------
    SettingsError
        The value is for the other task.
    """
    found = getattr(params, field)
    if found == "auto":
        return choices[task][0]
    if found not in choices[task]:
        raise SettingsError(
            f"expected one of auto, {', '.join(choices[task])}, as the dataset is a {task}, "
            f"found {found}{WHERE_STATED}",
            key=("model", "params", field),
        )
    return str(found)
