"""From the settings of a NumPy model to the model."""

from mlx.models.contract import Model, Problem
from mlx.models.in_numpy.linear_regression import LinearRegression
from mlx.models.settings import ModelSettings
from mlx.models.suits import require_task


def build_numpy(settings: ModelSettings, problem: Problem, seed: int) -> Model:  # noqa: ARG001  # none has initial weights
    """Make the NumPy model that `settings` name."""
    require_task(settings.name, LinearRegression.tasks, problem)
    return LinearRegression(problem)
