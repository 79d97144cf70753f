"""Fits any model: epochs, seeded shuffling, early stopping, history."""

from mlx.training.fit import Fitted, Samples, fit_model
from mlx.training.settings import TrainingSettings

__all__ = ["Fitted", "Samples", "TrainingSettings", "fit_model"]
