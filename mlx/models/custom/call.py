"""Calls the user's function that makes a model."""

import inspect
from typing import Any

from mlx.core.errors import SettingsError
from mlx.core.user_code import UserFunction
from mlx.models.settings import ModelSettings
from mlx.models.task_spec import TaskSpec


def called(where: str, settings: ModelSettings, task_spec: TaskSpec) -> Any:
    """Return what the function ``file.py:name`` makes.

    It is called with ``n_classes`` and ``sample_shape`` if it has arguments of these names, and with ``model.params``
    by name.

    Raises
    ------
    DataError
        The function is missing, or fails.
    SettingsError
        It doesn't accept the parameters.
    """
    function = UserFunction(where, key="model.architecture", purpose="a model")
    return function(**_arguments(function, settings, task_spec))


def _arguments(function: UserFunction, settings: ModelSettings, task_spec: TaskSpec) -> dict[str, Any]:
    """Return the arguments of the function: `params`, and those of the task that it has.

    Raises
    ------
    SettingsError
        The function doesn't accept them, or has others.
    """
    signature = inspect.signature(function.function)
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())
    offered = {"n_classes": task_spec.n_classes, "sample_shape": task_spec.sample_shape}
    arguments = {name: value for name, value in offered.items() if takes_all or name in signature.parameters}
    arguments |= settings.parameters().as_dict()
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise SettingsError(
            f"expected the arguments of {settings.architecture}{signature}, found {error}", key=("model", "params")
        ) from None
    return arguments
