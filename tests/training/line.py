"""The smallest model that has all that a checkpoint must carry: weights, momentum, a rate, and drawn noise."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.errors import ArtifactError
from mlx.models import Epoch, IterativeModel, Optimization, Outputs, TaskSpec

Array = Any


class Line(IterativeModel):
    """Least squares by gradient descent with momentum and noise on its inputs."""

    tasks = frozenset({"regression"})
    layers = ()
    penultimate = ""
    n_activations = 1

    def __init__(self, n_features: int = 2) -> None:
        self.task_spec = TaskSpec("regression", (n_features,), 0)
        self.w, self.velocity, self.rate = np.zeros(n_features), np.zeros(n_features), 0.0

    @property
    def n_parameters(self) -> int:
        return len(self.w)

    def prepare(self, optimization: Optimization) -> None:
        self.rate, self.momentum = optimization.learning_rate, optimization.momentum

    def set_learning_rate(self, rate: float) -> None:
        self.rate = rate

    def run_epoch(self, batches: Iterable[tuple[Array, Array]], rng: np.random.Generator) -> Epoch:
        losses = []
        with np.errstate(all="ignore"):
            for X, y in batches:
                noisy = X + 0.1 * rng.standard_normal(X.shape)
                residual = noisy @ self.w - y
                losses.append(float((residual**2).mean()))
                self.velocity = self.momentum * self.velocity - self.rate * noisy.T @ residual / len(y)
                self.w = self.w + self.velocity
        return Epoch({"loss": float(np.mean(losses))})

    def evaluate(self, batches: Iterable[tuple[Array, Array]]) -> dict[str, float]:
        with np.errstate(all="ignore"):
            return {"loss": float(np.mean([((X @ self.w - y) ** 2).mean() for X, y in batches]))}

    def weights(self) -> list[Array]:
        return [self.w.copy()]

    def set_weights(self, weights: list[Array]) -> None:
        self.w = weights[0].copy()

    def state(self) -> dict[str, Array]:
        return {"w": self.w.copy(), "velocity": self.velocity.copy()}

    def set_state(self, state: Mapping[str, Array]) -> None:
        for name, current in self.state().items():
            if name not in state or state[name].shape != current.shape:
                raise ArtifactError(f"checkpoint: {name}: expected shape {current.shape}")
        self.w, self.velocity = state["w"].copy(), state["velocity"].copy()

    def outputs(self, X: Array, layers: Any = ()) -> Outputs:
        raise AssertionError

    def save(self, folder: Path) -> None:
        raise AssertionError

    def restore(self, folder: Path) -> None:
        raise AssertionError
