"""The models, behind one contract: fit, outputs for a batch, named representations, save, load."""

from mlx.models.catalogue import build_model, load_model, save_model
from mlx.models.contract import DirectModel, IterativeModel, Model, Optimization, Outputs, Problem
from mlx.models.settings import ModelSettings

__all__ = [
    "DirectModel",
    "IterativeModel",
    "Model",
    "ModelSettings",
    "Optimization",
    "Outputs",
    "Problem",
    "build_model",
    "load_model",
    "save_model",
]
