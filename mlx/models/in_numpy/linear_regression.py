"""Linear regression for direct use: in closed form, or by steps."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin

from mlx.core.array_types import Array, Floats
from mlx.models.in_numpy.base import BaseModel, Config, number, optimizer_of, rows, whole_number
from mlx.models.in_numpy.checkpoint import (
    Checkpoint,
    adopting,
    optimizer_as_saved,
    plain,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from mlx.models.in_numpy.learner import Learner, learn_by_epochs
from mlx.models.in_numpy.least_squares import solve_least_squares
from mlx.models.in_numpy.network import Network

LEARNING_RATE = 0.01  # convex, so it may be larger than for a network


class LinearRegression(RegressorMixin, BaseModel):  # type: ignore[misc]  # scikit-learn ships no types
    """``y = X @ coef_.T + intercept_``, an estimator of scikit-learn.

    Parameters
    ----------
    seed : of the initial weights and the shuffling of gradient descent; None is 0. The closed form has
        nothing random.
    use_gradient_descent : in place of the closed form.
    l2_regularization : weight of the squared weights beside the sum of squared errors (scikit-learn's
        alpha of Ridge); the intercept is not penalized.
    optimizer_config : of gradient descent: ``optimizer_type`` (adam), ``learning_rate`` (0.01),
        ``momentum`` (0, of sgd) and ``weight_decay`` (0; 0.004 for adamw).
    epochs, batch_size : of gradient descent by `fit`.

    Attributes
    ----------
    coef_ : (d,), or (t, d) for t targets.
    intercept_ : a number, or (t,).
    n_features_in_ : d.
    """

    _learner: Learner

    def __init__(
        self,
        *,
        seed: int | None = None,
        use_gradient_descent: bool = False,
        l2_regularization: float = 0.0,
        optimizer_config: Config | None = None,
        epochs: int = 100,
        batch_size: int = 32,
    ) -> None:
        self.seed = seed
        self.use_gradient_descent = use_gradient_descent
        self.l2_regularization = l2_regularization
        self.optimizer_config = optimizer_config
        self.epochs = epochs
        self.batch_size = batch_size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to ``X`` (n, d) and ``y``, (n,) or (n, t), from nothing."""
        inputs, values = self._data(X, y, first=True, multi_output=True, y_numeric=True)
        if not self.use_gradient_descent:
            return self._solve(inputs, values)
        learner = self._learner = self._fresh(inputs, values)
        epochs, size = whole_number("epochs", self.epochs), whole_number("batch_size", self.batch_size)
        self.loss_curve_ = learn_by_epochs(
            learner, inputs, _table(values), epochs=epochs, batch_size=size, seed=self.seed or 0
        )
        return self._take(learner, flat=values.ndim == 1)

    def train_step(self, X: npt.ArrayLike, y: npt.ArrayLike) -> dict[str, float]:
        """Solve for all of ``X`` (n, d) and `y`; with gradient descent, take one step of it on them.

        Returns
        -------
        ``loss``, the mean squared error: after solving, or before the step.
        """
        first = not self.use_gradient_descent or not hasattr(self, "_learner")
        inputs, values = self._data(X, y, first=first, multi_output=True, y_numeric=True)
        if not self.use_gradient_descent:
            return {"loss": float(np.mean((self._solve(inputs, values).forward(inputs) - values) ** 2))}
        if first:
            self._learner = self._fresh(inputs, values)
        self._learner.l2 = self._share(values)
        losses, _ = self._learner.step(inputs, _table(values))
        self._take(self._learner, flat=values.ndim == 1)
        return {"loss": float(losses.mean())}

    def forward(self, X: npt.ArrayLike) -> Floats:
        """Compute the values (n,), or (n, t), for ``X`` (n, d)."""
        self._require_fitted()
        weights = np.atleast_2d(self.coef_)
        inputs = rows(X, weights.shape[1])
        # A row at a time in the order of the features: the same bits whatever the batch is.
        values: Floats = np.einsum("ij,kj->ik", inputs, weights) + self.intercept_
        return values[:, 0] if np.ndim(self.coef_) == 1 else values

    def _solve(self, X: Floats, y: Array) -> Self:
        line = solve_least_squares(X, np.asarray(y, np.float64), l2=self._ridge())
        flat = y.ndim == 1
        self.coef_ = line.weights if flat else np.ascontiguousarray(line.weights.T)
        self.intercept_ = float(line.intercept) if flat else line.intercept
        self.rank_, self.condition_ = line.rank, line.condition
        return self

    def _ridge(self) -> float:
        return number("l2_regularization", self.l2_regularization, least=0)

    def _share(self, y: Array) -> float:
        """Return the penalty's part beside the mean over the samples and targets of `y`."""
        return self._ridge() / y.size

    def _fresh(self, X: Floats, y: Array) -> Learner:
        network = Network((X.shape[1], 1 if y.ndim == 1 else y.shape[1]), "relu")
        network.initialize(np.random.default_rng(self.seed or 0))
        optimizer = optimizer_of(self.optimizer_config, len(network.parameters), LEARNING_RATE)
        return Learner(network, "none", optimizer, l2=self._share(y))

    def _take(self, learner: Learner, *, flat: bool) -> Self:
        (weight,), (bias,) = learner.network.weights, learner.network.biases
        self.coef_ = weight[:, 0].copy() if flat else weight.T.copy()
        self.intercept_ = float(bias[0]) if flat else bias.copy()
        return self

    def save(self, path: str | Path) -> None:
        """Write the model into the folder `path`: ``model.json`` and ``weights.npz``."""
        self._require_fitted()
        learner = self._learner if self.use_gradient_descent else None
        arrays = {"coef": np.asarray(self.coef_), "intercept": np.asarray(self.intercept_)}
        shape = {"features": self.n_features_in_, "targets": None if self.coef_.ndim == 1 else len(self.coef_)}
        optimizer, vectors = optimizer_as_saved(learner)
        checkpoint = Checkpoint(
            type(self).__name__, shape, plain(self.get_params()), self._names(), optimizer, arrays | vectors
        )
        write_checkpoint(checkpoint, Path(path))

    def load(self, path: str | Path) -> Self:
        """Become the model that `save` wrote into the folder `path`.

        Raises
        ------
        ArtifactError
            A file is missing, damaged or altered, or of another kind of model.
        """
        checkpoint = read_checkpoint(Path(path), type(self).__name__)
        with adopting(path):
            loaded = type(self)(**checkpoint.hyperparameters)
            features, targets = checkpoint.architecture["features"], checkpoint.architecture["targets"]
            shape = (features,) if targets is None else (targets, features)
            loaded.coef_ = checkpoint.arrays["coef"].reshape(shape)
            loaded.intercept_ = checkpoint.arrays["intercept"].reshape(shape[:-1])
            if targets is None:
                loaded.intercept_ = float(loaded.intercept_)
            if loaded.use_gradient_descent:
                learner = loaded._fresh(np.empty((1, features)), np.empty((1, *shape[:-1])))
                learner.network.weights[0][:] = np.atleast_2d(loaded.coef_).T
                learner.network.biases[0][:] = loaded.intercept_
                restore_optimizer(learner, checkpoint)
                loaded._learner = learner
            loaded._set_names(features, checkpoint.fitted)
        self.__dict__ = loaded.__dict__
        return self


def _table(y: Array) -> Floats:
    return np.asarray(y, np.float64).reshape(len(y), -1)
