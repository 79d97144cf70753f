"""Step `train`: fits the model to the training split."""

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from mlx.core.array_types import Array
from mlx.core.artifacts import replacing_folder, write_csv
from mlx.core.console import TrainingDisplay, note
from mlx.core.descriptions import SplitsDescription, read_description
from mlx.core.errors import DataError
from mlx.core.extras import missing
from mlx.core.metrics import write_metrics
from mlx.core.output import DEFAULT_OUTPUT, OutputSettings
from mlx.core.paths import Workspace
from mlx.core.samples import open_samples, open_targets
from mlx.models import DirectModel, IterativeModel, Model, ModelSettings, TaskSpec, build_model, save_model
from mlx.models.catalogue import describe_model
from mlx.training import (
    Augmentation,
    Callbacks,
    Checkpoints,
    Fitted,
    LiveMetrics,
    Samples,
    TrainingSettings,
    augmentation_of,
    clear_checkpoints,
    fingerprint,
    fit_model,
)
from mlx.training.input_scale import scale_warnings


def train(
    workspace: Workspace,
    *,
    model: ModelSettings,
    training: TrainingSettings,
    output: OutputSettings = DEFAULT_OUTPUT,
) -> str:
    """Write ``data/model/``, ``metrics/training.json`` and ``metrics/history.csv``.

    A training that was killed leaves ``checkpoints/``, from which the next call with the same data and
    settings goes on to the same bytes.

    Raises
    ------
    MlxError
        The model does not suit the data, or training diverged.
    """
    described = read_description(workspace.splits / "preprocessing.json", SplitsDescription)
    task_spec = TaskSpec(described.task, tuple(described.sample_shape), len(described.class_names))
    built = build_model(model, task_spec, seed=training.seed)
    for line in idle_settings(model, training, output, described, built):
        note(f"train: {line}")
    samples, validation = (_samples(workspace.splits, part, task_spec) for part in ("train", "val"))
    for line in scale_warnings(model, built, samples.X, described.scaling):
        note(f"train: warning: {line}")
    if isinstance(built, DirectModel):
        _refuse_too_many(model.name, samples.X)
    elif absent := _absent(samples.y, described.class_names):
        note(f"train: no training sample of {', '.join(absent)}: {model.name} can't learn what it never sees")
    augmentation = _augmentation(described, training)
    keeper = None
    if output.save_checkpoints and isinstance(built, IterativeModel):
        keeper = Checkpoints(
            workspace.checkpoints,
            fingerprint=fingerprint(model, training, augmentation, task_spec, _arrays(workspace.splits)),
            frequency=output.checkpoint_frequency,
            description=describe_model(built, model, described.class_names),
            say=lambda line: note(f"train: {line}"),
        )
    else:
        clear_checkpoints(workspace.checkpoints)
    fitted = _fit(built, samples, validation, training, augmentation, keeper, LiveMetrics(workspace.live))
    _write(workspace, fitted, built, model, described.class_names)
    if keeper:
        keeper.finish()
    return (
        f"read {len(samples.y)} samples from {workspace.splits}, fitted {model.name} "
        f"({built.n_parameters} parameters, {_how(built, fitted)}), wrote {workspace.model}"
    )


def _write(
    workspace: Workspace, fitted: Fitted, built: Model, model: ModelSettings, class_names: Sequence[str]
) -> None:
    with replacing_folder(workspace.model) as folder:
        save_model(built, model, folder, class_names)
    history = pd.DataFrame(fitted.history)
    history.insert(0, "epoch", range(1, len(history) + 1))
    # A table has no infinite loss; the metrics say why it is missing.
    write_csv(workspace.metrics / "history.csv", history)
    write_metrics(workspace.metrics / "training.json", _summary(fitted))


def _arrays(folder: Path) -> dict[str, Path]:
    """Return the files that a training reads."""
    names = [f"{kind}_{part}" for kind in ("X", "y") for part in ("train", "val")]
    return {name: folder / f"{name}.npy" for name in names}


def _samples(folder: Path, part: str, task_spec: TaskSpec) -> Samples:
    y = open_targets(folder / f"y_{part}.npy", n_classes=task_spec.n_classes)
    return Samples(open_samples(folder / f"X_{part}.npy", rows=len(y), sample_shape=task_spec.sample_shape), y)


def _absent(y: Array, class_names: Sequence[str]) -> list[str]:
    """Return the names of the classes that no label in `y` (n,) is of; none of a regression."""
    present = np.unique(y) if class_names else ()
    return [name for k, name in enumerate(class_names) if k not in present]


def _refuse_too_many(name: str, X: Array) -> None:
    """Refuse samples that a model which needs all of them at once can't have in memory, before the system ends it."""
    available = psutil.virtual_memory().available
    if X.nbytes > available:
        raise DataError(
            f"{name} is fitted to all samples at once: expected at most {available / 1e9:.1f} GB, which are free in "
            f"memory, found {X.nbytes / 1e9:.1f} GB; take fewer samples, or a model that is trained by epochs"
        )


def idle_settings(
    model: ModelSettings,
    training: TrainingSettings,
    output: OutputSettings,
    described: SplitsDescription,
    built: Model,
) -> list[str]:
    """Name what was set and has no effect on this model, a line for each reason."""
    lines = []
    unused = [f"training.{name}" for name in sorted(training.set_fields() - built.training_fields)]
    if described.augmentation and "params.augmentation" not in built.training_fields:
        unused.append("dataset.params.augmentation")
    if isinstance(built, DirectModel):
        unused += [f"output.{name}" for name in _OF_CHECKPOINTS if name in output.model_fields_set]
    elif not output.save_checkpoints:
        lines.append("no checkpoints are saved (output.save_checkpoints), so a killed training starts anew")
    if unused:
        why = ", which is fitted in one go" if isinstance(built, DirectModel) else ""
        lines.append(f"no effect on {model.name}{why}: {', '.join(unused)}")
    for name, other, without in _IDLE_FIELDS:
        if f"params.{name}" in training.set_fields() & built.training_fields and without(training, built.task_spec):
            lines.append(f"{other}; training.params.{name} has no effect")
    return lines


_OF_CHECKPOINTS = ("checkpoint_frequency", "save_checkpoints")


def _is_regression(_: TrainingSettings, task_spec: TaskSpec) -> bool:
    return task_spec.task == "regression"


_IDLE_FIELDS: tuple[tuple[str, str, Callable[[TrainingSettings, TaskSpec], bool]], ...] = (
    ("momentum", "only the optimizer sgd has a momentum to set", lambda settings, _: settings.optimizer != "sgd"),
    ("class_weights", "a regression has no classes", _is_regression),
    ("label_smoothing", "a regression has no labels", _is_regression),
)
"""What is used or not depending on other settings: the field, why it may be idle, and when it is."""


def _augmentation(described: SplitsDescription, training: TrainingSettings) -> Augmentation:
    """Return what is done to the training samples: what the dataset allows, where it was asked for it, and more."""
    allowed = described.augmentation
    return augmentation_of(training.params.augmentation, allowed.as_dict() if allowed else None)


def _fit(
    built: Model,
    train: Samples,
    val: Samples,
    settings: TrainingSettings,
    augmentation: Augmentation,
    keeper: Checkpoints | None,
    live: LiveMetrics,
) -> Fitted:
    display = TrainingDisplay(settings.epochs, -(-len(train.y) // settings.batch_size))
    followed = isinstance(built, IterativeModel)
    if followed and (reason := missing("dvc")):
        note(f"train: no live curves, as logging them {reason}")
        followed = False
    if not followed:
        live.clear()
    with warnings.catch_warnings(), closing(display), closing(live):
        # What a fit warns of (a rank, say) is for the user, as a line and not with a place in our source.
        warnings.showwarning = lambda message, *_, **__: note(f"train: warning: {message}")
        callbacks = Callbacks((display, live) if followed else (display,))
        return fit_model(built, train, val, settings, callbacks, augmentation=augmentation, keeper=keeper)


def _summary(fitted: Fitted) -> dict[str, Any]:
    summary: dict[str, Any] = {k: v for k, v in fitted.best.items() if k != "loss"}
    if math.isinf(summary.get("val_loss", 0.0)):
        reason = "infinite, validation samples have probability 0 for their class"
        summary |= {"val_loss": None, "val_loss_status": reason}
    return {"best_epoch": fitted.best_epoch} | summary


def _how(built: Model, fitted: Fitted) -> str:
    if isinstance(built, DirectModel):
        return "in one go"
    return f"{len(fitted.history)} epochs, kept the weights of epoch {fitted.best_epoch}"
