"""Step `train`: fits the model to the training split."""

import math
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from mlx.core.array_types import Array
from mlx.core.artifacts import read_json, read_parquet, replacing_folder, write_columns, write_csv
from mlx.core.bars import TrainingDisplay
from mlx.core.console import note
from mlx.core.descriptions import RecordedDescription, SplitsDescription, read_description
from mlx.core.errors import DataError
from mlx.core.extras import missing
from mlx.core.lineage import made_from, write_identified
from mlx.core.metrics import write_metrics
from mlx.core.output import DEFAULT_OUTPUT, OutputSettings
from mlx.core.paths import CROSS_FIT, Workspace
from mlx.core.samples import open_index, open_samples, open_targets
from mlx.core.workers import SERIAL, Workers
from mlx.models import DirectModel, IterativeModel, Model, ModelSettings, TaskSpec, build_model, save_model
from mlx.models.build import DESCRIPTION, describe_model
from mlx.models.recorded.build import RecordedModel
from mlx.models.task_check import check_recorded
from mlx.training import (
    Augmentation,
    Callbacks,
    Checkpoints,
    CrossFit,
    FitResult,
    LiveMetrics,
    Samples,
    TrainingSettings,
    augmentation_of,
    clear_checkpoints,
    dynamics_columns,
    fingerprint,
    fit_model,
)
from mlx.training.cross_fit import CrossFitOutputs, clear_folds, write_cross_fit
from mlx.training.fingerprint import Fingerprint
from mlx.training.input_scale import scale_warnings, target_warnings
from mlx.training.unused_settings import unused_settings


def train(
    workspace: Workspace,
    workers: Workers = SERIAL,
    *,
    model: ModelSettings,
    training: TrainingSettings,
    output: OutputSettings = DEFAULT_OUTPUT,
) -> str:
    """Write ``data/model/``, ``metrics/training.json`` and ``metrics/history.csv``.

    With ``training.cross_fit``, ``data/model/cross_fit/`` has the outputs for each training sample of a model that was
    not trained on it. A killed training leaves ``checkpoints/``, from which the next call with the same data and
    settings resumes and writes the same bytes.

    Raises
    ------
    MlxError
        The model does not fit the data, or training diverged.
    """
    described = read_description(workspace.splits / "preprocessing.json", SplitsDescription)
    task_spec = TaskSpec.of(described)
    check_recorded(model.name, described.recorded)
    built = build_model(model, task_spec, seed=training.seed)
    _note(*unused_settings(model, training, output, described, built))
    if described.recorded is not None:
        return _write_untrained(workspace, model, described, described.recorded)
    samples, validation = (_samples(workspace.splits, part, task_spec) for part in ("train", "val"))
    _check_samples(samples, described, model, built)
    data, settings = _Data(described, samples, validation), _Settings(model, training, output)
    result = _fit_and_write(workspace, workers, built, data, settings)
    return (
        f"read {len(samples.y)} samples from {workspace.splits}, fitted {model.name} "
        f"({built.n_parameters} parameters, {_how(built, result)}), wrote {workspace.model}"
    )


@dataclass(frozen=True)
class _Data:
    """What a training reads: the training and validation samples, and their description."""

    described: SplitsDescription
    train: Samples
    val: Samples


@dataclass(frozen=True)
class _Settings:
    """The sections of the configuration that a training depends on."""

    model: ModelSettings
    training: TrainingSettings
    output: OutputSettings


@dataclass(frozen=True)
class _Fitted:
    """A fitted model, and what is written of its training.

    Attributes
    ----------
    y, index
        (n,), targets of the training samples, and their rows in the raw data.
    crossed
        Outputs of cross-fitting, if there are any.
    chosen_by_validation
        Whether the validation loss chose the epoch; None without epochs.
    """

    model: Model
    result: FitResult
    y: Array
    index: Array
    crossed: CrossFitOutputs | None = None
    chosen_by_validation: bool | None = None


def _fit_and_write(workspace: Workspace, workers: Workers, built: Model, data: _Data, given: _Settings) -> FitResult:
    task_spec, names, training = built.task_spec, data.described.class_names, given.training
    augmentation = augmentation_of(training.params.augmentation, data.described.augmentation)
    saves = given.output.save_checkpoints and isinstance(built, IterativeModel)
    crosses = training.cross_fit > 0 and task_spec.n_classes > 0
    identity: Fingerprint = {}
    if saves or crosses:
        identity = fingerprint(given.model, training, augmentation, task_spec, _arrays(workspace.splits))
    checkpoints = None
    if saves:
        about = describe_model(built, given.model, names)
        frequency = given.output.checkpoint_frequency
        checkpoints = Checkpoints(workspace.checkpoints, identity, frequency, description=about, report=_note)
    else:
        clear_checkpoints(workspace.checkpoints)
    with workers.serving_joblib():
        result = _fit(built, data, training, augmentation, checkpoints, LiveMetrics(workspace.live))
    index = open_index(workspace.splits / "index_train.npy", rows=len(data.train.y))
    crossed = None
    if crosses:
        of_folds = CrossFit(given.model, training, given.output, task_spec, names, augmentation,
                            workspace.checkpoints, identity, _note)  # fmt: skip
        crossed = of_folds.outputs(data.train, data.val, _equal_samples(workspace.splits, index))
    chosen = training.early_stopping_patience is not None if isinstance(built, IterativeModel) else None
    _write(workspace, _Fitted(built, result, data.train.y, index, crossed, chosen), given.model, data.described)
    if checkpoints:
        checkpoints.finish()
    clear_folds(workspace.checkpoints)
    return result


def _write_untrained(
    workspace: Workspace, model: ModelSettings, described: SplitsDescription, recorded: RecordedDescription
) -> str:
    """Write the description of a model whose outputs are recorded, and tables without rows."""
    clear_checkpoints(workspace.checkpoints)
    clear_folds(workspace.checkpoints)
    LiveMetrics(workspace.live).clear()
    built, none = RecordedModel(TaskSpec.of(described), list(recorded.layers)), np.empty(0, np.int64)
    _write(workspace, _Fitted(built, FitResult((), 0), none, none), model, described)
    return f"read {workspace.splits}, found nothing to fit to recorded outputs, wrote {workspace.model}"


def _note(*lines: str) -> None:
    for line in lines:
        note(f"train: {line}")


def _write(workspace: Workspace, fitted: _Fitted, model: ModelSettings, described: SplitsDescription) -> None:
    result, chosen = fitted.result, fitted.chosen_by_validation
    with replacing_folder(workspace.model) as folder:
        save_model(fitted.model, model, folder, described.class_names, chosen_by_validation=chosen)
        write_columns(folder / "dynamics.parquet", dynamics_columns(result.dynamics, fitted.index))
        if fitted.crossed is not None:
            write_cross_fit(folder / CROSS_FIT, fitted.crossed, fitted.y, fitted.index)
        written = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != DESCRIPTION)
        content = {**read_json(folder / DESCRIPTION), "made_from": made_from(splits=described.identity)}
        write_identified(folder / DESCRIPTION, content, written)
    history = pd.DataFrame(result.history, columns=None if result.history else ["loss", "val_loss"])
    history.insert(0, "epoch", range(1, len(history) + 1))
    # A table has no infinite loss; the metrics say why it is missing.
    write_csv(workspace.metrics / "history.csv", history)
    write_metrics(workspace.metrics / "training.json", _summary(result))


def _equal_samples(splits: Path, index: Array) -> Array:
    """Return a number for each training sample (n,), the same for equal ones; another for each if that is unknown."""
    if not (path := splits / "duplicates.parquet").exists():
        return np.arange(len(index))
    table = read_parquet(path, ["row", "group"]).set_index("row")
    return table["group"].loc[index].to_numpy()


def _arrays(folder: Path) -> dict[str, Path]:
    """Return the files that a training reads."""
    names = [f"{kind}_{part}" for kind in ("X", "y") for part in ("train", "val")]
    return {name: folder / f"{name}.npy" for name in names}


def _samples(folder: Path, part: str, task_spec: TaskSpec) -> Samples:
    y = open_targets(folder / f"y_{part}.npy", n_classes=task_spec.n_classes)
    return Samples(open_samples(folder / f"X_{part}.npy", rows=len(y), sample_shape=task_spec.sample_shape), y)


def _check_samples(samples: Samples, described: SplitsDescription, model: ModelSettings, built: Model) -> None:
    """Warn of badly scaled data and of classes without samples; reject samples that do not fit in memory."""
    lines = scale_warnings(model, built, samples.X, described.scaling)
    if not described.class_names:
        lines += target_warnings(model, built, samples.y)
    _note(*(f"warning: {line}" for line in lines))
    if isinstance(built, DirectModel):
        _check_memory(model.name, samples.X)
    elif absent := _absent(samples.y, described.class_names):
        _note(f"no training sample of {', '.join(absent)}: {model.name} can't learn what it never sees")


def _absent(y: Array, class_names: Sequence[str]) -> list[str]:
    """Return the names of the classes that have no sample in `y` (n,); none for regression."""
    present = np.unique(y) if class_names else ()
    return [name for k, name in enumerate(class_names) if k not in present]


def _check_memory(name: str, X: Array) -> None:
    """Reject samples that exceed the free memory, for a model that needs all of them at once."""
    available = psutil.virtual_memory().available
    if X.nbytes > available:
        raise DataError(
            f"{name} is fitted to all samples at once: expected at most {available / 1e9:.1f} GB, which are free in "
            f"memory, found {X.nbytes / 1e9:.1f} GB; take fewer samples, or a model that is trained by epochs"
        )


def _fit(
    built: Model,
    data: _Data,
    settings: TrainingSettings,
    augmentation: Augmentation,
    checkpoints: Checkpoints | None,
    live: LiveMetrics,
) -> FitResult:
    display = TrainingDisplay(settings.epochs, -(-len(data.train.y) // settings.batch_size))
    logs_curves = isinstance(built, IterativeModel)
    if logs_curves and (reason := missing("dvc")):
        _note(f"no live curves, as logging them {reason}")
        logs_curves = False
    if not logs_curves:
        live.clear()
    with warnings.catch_warnings(), closing(display), closing(live):
        # Warnings of a fit (of a rank, say) are for the user: shown as a line, without a place in this source.
        warnings.showwarning = lambda message, *_, **__: _note(f"warning: {message}")
        callbacks = Callbacks((display, live) if logs_curves else (display,))
        how: dict[str, Any] = {"augmentation": augmentation, "checkpoints": checkpoints}
        return fit_model(built, data.train, data.val, settings, callbacks, **how)


def _summary(result: FitResult) -> dict[str, Any]:
    summary: dict[str, Any] = {k: v for k, v in result.best.items() if k != "loss"}
    if math.isinf(summary.get("val_loss", 0.0)):
        reason = "infinite, validation samples have probability 0 for their class"
        summary |= {"val_loss": None, "val_loss_status": reason}
    return {"best_epoch": result.best_epoch} | summary


def _how(built: Model, result: FitResult) -> str:
    if isinstance(built, DirectModel):
        return "elsewhere" if built.inference_only else "all at once"
    return f"{len(result.history)} epochs, kept the weights of epoch {result.best_epoch}"
