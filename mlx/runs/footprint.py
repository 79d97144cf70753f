"""The memory and disk space that a run needs, estimated from sizes."""

import math
import shutil

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.errors import DataError, SettingsError
from mlx.core.paths import repository_root
from mlx.datasets import Dataset
from mlx.models import DirectModel, Model, ModelSettings
from mlx.models.in_sklearn.params import LogisticRegressionParams, RandomForestParams
from mlx.preprocessing.scaling import scaled_dtype

TRAINING_COPIES = 4
"""Arrays of the size of the weights in training: weights, gradients and two moments."""


def memory_of(settings: ModelSettings, model: Model, n_train: int) -> int:
    """Return about how many bytes a training takes beyond the libraries.

    For a fit all at once it is a lower bound: all samples at once, and a solver's matrix.
    """
    if not isinstance(model, DirectModel):
        return model.n_parameters * 4 * TRAINING_COPIES
    n_features, params = math.prod(model.task_spec.sample_shape), settings.parameters()
    needed = n_train * n_features * (4 if isinstance(params, RandomForestParams) else 8)
    if isinstance(params, LogisticRegressionParams) and params.solver == "newton-cholesky":
        needed += (n_features * model.task_spec.n_classes) ** 2 * 8
    return needed


def check_memory(settings: ModelSettings, model: Model, n_train: int) -> None:
    """Raise a `SettingsError` for a model that does not fit into memory, before the system ends the process for it."""
    import psutil

    if (needed := memory_of(settings, model, n_train)) > (total := psutil.virtual_memory().total):
        direct = isinstance(model, DirectModel)
        raise SettingsError(
            f"expected at most {size_text(total)} of memory, which is there, found {size_text(needed)} for "
            f"{settings.name}; take "
            f"{'fewer or smaller samples, or another model or solver' if direct else 'smaller widths'}",
            key=("model",),
        )


def disk_of(config: ExperimentConfig, dataset: Dataset, model: Model, n_represented: int, n_recorded: int) -> int:
    """Return about how many bytes a run writes that records `n_represented` values of each of `n_recorded` samples.

    Raises
    ------
    DataError
        They are more than are free.
    """
    n, scaled = dataset.n_samples, scaled_dtype(config.preprocessing.scaling, dataset.dtype)
    needed = n * math.prod(dataset.sample_shape) * np.dtype(dataset.dtype).itemsize
    needed += n * math.prod(model.task_spec.sample_shape) * scaled.itemsize
    needed += n_recorded * (n_represented * 4 + 12 * max(1, len(dataset.class_names)))
    if not isinstance(model, DirectModel) and config.output.save_checkpoints:
        weights = config.training.epochs // config.output.checkpoint_frequency + 1
        needed += model.n_parameters * 4 * (weights + 2 * TRAINING_COPIES)
    free = shutil.disk_usage(repository_root()).free
    if needed > free:
        raise DataError(
            f"dataset {dataset.name}: expected {size_text(needed)} of free disk, found {size_text(free)}; "
            "free some, or lower dataset.params.n_samples"
        )
    return needed


def size_text(n_bytes: float) -> str:
    """Return a number of bytes to a tenth of a megabyte, or of a gigabyte."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{max(0.1, n_bytes / 1e6):.1f} MB"
