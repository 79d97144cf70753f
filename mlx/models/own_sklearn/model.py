"""A model that wraps any estimator of scikit-learn."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from mlx.core.array_types import Array
from mlx.core.descriptions import Task
from mlx.core.errors import ArtifactError, DataError
from mlx.models.contract import DirectModel, Outputs
from mlx.models.in_sklearn.fitting import fitted as fitted_to
from mlx.models.in_sklearn.fitting import flattened
from mlx.models.own_sklearn.stored import read_stored, write_stored
from mlx.models.task_check import require_task
from mlx.models.task_spec import BOTH_TASKS, TaskSpec

CHECKPOINT = "model.skops"


class OwnEstimator(DirectModel):
    """A classifier, regressor or pipeline of scikit-learn.

    The layers are ``input``, the flattened sample; the output of each step of a pipeline before its last; and
    ``decision``, the values of the decision function, if there is one.

    Parameters
    ----------
    where
        What made the estimator, for messages.
    estimator
        It.
    seed
        Of every ``random_state`` that is None.
    fitted
        Whether it is fitted already, and is not fitted again.
    """

    tasks = BOTH_TASKS

    def __init__(self, where: str, estimator: Any, task_spec: TaskSpec, seed: int, *, fitted: bool) -> None:
        self.where, self.task_spec, self.inference_only = where, task_spec, fitted
        self.training_fields = frozenset() if fitted else frozenset({"seed"})
        self._accept(estimator)
        if not fitted:
            drawn = {name: seed for name, value in estimator.get_params().items() if _is_seed(name, value)}
            self.estimator = estimator.set_params(**drawn)

    def _accept(self, estimator: Any) -> None:
        """Take an estimator of the task.

        Raises
        ------
        DataError
            The object is not an estimator, or has no probabilities.
        SettingsError
            It is for another task.
        """
        from sklearn.base import BaseEstimator, is_classifier, is_regressor

        if not isinstance(estimator, BaseEstimator) or not (is_classifier(estimator) or is_regressor(estimator)):
            raise DataError(
                f"{self.where}: expected a classifier or regressor of scikit-learn, or a Pipeline that ends in one, "
                f"found {type(estimator).__name__}"
            )
        tasks: frozenset[Task] = frozenset({"classification" if is_classifier(estimator) else "regression"})
        require_task(self.where, tasks, self.task_spec)
        if is_classifier(estimator) and not hasattr(estimator, "predict_proba"):
            raise DataError(
                f"{self.where}: expected a classifier with predict_proba, found {type(_last(estimator)).__name__}; "
                "sklearn.calibration.CalibratedClassifierCV gives it probabilities"
            )
        self.estimator = estimator
        decides = ("decision",) if hasattr(estimator, "decision_function") else ()
        self.layers = ("input", *(name for name, _ in _steps(estimator)), *decides)

    @property
    def penultimate(self) -> str:
        """The output of the last step of a pipeline before the estimator, else the decision function or the input."""
        steps = [name for name, _ in _steps(self.estimator)]
        return steps[-1] if steps else self.layers[-1]

    @property
    def n_parameters(self) -> int:
        """The number of fitted numbers in the arrays of the estimator and of those in it."""
        return sum(array.size for array in _fitted_arrays(self.estimator, set()))

    def fit(self, X: Array, y: Array, *, seed: int) -> None:  # noqa: ARG002  # set when it was made
        """Fit to ``X`` (n, *sample_shape) and ``y`` (n,).

        Raises
        ------
        DataError
            A class has no training sample, or scikit-learn can't use the samples.
        """
        self.check(X)
        try:
            self.estimator = fitted_to(self.where, self.estimator, flattened(X), y, self.task_spec)
        except (TypeError, AttributeError) as error:  # of an invalid transformer or parameter
            raise DataError(f"{self.where}: {' '.join(str(error).split())}") from None

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Compute the outputs for ``X`` (m, *sample_shape), and the representations in `layers`."""
        self.check(X)
        table = flattened(X)
        try:
            representations = {name: self._representation(name, table) for name in layers}
            if self.task_spec.task == "regression":
                predicted = np.asarray(self.estimator.predict(table), np.float64).reshape(len(X))
                return Outputs(None, None, predicted, representations)
            probabilities = np.asarray(self.estimator.predict_proba(table), np.float64)
        except ValueError as error:
            raise DataError(f"{self.where}: {' '.join(str(error).split())}") from None
        if probabilities.shape != (len(X), self.task_spec.n_classes):
            raise DataError(
                f"{self.where}: expected probabilities of {self.task_spec.n_classes} classes, found "
                f"{probabilities.shape[1]}"
            )
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return Outputs(None, probabilities, probabilities.argmax(axis=1), representations)

    def _representation(self, layer: str, table: Array) -> Any:
        if layer == "input":
            return table
        if layer == "decision":
            return np.asarray(self.estimator.decision_function(table), np.float64).reshape(len(table), -1)
        values: Any = table
        for name, step in _steps(self.estimator):
            values = values if step in (None, "passthrough") else step.transform(values)
            if name == layer:
                break
        if issparse(values):
            sparse: Any = csr_array
            return sparse(values)
        return np.asarray(values).reshape(len(table), -1)

    def save(self, folder: Path) -> None:
        """Write ``model.skops``."""
        write_stored(folder / CHECKPOINT, self.estimator, self.where)

    def restore(self, folder: Path) -> None:
        """Read ``model.skops``."""
        path = folder / CHECKPOINT
        stored = read_stored(path)
        if type(stored) is not type(self.estimator):
            raise ArtifactError(
                f"{path}: expected a {type(self.estimator).__name__}, as {self.where} makes, found "
                f"{type(stored).__name__}"
            )
        try:
            self._accept(stored)
            self.outputs(np.zeros((1, *self.task_spec.sample_shape)), self.layers)
        except Exception as error:  # altered contents can fail anywhere
            raise ArtifactError(f"{path}: expected a fitted scikit-learn model, found {error}") from None


def _is_seed(name: str, value: Any) -> bool:
    return value is None and (name == "random_state" or name.endswith("__random_state"))


def _steps(estimator: Any) -> list[tuple[str, Any]]:
    """Return the steps of a pipeline before its last."""
    return list(getattr(estimator, "steps", [])[:-1])


def _last(estimator: Any) -> Any:
    return estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator


def _fitted_arrays(value: Any, seen: set[int]) -> Iterator[Array]:
    """Yield the arrays in the attributes of a fitted estimator, whose names end in an underscore."""
    from sklearn.base import BaseEstimator

    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fiu":
            yield value
        for item in value.ravel() if value.dtype.kind == "O" else ():
            yield from _fitted_arrays(item, seen)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _fitted_arrays(item, seen)
    elif isinstance(value, BaseEstimator):
        for name, item in sorted(vars(value).items()):
            if name == "steps" or (name.endswith("_") and name not in {"classes_", "n_features_in_"}):
                yield from _fitted_arrays(item, seen)
