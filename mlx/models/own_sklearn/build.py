"""From a user's function, or a skops file, to a model."""

from typing import Any

from mlx.core.paths import from_root
from mlx.core.user_code import names_function
from mlx.models.contract import Model
from mlx.models.custom.call import called
from mlx.models.own_sklearn.stored import read_stored
from mlx.models.settings import ModelSettings
from mlx.models.task_spec import TaskSpec


def build(kind: Any, settings: ModelSettings, task_spec: TaskSpec, seed: int) -> Model:
    """Make the model of the estimator that `settings` name.

    Raises
    ------
    DataError
        The function fails or returns something else than an estimator, or the file is missing or damaged.
    SettingsError
        The function doesn't accept the parameters, or the estimator is for another task.
    """
    where = settings.architecture
    assert where is not None
    made = names_function(where)
    estimator = called(where, settings, task_spec) if made else read_stored(from_root(where))
    model: Model = kind(where, estimator, task_spec, seed, fitted=not made)
    return model
