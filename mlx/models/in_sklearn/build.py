"""From the settings of a scikit-learn model to the model."""

from mlx.models.contract import Model, Problem
from mlx.models.in_sklearn.logistic_regression import LogisticRegression
from mlx.models.in_sklearn.params import LogisticRegressionParams
from mlx.models.settings import ModelSettings
from mlx.models.suits import require_task


def build_sklearn(settings: ModelSettings, problem: Problem, seed: int) -> Model:  # noqa: ARG001  # it starts from zeros
    """Make the scikit-learn model that `settings` name."""
    require_task(settings.name, LogisticRegression.tasks, problem)
    params = settings.parameters()
    assert isinstance(params, LogisticRegressionParams)
    return LogisticRegression(params, problem)
