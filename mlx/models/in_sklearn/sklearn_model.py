"""The base of models that are estimators of scikit-learn, saved as skops files."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.core.reading import reading
from mlx.models.contract import DirectModel, Outputs
from mlx.models.in_sklearn.fitting import fitted, flattened
from mlx.models.in_sklearn.skops_file import SkopsContents, read_estimator, write_estimator
from mlx.models.task_spec import BOTH_TASKS, TaskSpec

CHECKPOINT = "model.skops"

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class SklearnModel(DirectModel):
    """A model that scikit-learn fits and evaluates.

    Attributes
    ----------
    name
        Of the model in the configuration.
    objects
        The types that its file may contain, by the loader of skops.
    trusted
        Those of them that are passed to skops as trusted.
    estimator
        The fitted estimator; None before the fit.
    """

    name: ClassVar[str]
    objects: ClassVar[Mapping[str, Sequence[str]]]
    trusted: ClassVar[Sequence[str]]
    tasks = BOTH_TASKS
    runs_in_threads = True

    def __init__(self, task_spec: TaskSpec) -> None:
        self.task_spec = task_spec
        self.estimator: Any = None

    @property
    def n_features(self) -> int:
        """The number of features d of a flattened sample."""
        return self.task_spec.n_features

    @property
    def classifies(self) -> bool:
        """Whether it predicts classes."""
        return self.task_spec.task == "classification"

    @abstractmethod
    def blank(self, seed: int) -> Any:
        """Make the estimator, not fitted."""

    @abstractmethod
    def _representation(self, layer: str, table: Array) -> "Array | csr_array[Any]":
        """Compute the representation of ``table`` (m, d) in a layer other than ``input``."""

    @abstractmethod
    def _scores(self, table: Array) -> tuple[Array | None, Array]:
        """Compute logits, if the model has any, and probabilities (m, K) of ``table`` (m, d)."""

    @abstractmethod
    def _check_fitted(self, estimator: Any) -> None:
        """Raise `ValueError` if the state of `estimator`, read from a file, is unsafe for compiled code."""

    def _check_contents(self, contents: SkopsContents) -> None:
        """Check in the same way what must be checked before any object is created."""

    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Fit to ``X`` (n, *sample_shape) and ``y`` (n,).

        Raises
        ------
        DataError
            A class has no training sample, or scikit-learn can't use the samples.
        """
        self.check(X)
        self.estimator = fitted(self.name, self.blank(seed), flattened(X), y, self.task_spec)

    @final
    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Compute the outputs for ``X`` (m, *sample_shape), and the representations in `layers`."""
        self.check(X)
        try:
            with np.errstate(over="ignore"):  # a forest uses single precision, and rejects larger values
                return self._outputs(flattened(X), layers)
        except ValueError as error:
            raise DataError(f"{self.name}: {' '.join(str(error).split())}") from None

    def _outputs(self, table: Array, layers: Sequence[str]) -> Outputs:
        representations = {name: table if name == "input" else self._representation(name, table) for name in layers}
        if not self.classifies:
            return Outputs(None, None, self.estimator.predict(table), representations)
        logits, probabilities = self._scores(table)
        predictions = (probabilities if logits is None else logits).argmax(axis=1)
        return Outputs(logits, probabilities, predictions, representations)

    def save(self, folder: Path) -> None:
        """Write ``model.skops``."""
        write_estimator(folder / CHECKPOINT, self.estimator)

    def restore(self, folder: Path) -> None:
        """Read ``model.skops``."""
        path = folder / CHECKPOINT
        estimator = read_estimator(path, objects=self.objects, trusted=self.trusted, check=self._check_contents)
        with reading(path, "a scikit-learn model"):  # altered contents can fail anywhere
            self._check_settings(estimator)
            self._check_fitted(estimator)
            self.estimator = estimator
            self.outputs(np.zeros((1, *self.task_spec.sample_shape)), self.layers)

    def _check_settings(self, estimator: Any) -> None:
        """Raise `ValueError` if `estimator` is not the one that ``model.json`` describes."""
        blank = self.blank(0)
        if type(estimator) is not type(blank):
            raise ValueError(f"a {type(estimator).__name__} where a {type(blank).__name__} belongs")
        expected, found = (_params(e) for e in (blank, estimator))
        if expected != found:
            names = [name for name in expected if found.get(name, ...) != expected[name]]
            raise ValueError(f"parameters {', '.join(names)} other than in model.json")
        if estimator.n_features_in_ != self.n_features:
            raise ValueError(f"{estimator.n_features_in_} features where there are {self.n_features}")
        if self.classifies and not np.array_equal(estimator.classes_, np.arange(self.task_spec.n_classes)):
            raise ValueError(f"classes {estimator.classes_} where there are {self.task_spec.n_classes}")


def _params(estimator: Any) -> dict[str, Any]:
    """Return the parameters of `estimator` and of a nested one, without the seed, which no prediction uses."""
    params = {name: value for name, value in estimator.get_params().items() if not hasattr(value, "get_params")}
    return {name: value for name, value in params.items() if name != "random_state"}
