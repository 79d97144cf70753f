"""From a user's function to a model: a Keras network, or any object that follows the contract.

The function is called again, with the same arguments, when the trained model is loaded.
"""

from collections.abc import Callable
from typing import Any

from mlx.core.errors import DataError
from mlx.core.extras import missing
from mlx.models.contract import DirectModel, IterativeModel, Model
from mlx.models.custom.call import called
from mlx.models.settings import ModelSettings
from mlx.models.task_check import require_task
from mlx.models.task_spec import TaskSpec


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
        return called(where, settings, task_spec)
    from mlx.models.in_keras.custom import wrapped
    from mlx.models.in_keras.runtime import fresh_names, keras

    keras().utils.set_random_seed(seed)
    with fresh_names():
        made = called(where, settings, task_spec)
        return wrapped(made, task_spec, where) if isinstance(made, keras().Model) else made
