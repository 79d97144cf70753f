"""Caps on what a dry run fits and resamples: enough to fail where the run would, at a fraction of the time."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.array_types import Array
from mlx.core.settings import Settings
from mlx.models import IterativeModel, Model, ModelSettings, TaskSpec
from mlx.models.catalogue import MODELS
from mlx.models.in_sklearn import fitting, gradient_boosting, svm
from mlx.models.in_sklearn.params import (
    GradientBoostingParams,
    LogisticRegressionParams,
    RandomForestParams,
    SvmParams,
)
from mlx.runs.sample import PER_CLASS
from mlx.training import TrainingSettings

SPLIT = {"method": "random", "test_size": 0.2, "val_size": 0.2, "stratify": True, "fold": None}
TRAIN_SHARE = 0.6

SMALLEST_SAMPLE = 10
"""Samples of a dry run at least: 6 to train on, 2 to validate and 2 to test."""

MAX_ROWS, DIRECT_VALUES, SVM_PRODUCTS = 512, 1 << 22, 10**8
"""Bounds of the training samples of a fit all at once, of all of their values, and of the products in a kernel."""

MAX_UNKNOWNS = 2000
"""Unknowns up to which newton-cholesky is tried: it solves for all at once, at a cost of their third power."""

MAX_FOLDS = 2
"""Further models of ``training.cross_fit`` that are tried."""

MAX_BATCH, MIN_BATCH, BATCH_PRODUCTS = 16, 2, 2 * 10**12
"""Bounds of the samples of a training step, and about how many products of a weight and a value a step has at most."""

MAX_STEPS, MIN_STEPS, TRAINING_PRODUCTS = 32, 2, 10**11
"""Bounds of the training steps, and about how many products of a weight and a value all steps have at most."""


@dataclass(frozen=True)
class Capped:
    """An experiment of which little is fitted, the size of the sample for it, and what is fitted, for the reader."""

    config: ExperimentConfig
    size: int
    fitted: str


def capped(config: ExperimentConfig, model: Model, n_train: int) -> Capped:
    """Return what a dry run does of an experiment whose `model` is fitted to `n_train` samples."""
    task = model.task_spec
    if isinstance(model, IterativeModel):
        training, rows, fitted = _few_steps(config, model, n_train)
        changes: dict[str, Any] = {}
        smallest = SMALLEST_SAMPLE
    else:
        rows = _direct_rows(config.model.parameters(), task, n_train)
        fewer, fitted = _fewer_rounds(config.model.parameters(), task)
        changes = {"model": config.model.model_copy(update={"params": config.model.params | fewer})}
        training, smallest = {}, max(SMALLEST_SAMPLE, PER_CLASS * task.n_classes)
    training["cross_fit"] = min(config.training.cross_fit, MAX_FOLDS)
    changes["training"] = config.training.model_copy(update=training)
    size = max(smallest, math.ceil(rows / TRAIN_SHARE))
    changes["split"] = config.split.model_copy(update=SPLIT | {"stratify": size >= PER_CLASS * task.n_classes})
    few: dict[str, Any] = {"n_bootstrap": 100}
    changes["evaluation"] = config.evaluation.model_copy(update=few)
    few |= {"n_permutations": 19, "projections": [name for name in config.residuals.projections if name != "tsne"]}
    changes["residuals"] = config.residuals.model_copy(update=few)  # t-SNE takes longest, and is always there
    changes["output"] = config.output.model_copy(update={"save_checkpoints": False})
    return Capped(config.model_copy(update=changes), size, fitted)


def _few_steps(config: ExperimentConfig, model: IterativeModel, n_train: int) -> tuple[dict[str, Any], int, str]:
    """Return what changes of the training, its samples, and what is fitted of a model that is trained by epochs.

    The rate stays what it is set to, without warm-up and schedule, so that a rate that diverges is found.
    """
    values = math.prod(model.task_spec.sample_shape)
    most = BATCH_PRODUCTS // max(1, model.n_parameters * values)
    batch = min(config.training.batch_size, max(MIN_BATCH, min(MAX_BATCH, most)))
    most = TRAINING_PRODUCTS // max(1, model.n_parameters * values * batch)
    steps = max(MIN_STEPS, min(MAX_STEPS, most))
    rows = min(n_train, steps * batch)
    epochs = min(config.training.epochs, max(1, steps * batch // rows))
    params = config.training.params.model_copy(update={"schedule": "none", "schedule_params": {}, "warmup_epochs": 0})
    changes = {"epochs": epochs, "batch_size": batch, "early_stopping_patience": None, "params": params}
    fitted = f"{epochs} of {config.training.epochs} epochs in batches of {batch} fitted,"
    return changes, rows, fitted


def _direct_rows(params: Settings, task: TaskSpec, n_train: int) -> int:
    values = math.prod(task.sample_shape)
    rows = min(MAX_ROWS, DIRECT_VALUES // values)
    if isinstance(params, SvmParams):
        rows = min(rows, math.isqrt(SVM_PRODUCTS // values))
    return min(n_train, max(1, rows))


def _fewer_rounds(params: Settings, task: TaskSpec) -> tuple[dict[str, Any], str]:
    """Return the parameters that shorten a fit, and what is fitted."""
    match params:
        case GradientBoostingParams():
            return {"early_stopping": False, "max_iter": 1}, f"1 of {params.max_iter} rounds fitted,"
        case RandomForestParams():
            return {"n_estimators": 1}, f"1 of {params.n_estimators} trees fitted,"
        case SvmParams():
            limit = 100 if params.max_iter == -1 else min(100, params.max_iter)
            return {"max_iter": limit} | ({"cv": 2} if task.n_classes else {}), f"{limit} iterations fitted,"
        case LogisticRegressionParams():
            limit = min(2, params.max_iter)
            unknowns = math.prod(task.sample_shape) * task.n_classes
            if params.solver == "newton-cholesky" and unknowns > MAX_UNKNOWNS:
                why = f"newton-cholesky solves for {unknowns:,} unknowns at a time"
                return {"max_iter": limit, "solver": "lbfgs"}, f"{limit} iterations of lbfgs, as {why}, fitted,"
            return {"max_iter": limit}, f"{limit} of {params.max_iter} iterations fitted,"
    return {}, "a fit"


def check_counts(settings: ModelSettings, task: TaskSpec, n_train: int, labels: Array | None) -> None:
    """Reject training samples that are too few for one of scikit-learn's models, as the sample has other numbers.

    The `labels` (n_train,) are those of the training split; None if unknown.
    """
    params = settings.parameters()
    if isinstance(params, GradientBoostingParams):
        gradient_boosting.check_validation_size(params, n_train, task.n_classes)
    if labels is None or not task.n_classes:
        return
    if MODELS[settings.name].library in {"in_sklearn", "own_sklearn"}:
        fitting.check_classes_present(settings.name, labels, task)
    if isinstance(params, SvmParams):
        svm.check_fold_sizes(params, int(np.bincount(labels, minlength=task.n_classes).min()))


def work_ratio(config: ExperimentConfig, small: ExperimentConfig, samples: float) -> float:
    """Return how many times as much a training does at most as that of a dry run, with `samples` times as many samples.

    A fit that stops early, or converges before its last iteration, does less.
    """
    params, tried = config.model.parameters(), small.model.parameters()
    match params:
        case GradientBoostingParams() | LogisticRegressionParams():
            return samples * params.max_iter / getattr(tried, "max_iter", params.max_iter)
        case RandomForestParams():
            return samples * params.n_estimators
        case SvmParams():
            return samples**2
    return samples * config.training.epochs / small.training.epochs


def models_fitted(training: TrainingSettings, task: TaskSpec) -> int:
    """Return to how many models fitted to all samples the work of a training amounts.

    Each of k models of cross-fitting is fitted to a share (k − 1)/k of the samples: together they are k − 1.
    """
    return max(1, training.cross_fit) if task.n_classes else 1
