"""From a user's function to a model: a Keras network, or any object that follows the contract.

The function is called with ``n_classes`` and ``sample_shape`` if it has arguments of these names, and with
``model.params`` by name. It is called again, with the same arguments, when the trained model is loaded.
"""

import inspect
from collections.abc import Callable
from typing import Any

from mlx.core.errors import DataError, SettingsError
from mlx.core.extras import missing
from mlx.core.user_code import UserFunction
from mlx.models.contract import DirectModel, IterativeModel, Model, TaskSpec
from mlx.models.settings import ModelSettings
from mlx.models.task_check import require_task


def build(
    call: Callable[[ModelSettings, TaskSpec, int], Any], settings: ModelSettings, task_spec: TaskSpec, seed: int
) -> Model:
    """Call the function that `settings` name, and check its result.

    Raises
    ------
    DataError
        The function is missing, fails, or returns something else than a model for `task_spec`.
    SettingsError
        The function doesn't accept the parameters, or the model is for another task.
    """
    made, where = call(settings, task_spec, seed), settings.architecture
    assert where is not None
    if not isinstance(made, DirectModel | IterativeModel):
        raise DataError(
            f"{where}: expected a Keras model, or a DirectModel or IterativeModel of mlx.models, "
            f"found {type(made).__name__}"
        )
    require_task(where, made.tasks, task_spec)
    if made.task_spec != task_spec:
        raise DataError(f"{where}: expected a model for {task_spec}, found one for {made.task_spec}")
    return made


def call_function(settings: ModelSettings, task_spec: TaskSpec, seed: int) -> Any:
    """Return what the function of `settings` makes, with Keras seeded if it is installed; wrap a Keras network."""
    where = settings.architecture
    assert where is not None
    if missing("keras"):
        return _called(where, settings, task_spec)
    from mlx.models.in_keras.custom import wrapped
    from mlx.models.in_keras.runtime import fresh_names, keras

    keras().utils.set_random_seed(seed)
    with fresh_names():
        made = _called(where, settings, task_spec)
        return wrapped(made, task_spec, where) if isinstance(made, keras().Model) else made


def _called(where: str, settings: ModelSettings, task_spec: TaskSpec) -> Any:
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
