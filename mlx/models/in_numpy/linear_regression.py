"""Linear regression for direct use, in closed form or by gradient descent."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from mlx.core.array_types import Array, Floats
from mlx.core.streams import stream
from mlx.models.in_numpy.base import BaseModel, Config, number, optimizer_of, rows
from mlx.models.in_numpy.checkpoint import Checkpoint, restore_optimizer
from mlx.models.in_numpy.least_squares import solve_least_squares
from mlx.models.in_numpy.network import Network
from mlx.models.in_numpy.trainer import Trainer

LEARNING_RATE = 0.01  # larger than for a network, as the loss is convex


class LinearRegression(RegressorMixin, BaseModel):  # type: ignore[misc]  # scikit-learn ships no types
    """``y = X @ coef_.T + intercept_``, an estimator of scikit-learn.

    Parameters
    ----------
    seed
        Of the initial weights and the shuffling of gradient descent; None is 0. The closed form is deterministic.
    use_gradient_descent
        Instead of the closed form.
    l2_regularization
        Factor of the sum of squared weights added to the sum of squared errors (alpha of scikit-learn's Ridge); the
        intercept is not penalized.
    optimizer_config
        Of gradient descent: ``optimizer_type`` (adam), ``learning_rate`` (0.01), ``momentum`` (0, of sgd) and
        ``weight_decay`` (0; 0.004 for adamw).
    epochs, batch_size
        Of gradient descent by `fit`.

    Attributes
    ----------
    coef_
        (d,), or (t, d) for t targets.
    intercept_
        A number, or (t,).
    n_features_in_
        D.
    """

    _trainer: Trainer

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
        """Fit to ``X`` (n, d) and ``y``, (n,) or (n, t)."""
        inputs, values = self._data(X, y, first=True, multi_output=True, y_numeric=True)
        if not self.use_gradient_descent:
            return self._solve(inputs, values)
        trainer = self._trainer = self._new_trainer(inputs.shape[1], values)
        self._train_epochs(trainer, inputs, _table(values))
        return self._set_coefficients(trainer, flat=values.ndim == 1)

    def train_step(self, X: npt.ArrayLike, y: npt.ArrayLike) -> dict[str, float]:
        """Solve for ``X`` (n, d) and `y`, or take one step of gradient descent on them.

        Returns
        -------
        dict
            ``loss``, the mean squared error after solving, or before the step.
        """
        first = not self.use_gradient_descent or not hasattr(self, "_trainer")
        inputs, values = self._data(X, y, first=first, multi_output=True, y_numeric=True)
        if not self.use_gradient_descent:
            return {"loss": float(np.mean((self._solve(inputs, values).forward(inputs) - values) ** 2))}
        if first:
            self._trainer = self._new_trainer(inputs.shape[1], values)
        self._trainer.l2 = self._share(values)
        losses, _ = self._trainer.step(inputs, _table(values))
        self._set_coefficients(self._trainer, flat=values.ndim == 1)
        return {"loss": float(losses.mean())}

    def forward(self, X: npt.ArrayLike) -> Floats:
        """Compute the values (n,), or (n, t), for ``X`` (n, d)."""
        check_is_fitted(self)
        weights = np.atleast_2d(self.coef_)
        inputs = rows(X, weights.shape[1])
        # Summed row by row in the order of the features, so that the bits do not depend on the batch.
        values: Floats = np.einsum("ij,kj->ik", inputs, weights) + self.intercept_
        return values[:, 0] if np.ndim(self.coef_) == 1 else values

    def _solve(self, X: Floats, y: Array) -> Self:
        solution = solve_least_squares(X, np.asarray(y, np.float64), l2=self._ridge())
        flat = y.ndim == 1
        self.coef_ = solution.weights if flat else np.ascontiguousarray(solution.weights.T)
        self.intercept_ = float(solution.intercept) if flat else solution.intercept
        self.rank_, self.condition_ = solution.rank, solution.condition
        return self

    def _ridge(self) -> float:
        return number("l2_regularization", self.l2_regularization, least=0)

    def _share(self, y: Array) -> float:
        """Return the factor of the penalty for a mean over the samples and targets of `y`."""
        return self._ridge() / y.size

    def _new_trainer(self, n_features: int, y: Array) -> Trainer:
        network = Network((n_features, 1 if y.ndim == 1 else y.shape[1]), "relu")
        network.initialize(stream(self.seed or 0))
        optimizer = optimizer_of(self.optimizer_config, len(network.parameters), LEARNING_RATE)
        return Trainer(network, "none", optimizer, l2=self._share(y))

    def _set_coefficients(self, trainer: Trainer, *, flat: bool) -> Self:
        (weight,), (bias,) = trainer.network.weights, trainer.network.biases
        self.coef_ = weight[:, 0].copy() if flat else weight.T.copy()
        self.intercept_ = float(bias[0]) if flat else bias.copy()
        return self

    def save(self, path: str | Path) -> None:
        """Write the model into the folder `path`: ``model.json`` and ``weights.npz``."""
        check_is_fitted(self)
        shape = {"features": self.n_features_in_, "targets": None if self.coef_.ndim == 1 else len(self.coef_)}
        arrays = {"coef": np.asarray(self.coef_), "intercept": np.asarray(self.intercept_)}
        self._save(path, shape, arrays, self._trainer if self.use_gradient_descent else None)

    def load(self, path: str | Path) -> Self:
        """Load the model that `save` wrote into the folder `path`.

        Raises
        ------
        ArtifactError
            A file is missing, damaged or altered, or of another kind of model.
        """
        return self._load(path)

    def _restore(self, checkpoint: Checkpoint) -> int:
        n_features, targets = int(checkpoint.architecture["features"]), checkpoint.architecture["targets"]
        shape = (n_features,) if targets is None else (targets, n_features)
        self.coef_ = checkpoint.arrays["coef"].reshape(shape)
        intercept = checkpoint.arrays["intercept"].reshape(shape[:-1])
        self.intercept_ = float(intercept) if targets is None else intercept
        if self.use_gradient_descent:
            self._trainer = self._new_trainer(n_features, np.empty((1, *shape[:-1])))
            self._trainer.network.weights[0][:] = np.atleast_2d(self.coef_).T
            self._trainer.network.biases[0][:] = self.intercept_
            restore_optimizer(self._trainer, checkpoint)
        return n_features


def _table(y: Array) -> Floats:
    return np.asarray(y, np.float64).reshape(len(y), -1)
