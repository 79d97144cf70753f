"""Fits any model: epochs, shuffling, learning rate schedules, early stopping, checkpoints, history."""

from mlx.training.augment import Augmentation, augmentation_of
from mlx.training.checkpoints import Checkpoints, clear_checkpoints, load_checkpoint
from mlx.training.cross_fit import CrossFit
from mlx.training.dynamics import dynamics_columns
from mlx.training.fingerprint import fingerprint
from mlx.training.fit import Callbacks, FitResult, fit_model
from mlx.training.live import LiveMetrics
from mlx.training.samples import Samples
from mlx.training.settings import TrainingSettings

__all__ = [
    "Augmentation",
    "Callbacks",
    "Checkpoints",
    "CrossFit",
    "FitResult",
    "LiveMetrics",
    "Samples",
    "TrainingSettings",
    "augmentation_of",
    "clear_checkpoints",
    "dynamics_columns",
    "fingerprint",
    "fit_model",
    "load_checkpoint",
]
