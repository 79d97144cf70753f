"""The base of the NumPy models for direct use: estimators of scikit-learn with single training steps."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from mlx.core.array_types import Array, Floats
from mlx.models.in_numpy.checkpoint import (
    Checkpoint,
    adopting,
    optimizer_as_saved,
    plain,
    read_checkpoint,
    write_checkpoint,
)
from mlx.models.in_numpy.optimizers import OPTIMIZERS, Optimizer, build_optimizer
from mlx.models.in_numpy.trainer import Trainer, train_epochs

Config = dict[str, Any]

KERAS_DECAY = 0.004  # the default of adamw


class BaseModel(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn ships no types
    """A model that is trained in steps, predicts, and can be saved and loaded."""

    seed: int | None
    epochs: int
    batch_size: int

    @abstractmethod
    def forward(self, X: npt.ArrayLike) -> Floats:
        """Compute the outputs for ``X`` (n, d)."""

    @abstractmethod
    def train_step(self, X: npt.ArrayLike, y: npt.ArrayLike) -> dict[str, float]:
        """Take one training step on ``X`` (n, d) and `y`; return the loss and other metrics."""

    @abstractmethod
    def save(self, path: str | Path) -> None:
        """Write the model into the folder `path`."""

    @abstractmethod
    def load(self, path: str | Path) -> Self:
        """Load the model that `save` wrote into the folder `path`."""

    def predict(self, X: npt.ArrayLike) -> Array:
        """Predict for ``X`` (n, d).

        Raises
        ------
        ValueError
            `X` has another number of features, or holds NaN or infinity.
        NotFittedError
            The model is not fitted.
        """
        check_is_fitted(self)
        predicted: Array = self.forward(validate_data(self, X, dtype=np.float64, reset=False))
        return predicted

    def _data(self, X: npt.ArrayLike, y: npt.ArrayLike, *, first: bool, **options: Any) -> tuple[Floats, Array]:
        """Validate training data; the `first` sets the number of features."""
        checked: tuple[Floats, Array] = validate_data(self, X, y, dtype=np.float64, reset=first, **options)
        return checked

    def _train_epochs(self, trainer: Trainer, X: Floats, targets: Floats) -> None:
        epochs, size = whole_number("epochs", self.epochs), whole_number("batch_size", self.batch_size)
        self.loss_curve_ = train_epochs(trainer, X, targets, epochs=epochs, batch_size=size, seed=self.seed or 0)

    def _save(
        self,
        path: str | Path,
        architecture: Config,
        arrays: Mapping[str, Array],
        trainer: Trainer | None,
        **fitted: Any,
    ) -> None:
        """Write a checkpoint; `fitted` is what was learned beside the arrays, as JSON values."""
        optimizer, vectors = optimizer_as_saved(trainer)
        fitted["feature_names"] = getattr(self, "feature_names_in_", np.empty(0)).tolist()
        parameters = plain(self.get_params())
        checkpoint = Checkpoint(type(self).__name__, architecture, parameters, fitted, optimizer, {**arrays, **vectors})
        write_checkpoint(checkpoint, Path(path))

    def _load(self, path: str | Path) -> Self:
        checkpoint = read_checkpoint(Path(path), type(self).__name__)
        with adopting(path):
            self._check_compatible(checkpoint)
            loaded = type(self)(**checkpoint.hyperparameters)
            loaded.n_features_in_ = loaded._restore(checkpoint)
            if names := checkpoint.fitted["feature_names"]:
                loaded.feature_names_in_ = np.array(names, dtype=object)
        self.__dict__ = loaded.__dict__
        return self

    def _check_compatible(self, checkpoint: Checkpoint) -> None:
        """Reject a checkpoint that contradicts the parameters of this model."""

    def _restore(self, checkpoint: Checkpoint) -> int:
        """Take over the fitted state of `checkpoint`; return the number of features."""
        raise NotImplementedError


def rows(X: npt.ArrayLike, n_features: int) -> Floats:
    """Return ``X`` (n, d) as float64.

    Raises
    ------
    ValueError
        It has another shape, or holds NaN or infinity.
    """
    inputs: Floats = np.asarray(X, np.float64)
    if inputs.ndim != 2 or inputs.shape[1] != n_features:
        raise ValueError(f"X: expected shape (n, {n_features}), found {inputs.shape}")
    if not (finite := np.isfinite(inputs).all(axis=1)).all():
        raise ValueError(f"X: expected finite numbers, found NaN or infinity in row {int(finite.argmin())}")
    return inputs


def optimizer_of(config: Config | None, n_parameters: int, default_rate: float) -> Optimizer:
    """Make the optimizer that `config` describes, by default adam; warns of a learning rate above 1.

    Raises
    ------
    ValueError
        A key is unknown, or a value is invalid.
    """
    given = {"optimizer_type": "adam", "learning_rate": default_rate, "momentum": 0.0, "weight_decay": None}
    if unknown := sorted(set(config or {}) - set(given)):
        raise ValueError(f"optimizer_config: expected keys among {', '.join(given)}, found '{unknown[0]}'")
    given |= config or {}
    name = str(given["optimizer_type"]).lower()
    if name not in OPTIMIZERS:
        raise ValueError(
            f"optimizer_config: expected one of {', '.join(OPTIMIZERS)}, found {given['optimizer_type']!r}"
        )
    if given["weight_decay"] is None:
        given["weight_decay"] = KERAS_DECAY if name == "adamw" else 0.0
    if given["momentum"] and name != "sgd":
        raise ValueError(f"optimizer_config: expected momentum with sgd alone, found it with {name}")
    rate = number("learning_rate", given["learning_rate"], above=0)
    momentum = number("momentum", given["momentum"], least=0, below=1)
    decay = number("weight_decay", given["weight_decay"], least=0)
    return build_optimizer(name, n_parameters, rate, momentum=momentum, weight_decay=decay)


def number(name: str, value: object, *, above: float = -np.inf, least: float = -np.inf, below: float = np.inf) -> float:
    """Return a hyperparameter as a number.

    Raises
    ------
    ValueError
        It is not a number, or out of its range.
    """
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not (real and above < value < below and value >= least):  # type: ignore[operator]
        bounds = [f"above {above:g}"] * (above > -np.inf) + [f"of at least {least:g}"] * (least > -np.inf)
        bounds += [f"below {below:g}"] * (below < np.inf)
        raise ValueError(f"{name}: expected a number {' and '.join(bounds)}, found {value!r}")
    return float(value)  # type: ignore[arg-type]


def whole_number(name: str, value: object) -> int:
    """Return a hyperparameter as a positive integer.

    Raises
    ------
    ValueError
        It is not an integer, or below 1.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: expected an integer of at least 1, found {value!r}")
    return int(value)
