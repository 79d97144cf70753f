"""From the settings of a scikit-learn model to the model."""

from typing import Any

from mlx.models.contract import Model, TaskSpec
from mlx.models.in_sklearn.gradient_boosting import GradientBoosting
from mlx.models.in_sklearn.logistic_regression import LogisticRegression
from mlx.models.in_sklearn.random_forest import RandomForest
from mlx.models.in_sklearn.svm import Svm
from mlx.models.settings import ModelSettings
from mlx.models.task_check import require_task

MODELS: dict[str, Any] = {
    "gradient_boosting": GradientBoosting,
    "logistic_regression": LogisticRegression,
    "random_forest": RandomForest,
    "svm": Svm,
}


def build_sklearn(settings: ModelSettings, task_spec: TaskSpec, seed: int) -> Model:  # noqa: ARG001  # `fit` is given it
    """Make the scikit-learn model that `settings` name."""
    kind = MODELS[settings.name]
    require_task(settings.name, kind.tasks, task_spec)
    model: Model = kind(settings.parameters(), task_spec)
    return model
