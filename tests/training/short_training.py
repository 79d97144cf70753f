"""A short training with checkpoints."""

from pathlib import Path
from typing import Any

import numpy as np
from line import Line

from mlx.core.descriptions import ModelDescription
from mlx.training import Augmentation, Checkpoints, Samples, TrainingSettings, fit_model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
DATA = Samples(X, X @ [1.0, -2.0] + RNG.normal(size=60))
VALIDATION = Samples(X[:20] + 1, X[:20] @ [1.0, -2.0])
DESCRIBED = ModelDescription(
    name="linear_regression", params={}, task="regression", class_names=[], sample_shape=[2], layers=[],
    penultimate="", parameters=2,
)  # fmt: skip
SETTINGS: dict[str, Any] = {
    "epochs": 12,
    "batch_size": 8,
    "learning_rate": 0.003,
    "early_stopping_patience": 4,
    "params": {
        "momentum": 0.9, "warmup_epochs": 1, "schedule": "plateau", "schedule_params": {"patience": 1},
        "augmentation": {"noise": 0.1},
    },
}  # fmt: skip
NOISE = Augmentation(noise=0.1)
End = tuple[list[float], list[dict[str, float]], int]


class Silent:
    def begin(self, history: Any) -> None: ...

    def batch(self) -> None: ...

    def epoch(self, number: int, metrics: Any) -> None: ...


class Killed(BaseException):
    """What stops a training in the midst of an epoch."""


class KilledAfter(Silent):
    def __init__(self, batches: int) -> None:
        self.left = batches

    def batch(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


def train(
    folder: Path,
    callback: Silent | None = None,
    *,
    frequency: int = 1,
    print_of: dict[str, Any] | None = None,
    **changed: Any,
) -> tuple[End, list[str], Checkpoints]:
    """Train to the end; return that, what was said, and the checkpoints, which are not finished."""
    said: list[str] = []
    settings = TrainingSettings.model_validate(SETTINGS | changed)
    checkpoints = Checkpoints(
        folder,
        fingerprint=print_of or {"training": settings.as_dict()},
        frequency=frequency,
        description=DESCRIBED,
        report=said.append,
    )
    model = Line()
    try:
        fitted = fit_model(
            model, DATA, VALIDATION, settings, callback or Silent(), checkpoints=checkpoints, augmentation=NOISE
        )
    except Killed:
        return ([], [], 0), said, checkpoints
    return (model.w.tolist(), list(fitted.history), fitted.best_epoch), said, checkpoints
