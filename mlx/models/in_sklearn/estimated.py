"""A model that is an estimator of scikit-learn, kept as a skops file."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.core.reading import reading
from mlx.models.contract import BOTH_TASKS, DirectModel, Outputs, TaskSpec
from mlx.models.in_sklearn.fitting import fitted, flattened
from mlx.models.in_sklearn.skops_file import Contents, read_estimator, write_estimator

CHECKPOINT = "model.skops"


class Estimated(DirectModel):
    """What the models have in common that scikit-learn both fits and runs.

    Attributes
    ----------
    name : in the configuration.
    objects : the types that may be in its file, by the way in which skops loads them.
    trusted : those of them that skops has to be told to trust.
    estimator : fitted; None before.
    """

    name: ClassVar[str]
    objects: ClassVar[Mapping[str, Sequence[str]]]
    trusted: ClassVar[Sequence[str]]
    tasks = BOTH_TASKS

    def __init__(self, task_spec: TaskSpec) -> None:
        self.task_spec = task_spec
        self.estimator: Any = None

    @property
    def n_features(self) -> int:
        """d, of a flattened sample."""
        return int(np.prod(self.task_spec.sample_shape))

    @property
    def classifies(self) -> bool:
        """Whether it predicts classes, not values."""
        return self.task_spec.task == "classification"

    @abstractmethod
    def blank(self, seed: int) -> Any:
        """Make the estimator as it is before it is fitted."""

    @abstractmethod
    def _said(self, table: Array, layers: Sequence[str]) -> Outputs:
        """Compute what `outputs` gives of ``table`` (m, d)."""

    @abstractmethod
    def _refuse(self, estimator: Any) -> None:
        """Raise `ValueError` where compiled code would take what was read into `estimator` for granted."""

    def _vet(self, contents: Contents) -> None:
        """Do the same with what has to be known before an object is made at all."""

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
        """Give what the estimator says of ``X`` (m, *sample_shape), and the layers asked for."""
        self.check(X)
        try:
            with np.errstate(over="ignore"):  # a forest works in single precision, and refuses what is beyond it
                return self._said(flattened(X), layers)
        except ValueError as error:
            raise DataError(f"{self.name}: {' '.join(str(error).split())}") from None

    def save(self, folder: Path) -> None:
        """Write ``model.skops``."""
        write_estimator(folder / CHECKPOINT, self.estimator)

    def restore(self, folder: Path) -> None:
        """Read ``model.skops`` back."""
        path = folder / CHECKPOINT
        estimator = read_estimator(path, objects=self.objects, trusted=self.trusted, vet=self._vet)
        with reading(path, "a scikit-learn model"):  # what is not as it was written can fail anywhere
            self._refuse_other(estimator)
            self._refuse(estimator)
            self.estimator = estimator
            self.outputs(np.zeros((1, *self.task_spec.sample_shape)), self.layers)

    def _refuse_other(self, estimator: Any) -> None:
        """Raise `ValueError` where `estimator` is not the one that ``model.json`` describes."""
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
    """Return the parameters of `estimator` and of one inside it, without the seed, which no prediction uses."""
    params = {name: value for name, value in estimator.get_params().items() if not hasattr(value, "get_params")}
    return {name: value for name, value in params.items() if name != "random_state"}
