"""Least squares in closed form behind the contract of the pipeline: `linear_regression`."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import ArtifactError
from mlx.models.contract import DirectModel, Outputs, TaskSpec
from mlx.models.in_numpy.least_squares import solve_least_squares
from mlx.models.in_numpy.params import LinearRegressionParams
from mlx.models.in_numpy.training_design import measured_fit
from mlx.models.npz import read_npz, write_npz

CHECKPOINT = "weights.npz"


class LeastSquaresModel(DirectModel):
    """``y = X @ weights + intercept``, fitted to full accuracy.

    Attributes
    ----------
    weights : (d,) per feature, in the units of ``y`` per unit of the feature.
    intercept : value at X = 0.
    """

    tasks = frozenset({"regression"})
    training_fields = frozenset[str]()
    layers = ("input",)
    penultimate = "input"

    def __init__(self, params: LinearRegressionParams, task_spec: TaskSpec) -> None:
        self.params, self.task_spec = params, task_spec
        self.weights: Array = np.zeros(int(np.prod(task_spec.sample_shape)))
        self.intercept = 0.0

    @property
    def n_parameters(self) -> int:
        """One weight a feature, and the intercept."""
        return len(self.weights) + 1

    def fit(self, X: Array, y: Array, *, seed: int) -> None:  # noqa: ARG002  # nothing here is random
        """Fit to ``X`` (n, *sample_shape) and ``y`` (n,); warns where features depend on each other."""
        self.check(X)
        if any(value is not None for value in self.params.optimizer_config.as_dict().values()):
            warnings.warn("optimizer_config has no effect without use_gradient_descent", stacklevel=2)
        table = np.asarray(X, np.float64).reshape(len(X), -1)
        line = solve_least_squares(table, np.asarray(y, np.float64), l2=self.params.l2_regularization)
        self.weights, self.intercept = line.weights, float(line.intercept)

    def measure_fit(self, X: Array, y: Array) -> None:
        """Keep the training design."""
        coefficients = np.concatenate([[self.intercept], self.weights])
        self.linear_fit = measured_fit(X, y, coefficients, lambda rows: self.outputs(rows).predictions)

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Give the predicted values; the one representation is the sample itself."""
        self.check(X)
        table = np.asarray(X, np.float64).reshape(len(X), -1)
        # A row at a time in the order of the features: the same bits whatever the batch is.
        predicted = np.einsum("ij,j->i", table, self.weights) + self.intercept
        return Outputs(None, None, predicted, dict.fromkeys(layers, table))

    def save(self, folder: Path) -> None:
        """Write the weights as float64."""
        write_npz(folder / CHECKPOINT, {"weights": self.weights, "intercept": np.array(self.intercept)})

    def restore(self, folder: Path) -> None:
        """Read the weights back."""
        arrays = read_npz(folder / CHECKPOINT, ("weights", "intercept"))
        if arrays["weights"].shape != self.weights.shape:
            raise ArtifactError(
                f"{folder / CHECKPOINT}: expected weights of shape {self.weights.shape}, "
                f"found {arrays['weights'].shape}"
            )
        self.weights, self.intercept = arrays["weights"], float(arrays["intercept"])
