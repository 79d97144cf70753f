"""Gradient descent and its variants on one flat vector, each with the formula and constants of Keras."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats
from mlx.core.errors import ArtifactError

EPSILON = 1e-7  # of Keras, for all of them; its place in the formula is part of each method
LARGEST_USUAL_RATE = 1.0


class Optimizer(ABC):
    """Updates parameters θ (p,) in place, one step for each gradient.

    Attributes
    ----------
    learning_rate
        Step size of the steps from here on.
    weight_decay
        Share of θ, times the learning rate, that a step subtracts first (decoupled from the averages; Loshchilov &
        Hutter 2019).
    n_steps
        Number of steps taken.
    slots
        The state vectors (p,) by name.
    """

    slot_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, n_parameters: int, learning_rate: float, *, weight_decay: float = 0.0) -> None:
        self.learning_rate, self.weight_decay, self.n_steps = learning_rate, weight_decay, 0
        self.slots = {name: np.zeros(n_parameters) for name in self.slot_names}
        self._work = np.empty(n_parameters)

    def step(self, parameters: Floats, gradient: Floats) -> None:
        """Update `parameters` by one step."""
        if self.weight_decay:
            parameters *= 1 - self.weight_decay * self.learning_rate
        self.n_steps += 1
        self._move(parameters, gradient, self._work)

    @abstractmethod
    def _move(self, parameters: Floats, gradient: Floats, work: Floats) -> None:
        """Take the step, with `work` (p,) as a buffer."""

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copy the number of steps and the slots."""
        return {"n_steps": np.array(self.n_steps, np.int64), **{name: v.copy() for name, v in self.slots.items()}}

    def set_state(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Set a copied state.

        Raises
        ------
        ArtifactError
            It is of another optimizer, or for another number of parameters.
        """
        expected = {name: value.shape for name, value in self.state().items()}
        if (found := {name: value.shape for name, value in state.items()}) != expected:
            raise ArtifactError(f"optimizer: expected state of shapes {expected}, found {found}")
        self.n_steps = int(state["n_steps"])
        for name, slot in self.slots.items():
            slot[:] = state[name]


class Sgd(Optimizer):
    """θ ← θ − η g; with momentum μ, v ← μ v − η g and θ ← θ + v."""

    slot_names = ("momentum",)

    def __init__(
        self, n_parameters: int, learning_rate: float, *, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        super().__init__(n_parameters, learning_rate, weight_decay=weight_decay)
        self.momentum = momentum

    def _move(self, parameters: Floats, gradient: Floats, work: Floats) -> None:
        np.multiply(gradient, self.learning_rate, out=work)
        velocity = self.slots["momentum"]
        velocity *= self.momentum
        velocity -= work
        parameters += velocity


class RmsProp(Optimizer):
    """s ← ρ s + (1 − ρ) g² and θ ← θ − η g / √(s + ε), with ρ = 0.9 (Tieleman & Hinton 2012)."""

    slot_names = ("velocity",)
    rho = 0.9

    def _move(self, parameters: Floats, gradient: Floats, work: Floats) -> None:
        velocity = self.slots["velocity"]
        np.multiply(gradient, gradient, out=work)
        work *= 1 - self.rho
        velocity *= self.rho
        velocity += work
        np.add(velocity, EPSILON, out=work)
        np.sqrt(work, out=work)
        np.divide(gradient, work, out=work)
        work *= self.learning_rate
        parameters -= work


class Adam(Optimizer):
    """θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε): bias-corrected averages m of g and v of g².

    With β₁ = 0.9 and β₂ = 0.999 (Kingma & Ba 2015; ε is placed as at the end of their section 2).
    """

    slot_names = ("momentum", "velocity")
    beta_1, beta_2 = 0.9, 0.999

    def _move(self, parameters: Floats, gradient: Floats, work: Floats) -> None:
        mean, square = self.slots["momentum"], self.slots["velocity"]
        np.subtract(gradient, mean, out=work)
        work *= 1 - self.beta_1
        mean += work
        np.multiply(gradient, gradient, out=work)
        work -= square
        work *= 1 - self.beta_2
        square += work
        np.sqrt(square, out=work)
        work += EPSILON
        np.divide(mean, work, out=work)
        work *= self.learning_rate * np.sqrt(1 - self.beta_2**self.n_steps) / (1 - self.beta_1**self.n_steps)
        parameters -= work


class AdamW(Adam):
    """Adam with weight decay, which every optimizer here decouples."""


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": Sgd, "rmsprop": RmsProp, "adam": Adam, "adamw": AdamW}
"""The optimizers by the names of the configuration."""


def build_optimizer(
    name: str, n_parameters: int, learning_rate: float, *, momentum: float = 0.0, weight_decay: float = 0.0
) -> Optimizer:
    """Make the optimizer `name`, with `momentum` only for sgd; warns of a learning rate above 1."""
    if learning_rate > LARGEST_USUAL_RATE:
        text = f"a learning rate above {LARGEST_USUAL_RATE:g} rarely converges, found {learning_rate:g}"
        warnings.warn(text, stacklevel=3)
    if name == "sgd":
        return Sgd(n_parameters, learning_rate, momentum=momentum, weight_decay=weight_decay)
    return OPTIMIZERS[name](n_parameters, learning_rate, weight_decay=weight_decay)
