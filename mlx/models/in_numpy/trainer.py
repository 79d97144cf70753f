"""Trains a network: back-propagation and optimizer steps."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.errors import DataError
from mlx.core.streams import epoch_stream
from mlx.models.in_numpy.heads import LOSSES
from mlx.models.in_numpy.network import ACTIVATIONS, Network, views
from mlx.models.in_numpy.optimizers import Optimizer


@dataclass(frozen=True)
class Limits:
    """Bounds of a step; None for no bound.

    Attributes
    ----------
    gradient
        Largest absolute entry of a gradient.
    gradient_norm
        Largest norm of the gradient of all parameters; longer gradients are scaled down.
    parameters
        Largest absolute weight or bias after a step.
    """

    gradient: float | None = None
    gradient_norm: float | None = None
    parameters: float | None = None


NO_LIMITS = Limits()


class Trainer:
    """Fits a network to target rows, one batch for each step.

    Attributes
    ----------
    output
        The output activation, which determines the loss (`LOSSES`).
    l2
        Factor of the sum of squared weights added to the mean loss.
    gradient
        (p,) of the objective on the last batch, in the order of ``network.parameters``.
    """

    def __init__(
        self,
        network: Network,
        output: str,
        optimizer: Optimizer,
        *,
        l2: float = 0.0,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self.network, self.output, self.optimizer = network, output, optimizer
        self.l2, self.limits = l2, limits
        self.gradient = np.zeros_like(network.parameters)
        self._weight_gradients, self._bias_gradients = views(self.gradient, network.sizes)
        self._is_weight = np.zeros_like(network.parameters)  # 1 for weights, 0 for biases, which are not penalized
        for weight in views(self._is_weight, network.sizes)[0]:
            weight[:] = 1
        self._buffers: dict[int, list[Floats]] = {}

    def step(self, X: Floats, targets: Floats, sample_weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Take one step on ``X`` (m, n_in) and `targets` (m, K).

        Returns
        -------
        losses, logits
            (m,) and (m, K), before the step. The next step overwrites the logits.
        """
        losses, logits = self.differentiate(X, targets, sample_weights)
        self._limit_gradient()
        self.optimizer.step(self.network.parameters, self.gradient)
        if (most := self.limits.parameters) is not None:
            np.clip(self.network.parameters, -most, most, out=self.network.parameters)
        return losses, logits

    def differentiate(self, X: Floats, targets: Floats, sample_weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Compute `gradient`, the gradient of ``mean(sample_weights * losses) + l2 * sum(weights**2)``.

        Returns
        -------
        losses, logits
            (m,), weighted, and (m, K).
        """
        if len(X) not in self._buffers:
            if len(self._buffers) > 1:  # an epoch has batches of two sizes at most
                self._buffers.clear()
            self._buffers[len(X)] = [np.empty((len(X), width)) for width in self.network.sizes[1:]]
        values = self._buffers[len(X)]
        self.network.forward(X, values)
        losses, error = LOSSES[self.output](values[-1], targets)
        if sample_weights is not None:
            losses *= sample_weights
            error *= sample_weights[:, None]
        error /= len(X)
        self._propagate(X, values, error)
        if self.l2:
            penalized = self._is_weight * self.network.parameters
            penalized *= 2 * self.l2
            self.gradient += penalized
        return losses, values[-1]

    def _propagate(self, X: Floats, values: list[Floats], error: Floats) -> None:
        """Back-propagate `error`, the gradient of the loss with respect to the logits."""
        times_slope = ACTIVATIONS[self.network.activation].times_slope
        for number in range(len(values) - 1, -1, -1):
            previous = values[number - 1] if number else X
            np.matmul(previous.T, error, out=self._weight_gradients[number])
            error.sum(axis=0, out=self._bias_gradients[number])
            if number:
                error = error @ self.network.weights[number].T
                times_slope(error, previous)

    def _limit_gradient(self) -> None:
        if (most := self.limits.gradient) is not None:
            np.clip(self.gradient, -most, most, out=self.gradient)
        if (longest := self.limits.gradient_norm) is not None:
            length = float(np.sqrt(self.gradient @ self.gradient))
            if length > longest:
                self.gradient *= longest / length

    def penalty(self) -> float:
        """Return ``l2 * sum(weights**2)`` of the current weights."""
        return self.l2 * float(self._is_weight @ self.network.parameters**2) if self.l2 else 0.0

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle the constructor's arguments, as copies of views are not views."""
        return _rebuilt, (self.network, self.output, self.optimizer, self.l2, self.limits)


def _rebuilt(network: Network, output: str, optimizer: Optimizer, l2: float, limits: Limits) -> Trainer:
    return Trainer(network, output, optimizer, l2=l2, limits=limits)


def train_epochs(
    trainer: Trainer, X: Floats, targets: Floats, *, epochs: int, batch_size: int, seed: int
) -> list[float]:
    """Train `epochs` passes over ``X`` (n, n_in) and `targets` (n, K) in batches; return the mean loss of each.

    Raises
    ------
    DataError
        The loss is not finite: names the epoch.
    """
    losses = []
    for epoch in range(1, epochs + 1):
        order, total = epoch_stream(seed, epoch).permutation(len(X)), 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # shows in the loss
            for first in range(0, len(X), batch_size):
                rows = order[first : first + batch_size]
                total += float(trainer.step(X[rows], targets[rows])[0].sum())
        losses.append(total / len(X) + trainer.penalty())
        if not np.isfinite(losses[-1]):
            raise DataError(
                f"expected a finite loss, found {losses[-1]} in epoch {epoch}; "
                "lower the learning rate or scale the data"
            )
    return losses
