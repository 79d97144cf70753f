"""Fits any model: epochs, seeded shuffling, learning rates, early stopping, checkpoints, history."""

from mlx.training.augment import Augmentation, augmentation_of
from mlx.training.fit import Fitted, fit_model
from mlx.training.samples import Samples
from mlx.training.settings import TrainingSettings

__all__ = ["Augmentation", "Fitted", "Samples", "TrainingSettings", "augmentation_of", "fit_model"]
