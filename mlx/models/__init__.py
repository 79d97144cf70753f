"""The models behind one interface: fit, outputs for a batch, named representations, save, load."""

from importlib import import_module
from typing import Any

from mlx.models.build import build_model, load_model, save_model
from mlx.models.contract import DirectModel, Epoch, IterativeModel, Model, Optimization, Outputs
from mlx.models.outcomes import SampleOutcomes
from mlx.models.settings import ModelSettings
from mlx.models.task_spec import TaskSpec

_ESTIMATORS = {
    "BaseModel": "mlx.models.in_numpy.base",
    "LinearRegression": "mlx.models.in_numpy.linear_regression",
    "MLP": "mlx.models.in_numpy.mlp",
}
"""The NumPy models as estimators, imported on first use (PEP 562), as they need scikit-learn."""


def __getattr__(name: str) -> Any:
    if name not in _ESTIMATORS:
        raise AttributeError(f"module 'mlx.models' has no attribute '{name}'")
    return getattr(import_module(_ESTIMATORS[name]), name)


__all__ = [
    "MLP",
    "BaseModel",
    "DirectModel",
    "Epoch",
    "IterativeModel",
    "LinearRegression",
    "Model",
    "ModelSettings",
    "Optimization",
    "Outputs",
    "SampleOutcomes",
    "TaskSpec",
    "build_model",
    "load_model",
    "save_model",
]
