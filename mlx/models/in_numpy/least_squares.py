"""Least squares in NumPy, by a singular value decomposition of the scaled design."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mlx.core.errors import ArtifactError, DataError
from mlx.models.contract import Array, DirectModel, Outputs, Problem
from mlx.models.in_numpy.params import LinearRegressionParams
from mlx.models.npz import read_npz, write_npz

CHECKPOINT = "weights.npz"


class LeastSquaresModel(DirectModel):
    """``y = X @ weights + intercept``, fitted to full accuracy.

    The normal equations would square the condition number: they keep 6 of 9 digits on NIST's
    Wampler-1. Here columns are centred and scaled to length one, which makes the result independent
    of units, and the scaled design is decomposed (Golub & Van Loan, Matrix Computations, 5.3.8 and
    5.5). Where columns depend on each other, the solution of least length is taken, with a warning.

    Attributes
    ----------
    weights : (d,) per feature, in the units of ``y`` per unit of the feature.
    intercept : value at X = 0.
    """

    tasks = frozenset({"regression"})
    training_fields = frozenset[str]()
    layers = ("input",)
    penultimate = "input"

    def __init__(self, params: LinearRegressionParams, problem: Problem) -> None:
        self.params, self.problem = params, problem
        self.weights: Array = np.zeros(int(np.prod(problem.sample_shape)))
        self.intercept = 0.0

    @property
    def n_parameters(self) -> int:
        """One weight a feature, and the intercept."""
        return len(self.weights) + 1

    def fit(self, X: Array, y: Array, *, seed: int) -> None:  # noqa: ARG002  # nothing here is random
        """Fit to ``X`` (n, *sample_shape) and ``y`` (n,); warns when columns depend on each other.

        Raises
        ------
        DataError
            There are fewer samples than features and intercept together.
        """
        self.check(X)
        table = np.asarray(X, np.float64).reshape(len(X), -1)
        if len(table) < self.n_parameters:
            raise DataError(
                f"linear_regression: expected at least {self.n_parameters} training samples, one for each of "
                f"{len(self.weights)} weights and the intercept, found {len(table)}"
            )
        self.weights, self.intercept = solve_least_squares(table, np.asarray(y, np.float64))

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


def solve_least_squares(X: Array, y: Array) -> tuple[Array, float]:
    """Return the weights (d,) and intercept that minimise ``sum((y - X @ weights - intercept)**2)``.

    Parameters
    ----------
    X : (n, d) float64.
    y : (n,) float64.

    Warns
    -----
    RuntimeWarning
        Columns depend on each other as far as float64 can tell: says the rank and condition number.
    """
    centre, y_mean = X.mean(axis=0), y.mean()
    centred = X - centre
    length = np.linalg.norm(centred, axis=0)
    scale = np.where(length > 0, length, 1.0)
    design = centred / scale
    solution, _, rank, singular = np.linalg.lstsq(design, y - y_mean, rcond=None)
    if rank < design.shape[1]:
        with np.errstate(divide="ignore"):
            condition = np.divide(singular[0], singular[-1]) if len(singular) else np.inf
        warnings.warn(
            f"the {design.shape[1]} features have rank {rank} (condition number {condition:.2g}): some depend "
            "on others, so their weights are not unique; the shortest weights are taken",
            RuntimeWarning,
            stacklevel=2,
        )
    else:  # one step of refinement recovers digits that the decomposition's rounding cost
        residual = (y - y_mean) - design @ solution
        solution = solution + np.linalg.lstsq(design, residual, rcond=None)[0]
    weights = solution / scale
    return weights, float(y_mean - centre @ weights)
