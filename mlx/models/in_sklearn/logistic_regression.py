"""scikit-learn's logistic regression, kept as its coefficients."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import softmax

from mlx.core.errors import ArtifactError, DataError
from mlx.models.contract import Array, DirectModel, Outputs, Problem
from mlx.models.in_sklearn.params import LogisticRegressionParams
from mlx.models.npz import read_npz, write_npz

CHECKPOINT = "weights.npz"


class LogisticRegression(DirectModel):
    """Multinomial logistic regression with an L2 penalty.

    scikit-learn fits it; what is kept and computed with are the coefficients alone, so that a saved
    model needs no unpickling and a loaded one gives the same bits. With two classes the logits are
    ``(0, z)``, whose softmax is the logistic function of z.

    Its layers are ``input``, the flattened sample, and ``decision``, the logits.
    """

    tasks = frozenset({"classification"})
    training_fields = frozenset({"seed"})
    layers = ("input", "decision")
    penultimate = "decision"

    def __init__(self, params: LogisticRegressionParams, problem: Problem) -> None:
        self.params, self.problem = params, problem
        self.coefficients: Array = np.zeros((problem.n_classes, int(np.prod(problem.sample_shape))))
        self.intercepts: Array = np.zeros(problem.n_classes)

    @property
    def n_parameters(self) -> int:
        """A weight for each class and feature, and an intercept for each class."""
        return self.coefficients.size + self.intercepts.size

    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Fit to ``X`` (n, *sample_shape) and labels ``y`` (n,).

        Raises
        ------
        DataError
            A class has no training sample, or the fit does not converge.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression as Estimator

        self.check(X)
        present = np.unique(y)
        if len(present) < self.problem.n_classes:
            absent = sorted(set(range(self.problem.n_classes)) - set(present.tolist()))
            raise DataError(f"logistic_regression: expected training samples of every class, found none of {absent}")
        estimator = Estimator(C=self.params.C, max_iter=self.params.max_iter, tol=self.params.tol, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                estimator.fit(np.asarray(X, np.float64).reshape(len(X), -1), y)
            except ConvergenceWarning:
                raise DataError(
                    f"logistic_regression: expected to converge, found no end after {self.params.max_iter} "
                    "iterations; raise model.params.max_iter, lower C, or use preprocessing.scaling: standard"
                ) from None
        self.coefficients[-len(estimator.coef_) :] = estimator.coef_
        self.intercepts[-len(estimator.intercept_) :] = estimator.intercept_

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Give logits and probabilities in float64, and the layers asked for."""
        self.check(X)
        table = np.asarray(X, np.float64).reshape(len(X), -1)
        logits = np.einsum("ij,kj->ik", table, self.coefficients) + self.intercepts
        known = {"input": table, "decision": logits}
        return Outputs(logits, softmax(logits, axis=1), logits.argmax(axis=1), {name: known[name] for name in layers})

    def save(self, folder: Path) -> None:
        """Write the coefficients as float64."""
        write_npz(folder / CHECKPOINT, {"coefficients": self.coefficients, "intercepts": self.intercepts})

    def restore(self, folder: Path) -> None:
        """Read the coefficients back."""
        arrays = read_npz(folder / CHECKPOINT, ("coefficients", "intercepts"))
        expected = (self.coefficients.shape, self.intercepts.shape)
        if (found := (arrays["coefficients"].shape, arrays["intercepts"].shape)) != expected:
            raise ArtifactError(f"{folder / CHECKPOINT}: expected shapes {expected}, found {found}")
        self.coefficients, self.intercepts = arrays["coefficients"], arrays["intercepts"]
