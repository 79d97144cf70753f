"""The parameters of the NumPy models."""

from mlx.core.settings import Settings


class LinearRegressionParams(Settings):
    """Least squares with an intercept; it has nothing to choose."""


NUMPY_PARAMS: dict[str, type[Settings]] = {"linear_regression": LinearRegressionParams}
"""Each NumPy model's name and the schema of its `params`."""
