"""The model `linear_regression` in closed form."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import ArtifactError, DataError
from mlx.models.contract import DirectModel, Outputs
from mlx.models.in_numpy.least_squares import solve_least_squares
from mlx.models.in_numpy.params import LinearRegressionParams
from mlx.models.in_numpy.training_design import measured_fit
from mlx.models.npz import read_npz, write_npz
from mlx.models.task_spec import TaskSpec

CHECKPOINT = "weights.npz"
LARGEST = 1e290


class LeastSquaresModel(DirectModel):
    """``y = X @ weights + intercept``, fitted in closed form.

    Attributes
    ----------
    weights
        (d,), in units of ``y`` per unit of the feature.
    intercept
        Value at X = 0.
    """

    tasks = frozenset({"regression"})
    training_fields = frozenset[str]()
    layers = ("input",)
    penultimate = "input"

    def __init__(self, params: LinearRegressionParams, task_spec: TaskSpec) -> None:
        self.params, self.task_spec = params, task_spec
        self.weights: Array = np.zeros(task_spec.n_features)
        self.intercept = 0.0

    @property
    def n_parameters(self) -> int:
        """One weight for each feature, and the intercept."""
        return len(self.weights) + 1

    def fit(self, X: Array, y: Array, *, seed: int) -> None:  # noqa: ARG002  # the fit is deterministic
        """Fit to ``X`` (n, *sample_shape) and ``y`` (n,); warns of linearly dependent features."""
        table = self.as_table(X)
        if np.abs(table).max(initial=0.0) > LARGEST:
            raise DataError(
                f"training: expected features of at most {LARGEST:g}, found larger ones, whose sums are beyond the "
                "largest number; scale the inputs (preprocessing.scaling: standard)"
            )
        if any(value is not None for value in self.params.optimizer_config.as_dict().values()):
            warnings.warn("optimizer_config has no effect without use_gradient_descent", stacklevel=2)
        solution = solve_least_squares(table, np.asarray(y, np.float64), l2=self.params.l2_regularization)
        self.weights, self.intercept = solution.weights, float(solution.intercept)

    def measure_fit(self, X: Array, y: Array) -> None:
        """Store the training design in `linear_fit`."""
        coefficients = np.concatenate([[self.intercept], self.weights])
        self.linear_fit = measured_fit(X, y, coefficients, lambda rows: self.outputs(rows).predictions)

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Predict the values; the only representation is the sample itself."""
        table = self.as_table(X)
        # Summed row by row in the order of the features, so that the bits do not depend on the batch.
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
