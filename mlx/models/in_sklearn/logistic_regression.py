"""scikit-learn's logistic regression, saved as its coefficients."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from mlx.core.array_types import Array
from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.last_layer import LastLayer
from mlx.models.contract import DirectModel, Outputs
from mlx.models.in_sklearn.fitting import fitted
from mlx.models.in_sklearn.params import LogisticRegressionParams
from mlx.models.in_sklearn.standardization import Standardization
from mlx.models.npz import read_npz, write_npz
from mlx.models.task_spec import TaskSpec

CHECKPOINT = "weights.npz"


class LogisticRegression(DirectModel):
    """Multinomial logistic regression with a penalty.

    scikit-learn fits it; predictions use the coefficients alone, so that a saved
    model needs no unpickling and a loaded one gives the same bits. With two classes the logits are
    ``(0, z)``, whose softmax is the logistic function of z.

    The layers are ``input``, the flattened sample; ``standardised``, its features standardized by the mean and
    standard deviation of the training samples; ``decision``, the logits. The model is fitted to the samples
    without standardization.
    """

    tasks = frozenset({"classification"})
    training_fields = frozenset({"seed"})
    layers = ("input", "standardised", "decision")
    penultimate = "decision"

    def __init__(self, params: LogisticRegressionParams, task_spec: TaskSpec) -> None:
        self.params, self.task_spec = params, task_spec
        _check_penalty(params)
        n_features = task_spec.n_features
        self.coefficients: Array = np.zeros((task_spec.n_classes, n_features))
        self.intercepts: Array = np.zeros(task_spec.n_classes)
        self._standardization = Standardization.identity(n_features)

    @property
    def n_parameters(self) -> int:
        """A weight for each class and feature, and an intercept for each class."""
        return self.coefficients.size + self.intercepts.size

    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Fit to ``X`` (n, *sample_shape) and labels ``y`` (n,).

        Raises
        ------
        DataError
            A class has no training sample.
        """
        table = self.as_table(X)
        estimator = fitted("logistic_regression", self.blank(seed), table, y, self.task_spec)
        self.coefficients[-len(estimator.coef_) :] = estimator.coef_
        self.intercepts[-len(estimator.intercept_) :] = estimator.intercept_
        self._standardization = Standardization.of(table)

    def blank(self, seed: int) -> Any:
        """Make scikit-learn's estimator, not fitted."""
        from sklearn.linear_model import LogisticRegression as Estimator

        params = self.params.as_dict()
        penalty = params.pop("penalty")
        params |= {"l1_ratio": L1_RATIOS.get(penalty, self.params.l1_ratio)}
        return Estimator(**params | ({"C": np.inf} if penalty == "none" else {}), random_state=seed)

    @property
    def last_layer(self) -> LastLayer:
        """The coefficients, of the inputs."""
        return LastLayer("input", self.coefficients.T, self.intercepts)

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Compute logits and probabilities in float64, and the representations in `layers`."""
        table = self.as_table(X)
        logits = np.einsum("ij,kj->ik", table, self.coefficients) + self.intercepts
        known = {"input": table, "decision": logits}
        if "standardised" in layers:
            known["standardised"] = self._standardization.apply(table)
        return Outputs(logits, softmax(logits, axis=1), logits.argmax(axis=1), {name: known[name] for name in layers})

    def save(self, folder: Path) -> None:
        """Write the coefficients, and the scale of the layer ``standardised``, as float64."""
        write_npz(folder / CHECKPOINT, self._arrays())

    def restore(self, folder: Path) -> None:
        """Read both."""
        expected = {name: array.shape for name, array in self._arrays().items()}
        arrays = read_npz(folder / CHECKPOINT, tuple(expected))
        if (found := {name: array.shape for name, array in arrays.items()}) != expected:
            raise ArtifactError(f"{folder / CHECKPOINT}: expected shapes {expected}, found {found}")
        self.coefficients, self.intercepts = arrays["coefficients"], arrays["intercepts"]
        self._standardization = Standardization(arrays["mean"], arrays["scale"])

    def _arrays(self) -> dict[str, Array]:
        weights = {"coefficients": self.coefficients, "intercepts": self.intercepts}
        return weights | {"mean": self._standardization.mean, "scale": self._standardization.scale}


L1_RATIOS = {"l2": 0.0, "l1": 1.0, "none": 0.0}


def _check_penalty(params: LogisticRegressionParams) -> None:
    """Reject what scikit-learn's solvers don't support, and an l1_ratio without effect."""
    if (params.penalty == "elasticnet") != (params.l1_ratio is not None):
        wanted = "a number from 0 to 1" if params.penalty == "elasticnet" else "null"
        raise SettingsError(
            f"expected {wanted}, as the penalty is {params.penalty}, found {params.l1_ratio}",
            key=("model", "params", "l1_ratio"),
        )
    if params.penalty in {"l1", "elasticnet"} and params.solver != "saga":
        raise SettingsError(
            f"expected saga, the solver for the penalty {params.penalty}, found {params.solver}",
            key=("model", "params", "solver"),
        )
