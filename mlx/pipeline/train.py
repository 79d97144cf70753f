"""Step `train`: fits the model to the training split."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.arrays import open_array
from mlx.core.artifacts import replacing_folder, write_csv
from mlx.core.checks import check_finite, check_labels
from mlx.core.console import TrainingDisplay, note
from mlx.core.descriptions import SplitsDescription, read_description
from mlx.core.metrics import write_metrics
from mlx.core.output import DEFAULT_OUTPUT, OutputSettings
from mlx.core.paths import Workspace
from mlx.models import DirectModel, Model, ModelSettings, Problem, build_model, save_model
from mlx.training import Augmentation, Fitted, Samples, TrainingSettings, fit_model


def train(
    workspace: Workspace,
    *,
    model: ModelSettings,
    training: TrainingSettings,
    output: OutputSettings = DEFAULT_OUTPUT,  # noqa: ARG001  # its checkpoints come with resuming
) -> str:
    """Write ``data/model/``, ``metrics/training.json`` and ``metrics/history.csv``.

    Raises
    ------
    MlxError
        The model does not suit the data, or training diverged.
    """
    described = read_description(workspace.splits / "preprocessing.json", SplitsDescription)
    problem = Problem(described.task, tuple(described.sample_shape), len(described.class_names))
    built = build_model(model, problem, seed=training.seed)
    _say_unused(model, training, built)
    samples, validation = (_samples(workspace.splits, part, problem) for part in ("train", "val"))
    fitted = _fit(built, samples, validation, training, _augmentation(described, built))
    with replacing_folder(workspace.model) as folder:
        save_model(built, model, folder, described.class_names)
    history = pd.DataFrame(fitted.history)
    history.insert(0, "epoch", range(1, len(history) + 1))
    write_csv(workspace.metrics / "history.csv", history)
    write_metrics(workspace.metrics / "training.json", _summary(fitted))
    return (
        f"read {len(samples.y)} samples from {workspace.splits}, fitted {model.name} "
        f"({built.n_parameters} parameters, {_how(built, fitted)}), wrote {workspace.model}"
    )


def _samples(folder: Path, part: str, problem: Problem) -> Samples:
    path = folder / f"y_{part}.npy"
    y = np.asarray(open_array(path, ndim=1))
    if problem.task == "classification":
        y = check_labels(str(path), y, len(y), problem.n_classes)
    check_finite(str(path), y, 0)
    return Samples(open_array(folder / f"X_{part}.npy", rows=len(y)), y)


def _say_unused(model: ModelSettings, training: TrainingSettings, built: Model) -> None:
    unused = sorted(training.model_fields_set - built.training_fields - {"params"})
    if unused:
        note(f"train: {model.name} is fitted in one go; training.{', training.'.join(unused)} have no effect on it")


def _augmentation(described: SplitsDescription, built: Model) -> Augmentation | None:
    """Return what the dataset allows to be done to its images, where it was asked for it."""
    allowed = described.augmentation
    if allowed and isinstance(built, DirectModel):
        note("train: the model is fitted in one go; dataset.params.augmentation has no effect on it")
    return Augmentation(flip=allowed.flip, shift=allowed.shift) if allowed else None


def _fit(
    built: Model, train: Samples, val: Samples, settings: TrainingSettings, augmentation: Augmentation | None
) -> Fitted:
    display = TrainingDisplay(settings.epochs, -(-len(train.y) // settings.batch_size))
    with warnings.catch_warnings():
        # What a fit warns of (a rank, say) is for the user, as a line and not with a place in our source.
        warnings.showwarning = lambda message, *_, **__: note(f"train: warning: {message}")
        try:
            return fit_model(built, train, val, settings, display, augmentation=augmentation)
        finally:
            display.close()


def _summary(fitted: Fitted) -> dict[str, Any]:
    return {"best_epoch": fitted.best_epoch} | {k: v for k, v in fitted.best.items() if k != "loss"}


def _how(built: Model, fitted: Fitted) -> str:
    if isinstance(built, DirectModel):
        return "in one go"
    return f"{len(fitted.history)} epochs, kept the weights of epoch {fitted.best_epoch}"
