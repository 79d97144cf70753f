"""The memory and disk space that a run takes, estimated from sizes and from what a dry run wrote.

Estimated are the most memory that the one process of a run has at a time (its resident set, with the libraries), and
the size of the finished run's folder. Constants were measured on Linux with the CPU builds of the libraries.
"""

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.errors import DataError, SettingsError
from mlx.core.paths import repository_root
from mlx.datasets import Dataset
from mlx.models import DirectModel, IterativeModel, Model, ModelSettings
from mlx.models.catalogue import MODELS
from mlx.models.in_sklearn.params import (
    GradientBoostingParams,
    LogisticRegressionParams,
    RandomForestParams,
    SvmParams,
)
from mlx.residuals.geometry.layer_geometry import FILLED_BYTES
from mlx.residuals.pairs.pair_spearman import EXACT_PAIRS
from mlx.training.fit import EVALUATION_BATCH
from mlx.training.samples import LARGE

TRAINING_COPIES = 4
"""Arrays of the size of the weights in training: weights, gradients and two moments."""

LIBRARIES = 220 << 20
"""Bytes of Python, NumPy, SciPy, pandas, pyarrow and what of scikit-learn every run loads."""
MODEL_LIBRARIES = {
    "in_keras": 620 << 20,
    "custom": 620 << 20,  # a Keras network in most cases
    "in_sklearn": 60 << 20,
    "own_sklearn": 60 << 20,
    "in_onnx": 60 << 20,
    "in_numpy": 0,
    "recorded": 0,
}
"""What is loaded to fit a model beside them; TensorFlow with its threads, and what it keeps of a compiled step."""
REPORT = 120 << 20
"""What the analysis and the report add: matplotlib, figures and tables."""

GEOMETRY_COPIES = 6
"""Arrays of the size of a layer when its components and its dimension are computed."""

LEAVES = 0.9
"""Power of the number of samples with which leaves and support vectors of a classifier grow: 0.8 for MNIST's digits, 1
for labels at random; 1 for a regression."""

PAIR = 40
"""Bytes of a pair of samples while pairs are ranked, of which at most `EXACT_PAIRS` are in memory."""

PAGE, PICTURES = 2 << 20, 5 << 19
"""Bytes of the page, its figures, and the tables whose size does not depend on the number of samples; with images more.
"""
MODEL_FILES = 15_000
"""Bytes of a model's files beside its trees."""
SAMPLE, ANALYZED_SAMPLE, ENTRY = 40, 300, 8
"""Bytes of a sample beside its values: target, rows and group; of its row in the tables of the analysis; of an entry in
a sparse row."""


@dataclass(frozen=True)
class SampleSizes:
    """What a dry run wrote of the sample that it ran.

    Attributes
    ----------
    n_train, n_recorded
        Training samples that were fitted; samples whose representations were recorded.
    dense_bytes, model_bytes
        Size of the outputs and of the layers that are stored densely; of the model.
    width, n_sparse
        Of the widest layer; how many layers are stored as sparse rows, an entry per tree.
    sample_bytes
        Size of a sample as it is fed to the model.
    """

    n_train: int
    n_recorded: int
    dense_bytes: int
    model_bytes: int
    width: int
    n_sparse: int
    sample_bytes: int


@dataclass(frozen=True)
class Footprint:
    """Estimated bytes, by what takes them.

    Attributes
    ----------
    memory
        ``libraries``, and ``training`` or ``analysis``, whichever takes more.
    disk
        ``samples``, ``representations``, ``model`` with its checkpoints, ``report`` with the tables of the analysis.
    """

    memory: Mapping[str, int]
    disk: Mapping[str, int]

    def facts(self) -> tuple[str, str]:
        """Return a line on each for the reader."""
        return (
            f"disk: about {size_text(sum(self.disk.values()))} ({_parts(self.disk)})",
            f"memory: about {size_text(sum(self.memory.values()))} at most in one process ({_parts(self.memory)})",
        )


def _parts(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {size_text(size)}" for name, size in sizes.items())


def footprint(
    config: ExperimentConfig, dataset: Dataset, model: Model, parts: Mapping[str, int], tried: SampleSizes
) -> Footprint:
    """Estimate what a run with `parts` samples in train, val and test takes, after a sample was `tried`.

    Raises
    ------
    DataError
        There is not as much free disk.
    """
    growth = _growth(config.model, parts["train"] / tried.n_train, regression=dataset.task == "regression")
    fixed = min(MODEL_FILES, tried.model_bytes)
    model_bytes = round(fixed + (tried.model_bytes - fixed) * growth)
    outputs = tried.dense_bytes / tried.n_recorded + tried.n_sparse * ENTRY * _trees(
        config.model, len(dataset.class_names)
    )
    disk = {
        "samples": dataset.n_samples * (_raw_bytes(dataset) + tried.sample_bytes + SAMPLE),
        "representations": round(_recorded(config, parts) * outputs),
        "model": _saved(config, model, model_bytes),
        "report": PAGE + (PICTURES if len(dataset.sample_shape) == 3 else 0) + parts["test"] * ANALYZED_SAMPLE,
    }
    _check_free(dataset, sum(disk.values()))
    training = _training(config, model, parts, tried.sample_bytes) + 2 * model_bytes
    analysis = REPORT + _analysis(parts["test"], tried, growth if tried.n_sparse else 1)
    work = {"training": training} if training > analysis else {"analysis": analysis}
    libraries = LIBRARIES + MODEL_LIBRARIES[MODELS[config.model.name].library]
    return Footprint({"libraries": libraries, **work}, disk)


def _raw_bytes(dataset: Dataset) -> int:
    return math.prod(dataset.sample_shape) * np.dtype(dataset.dtype).itemsize


def _recorded(config: ExperimentConfig, parts: Mapping[str, int]) -> int:
    """Return how many samples `extract-representations` records."""
    sizes = {**parts, "train": min(parts["train"], config.representations.max_train_samples)}
    return sum(sizes[split] for split in config.representations.splits)


def _rounds(settings: ModelSettings) -> int:
    """Return how many trees of a forest, or rounds of boosting, a run fits; a dry run fits one."""
    match settings.parameters():
        case RandomForestParams() as params:
            return params.n_estimators
        case GradientBoostingParams() as params:
            return params.max_iter
    return 1


def _trees(settings: ModelSettings, n_classes: int) -> int:
    """Return how many trees a sample passes: boosting fits one for each of three or more classes in a round."""
    each = n_classes if isinstance(settings.parameters(), GradientBoostingParams) and n_classes > 2 else 1
    return _rounds(settings) * each


def _growth(settings: ModelSettings, fitted: float, *, regression: bool) -> float:
    """Return how many times as large a model is as the one that was tried, to `fitted` times as many samples."""
    if not isinstance(settings.parameters(), RandomForestParams | SvmParams):
        return _rounds(settings)
    return _rounds(settings) * fitted ** (1 if regression else LEAVES)


def _saved(config: ExperimentConfig, model: Model, model_bytes: int) -> int:
    """Return the size of the model and its checkpoints, if all epochs are run."""
    if not (isinstance(model, IterativeModel) and config.output.save_checkpoints):
        return model_bytes
    weights = config.training.epochs // config.output.checkpoint_frequency + 1
    return model_bytes + weights * model.n_parameters * _itemsize(config)


def _itemsize(config: ExperimentConfig) -> int:
    return 4 if MODELS[config.model.name].library == "in_keras" else 8


def _training(config: ExperimentConfig, model: Model, parts: Mapping[str, int], sample_bytes: int) -> int:
    """Return the memory of samples, weights and activations in training."""
    if not isinstance(model, IterativeModel):
        mapped = (parts["train"] + parts["val"]) * sample_bytes
        return mapped + least_memory(config.model, model, parts["train"])
    mapped = min((parts["train"] + parts["val"]) * sample_bytes, LARGE)
    batch = max(3 * config.training.batch_size, EVALUATION_BATCH)  # forward, backward, and a copy
    return mapped + _itemsize(config) * (2 * TRAINING_COPIES * model.n_parameters + batch * model.n_activations)


def _analysis(n_test: int, tried: SampleSizes, growth: float) -> int:
    """Return the memory of pairs, and of the geometry of the widest layer, `growth` times as wide as was tried."""
    filled = round(n_test * tried.width * growth * 8)
    kept = 0 if tried.n_sparse and filled > FILLED_BYTES else GEOMETRY_COPIES * filled
    return kept + 2 * ANALYZED_SAMPLE * n_test + PAIR * min(math.comb(n_test, 2), EXACT_PAIRS)


def least_memory(settings: ModelSettings, model: Model, n_train: int) -> int:
    """Return how many bytes a training takes at least: weights, or all samples at once and a solver's matrix."""
    if isinstance(model, IterativeModel):
        return model.n_parameters * 4 * TRAINING_COPIES
    n_features, params = math.prod(model.task_spec.sample_shape), settings.parameters()
    needed = n_train * n_features * (4 if isinstance(params, RandomForestParams) else 8)
    if isinstance(params, LogisticRegressionParams) and params.solver == "newton-cholesky":
        needed += (n_features * model.task_spec.n_classes) ** 2 * 8
    return needed


def check_memory(settings: ModelSettings, model: Model, n_train: int) -> None:
    """Raise a `SettingsError` for a model that does not fit into memory, before the system ends the process for it."""
    import psutil

    if (needed := least_memory(settings, model, n_train)) > (total := psutil.virtual_memory().total):
        direct = isinstance(model, DirectModel)
        raise SettingsError(
            f"expected at most {size_text(total)} of memory, which is there, found {size_text(needed)} for "
            f"{settings.name}; take "
            f"{'fewer or smaller samples, or another model or solver' if direct else 'smaller widths'}",
            key=("model",),
        )


def _check_free(dataset: Dataset, needed: int) -> None:
    free = shutil.disk_usage(repository_root()).free
    if needed > free:
        raise DataError(
            f"dataset {dataset.name}: expected {size_text(needed)} of free disk, found {size_text(free)}; "
            "free some, or lower dataset.params.n_samples"
        )


def size_text(n_bytes: float) -> str:
    """Return a number of bytes to a tenth of a megabyte, or of a gigabyte."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{max(0.1, n_bytes / 1e6):.1f} MB"
