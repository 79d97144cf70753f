"""What the NumPy models are to those who use them directly: estimators of scikit-learn that can also be stepped."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from mlx.core.array_types import Array, Floats
from mlx.models.in_numpy.optimizers import OPTIMIZERS, Optimizer, build_optimizer
from mlx.models.in_numpy.rates import warn_of_large_rate

Config = dict[str, Any]

KERAS_DECAY = 0.004  # what adamw takes off where nothing is said


class BaseModel(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn ships no types
    """A model that learns by steps, and predicts, saves and loads itself."""

    @abstractmethod
    def forward(self, X: npt.ArrayLike) -> Floats:
        """Compute the outputs for ``X`` (n, d)."""

    @abstractmethod
    def train_step(self, X: npt.ArrayLike, y: npt.ArrayLike) -> dict[str, float]:
        """Learn from ``X`` (n, d) and `y` once; return the loss and what else tells how well it went."""

    @abstractmethod
    def save(self, path: str | Path) -> None:
        """Write the model into the folder `path`."""

    @abstractmethod
    def load(self, path: str | Path) -> Self:
        """Become the model that `save` wrote into the folder `path`."""

    def predict(self, X: npt.ArrayLike) -> Array:
        """Predict for ``X`` (n, d), which is checked first.

        Raises
        ------
        ValueError
            `X` has another number of features, or holds NaN or infinity.
        NotFittedError
            Nothing was learnt yet.
        """
        check_is_fitted(self)
        predicted: Array = self.forward(validate_data(self, X, dtype=np.float64, reset=False))
        return predicted

    def _data(self, X: npt.ArrayLike, y: npt.ArrayLike, *, first: bool, **options: Any) -> tuple[Floats, Array]:
        """Check data to learn from, which set the number of features where it is the `first`."""
        checked: tuple[Floats, Array] = validate_data(self, X, y, dtype=np.float64, reset=first, **options)
        return checked

    def _require_fitted(self) -> None:
        check_is_fitted(self)

    def _names(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the data's names."""
        return {"feature_names": getattr(self, "feature_names_in_", np.empty(0)).tolist()}

    def _set_names(self, n_features: int, fitted: Config) -> None:
        self.n_features_in_ = n_features
        if fitted["feature_names"]:
            self.feature_names_in_ = np.array(fitted["feature_names"], dtype=object)


def rows(X: npt.ArrayLike, n_features: int) -> Floats:
    """Return ``X`` (n, d) as floating-point numbers.

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
    """Make the optimizer that `config` describes: adam where it says nothing; warns of a learning rate above 1.

    Raises
    ------
    ValueError
        A key is unknown, or a value can't be used.
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
    warn_of_large_rate(rate)
    return build_optimizer(name, n_parameters, rate, momentum=momentum, weight_decay=decay)


def number(name: str, value: object, *, above: float = -np.inf, least: float = -np.inf, below: float = np.inf) -> float:
    """Return a hyperparameter as a number.

    Raises
    ------
    ValueError
        It is none, or out of its range.
    """
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not (real and above < value < below and value >= least):  # type: ignore[operator]
        bounds = [f"above {above:g}"] * (above > -np.inf) + [f"of at least {least:g}"] * (least > -np.inf)
        bounds += [f"below {below:g}"] * (below < np.inf)
        raise ValueError(f"{name}: expected a number {' and '.join(bounds)}, found {value!r}")
    return float(value)  # type: ignore[arg-type]


def whole_number(name: str, value: object) -> int:
    """Return a hyperparameter that counts something.

    Raises
    ------
    ValueError
        It is no integer, or below 1.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: expected an integer of at least 1, found {value!r}")
    return int(value)
