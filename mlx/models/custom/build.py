"""From a function of the user's own to a model: a Keras network, or any object with the contract.

The function is given ``n_classes`` and ``sample_shape`` where it takes arguments of these names, and
``model.params`` by name. It is called again, with the same arguments, when the trained model is loaded.
"""

import inspect
from typing import Any

from mlx.core.errors import DataError, SettingsError
from mlx.core.extras import missing
from mlx.core.user_code import UserFunction
from mlx.models.contract import DirectModel, IterativeModel, Model, TaskSpec
from mlx.models.settings import ModelSettings
from mlx.models.task_check import require_task


def build_custom(settings: ModelSettings, task_spec: TaskSpec, seed: int) -> Model:
    """Call the function that `settings` name, and check what it made.

    Raises
    ------
    DataError
        It is missing, fails, or makes something else than a model for `task_spec`.
    SettingsError
        It doesn't take the parameters given, or the model is for another task.
    """
    where = settings.architecture
    assert where is not None
    made = _made(where, settings, task_spec) if missing("keras") else _made_with_keras(where, settings, task_spec, seed)
    if not isinstance(made, DirectModel | IterativeModel):
        raise DataError(
            f"{where}: expected a Keras model, or a DirectModel or IterativeModel of mlx.models, "
            f"found {type(made).__name__}"
        )
    require_task(where, made.tasks, task_spec)
    if made.task_spec != task_spec:
        raise DataError(f"{where}: expected a model for {task_spec}, found one for {made.task_spec}")
    return made


def _made(where: str, settings: ModelSettings, task_spec: TaskSpec) -> Any:
    function = UserFunction(where, key="model.architecture", purpose="a model")
    return function(**_arguments(function, settings, task_spec))


def _made_with_keras(where: str, settings: ModelSettings, task_spec: TaskSpec, seed: int) -> Any:
    """Call the function with Keras's random state seeded; a Keras network becomes a model."""
    from mlx.models.in_keras.custom import adopted
    from mlx.models.in_keras.runtime import fresh_names, keras

    keras().utils.set_random_seed(seed)
    with fresh_names():
        made = _made(where, settings, task_spec)
        return adopted(made, task_spec, where) if isinstance(made, keras().Model) else made


def _arguments(function: UserFunction, settings: ModelSettings, task_spec: TaskSpec) -> dict[str, Any]:
    """Return what the function is called with: `params`, and of the problem what it asks for.

    Raises
    ------
    SettingsError
        It doesn't take them, or asks for more.
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
