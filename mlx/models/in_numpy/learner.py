"""Back-propagation through a network, and the step that an optimizer takes with it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.errors import DataError
from mlx.models.in_numpy.heads import HEADS
from mlx.models.in_numpy.network import ACTIVATIONS, Network, views
from mlx.models.in_numpy.optimizers import Optimizer


@dataclass(frozen=True)
class Limits:
    """What a step is held to; None for no limit.

    Attributes
    ----------
    gradient : largest entry of a gradient.
    gradient_norm : longest gradient, all parameters together; a longer one is shortened.
    parameters : largest weight or bias after a step.
    """

    gradient: float | None = None
    gradient_norm: float | None = None
    parameters: float | None = None


NO_LIMITS = Limits()


class Learner:
    """Fits a network to rows of targets, a batch a step.

    Attributes
    ----------
    output : the output activation, which tells the loss (`HEADS`).
    l2 : weight of the squared weights beside the mean loss.
    gradient : (p,) of the last batch's mean loss, in the order of ``network.parameters``.
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
        self._is_weight = np.zeros_like(network.parameters)  # 1 for weights, 0 for biases, which have no penalty
        for weight in views(self._is_weight, network.sizes)[0]:
            weight[:] = 1
        self._buffers: dict[int, list[Floats]] = {}

    def step(self, X: Floats, targets: Floats, sample_weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Take one step on ``X`` (m, n_in) and `targets` (m, K).

        Returns
        -------
        The losses (m,) and logits (m, K) of before the step. The logits are overwritten by the next one.
        """
        losses, logits = self.differentiate(X, targets, sample_weights)
        self._limit_gradient()
        self.optimizer.step(self.network.parameters, self.gradient)
        if (most := self.limits.parameters) is not None:
            np.clip(self.network.parameters, -most, most, out=self.network.parameters)
        return losses, logits

    def differentiate(self, X: Floats, targets: Floats, sample_weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Compute `gradient`, that of ``mean(sample_weights * losses) + l2 * sum(weights**2)``.

        Returns
        -------
        The losses (m,), weighted, and the logits (m, K).
        """
        if len(X) not in self._buffers:
            if len(self._buffers) > 1:  # a batch and a smaller last one are all that an epoch has
                self._buffers.clear()
            self._buffers[len(X)] = [np.empty((len(X), width)) for width in self.network.sizes[1:]]
        values = self._buffers[len(X)]
        self.network.forward(X, values)
        losses, error = HEADS[self.output](values[-1], targets)
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
        """Carry `error`, the loss's gradient by the logits, back from layer to layer (the chain rule)."""
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
        """Return ``l2 * sum(weights**2)`` of the present weights."""
        return self.l2 * float(self._is_weight @ self.network.parameters**2) if self.l2 else 0.0

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by what it was made of, as a copied view would be a view no longer."""
        return _rebuilt, (self.network, self.output, self.optimizer, self.l2, self.limits)


def _rebuilt(network: Network, output: str, optimizer: Optimizer, l2: float, limits: Limits) -> Learner:
    return Learner(network, output, optimizer, l2=l2, limits=limits)


def learn_by_epochs(
    learner: Learner, X: Floats, targets: Floats, *, epochs: int, batch_size: int, seed: int
) -> list[float]:
    """Take `epochs` passes over ``X`` (n, n_in) and `targets` (n, K) in batches; return each one's mean loss.

    Raises
    ------
    DataError
        The loss stopped being a finite number: says the epoch.
    """
    losses = []
    for epoch in range(1, epochs + 1):
        order, total = np.random.default_rng([seed, epoch]).permutation(len(X)), 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # seen by the loss
            for first in range(0, len(X), batch_size):
                rows = order[first : first + batch_size]
                total += float(learner.step(X[rows], targets[rows])[0].sum())
        losses.append(total / len(X) + learner.penalty())
        if not np.isfinite(losses[-1]):
            raise DataError(
                f"expected a finite loss, found {losses[-1]} in epoch {epoch}; "
                "lower the learning rate or scale the data"
            )
    return losses
