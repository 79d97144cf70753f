"""Fits any model: epochs, seeded shuffling, early stopping, history."""

from mlx.training.augment import Augmentation
from mlx.training.fit import Fitted, Samples, fit_model
from mlx.training.settings import TrainingSettings

__all__ = ["Augmentation", "Fitted", "Samples", "TrainingSettings", "fit_model"]
