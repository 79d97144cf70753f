"""Rehearses an experiment: everything that could fail because of its configuration is tried, and nothing is written."""

import math
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from mlx.config import ExperimentConfig, Resolved
from mlx.core.array_types import Array
from mlx.core.descriptions import AugmentationDescription, SplitsDescription
from mlx.core.errors import DataError, SettingsError
from mlx.core.paths import repository_root
from mlx.core.sections import with_source_line
from mlx.datasets import Dataset, DatasetSettings, open_dataset
from mlx.datasets.files.stand_in import PUBLISHED, stand_in
from mlx.datasets.files.stored import PublishedParams
from mlx.models import DirectModel, IterativeModel, Model, TaskSpec, build_model
from mlx.preprocessing.scaling import Scaler, fit_scaler
from mlx.preprocessing.split import split_rows
from mlx.runs.analysis_time import analysis_parts, told_time
from mlx.runs.history import runs_of
from mlx.runs.rehearsed_models import (
    FIRST_ROWS,
    OPTIMIZER_COPIES,
    lighter,
    memory_of,
    refuse_too_large,
    size_text,
    step_rows,
)
from mlx.training import Samples, augmentation_of
from mlx.training.divergence import check_overflow, divergence
from mlx.training.input_scale import scale_warnings
from mlx.training.optimization import optimization_of
from mlx.training.unused_settings import unused_settings

WHOLE_BYTES = 256 << 20
"""Datasets up to this size are gone through whole; of larger ones the first block stands for the rest."""

FEWEST_STEPS, MOST_STEPS, STEPS_OF_ONE_NUMBER = 2, 32, 10**11
"""Bounds of the steps of a rehearsal, and how many there could be of one number through one weight."""


@dataclass(frozen=True)
class Rehearsal:
    """What a dry run found.

    Attributes
    ----------
    facts : lines about data, model, and the memory and disk that the run needs.
    warnings : keys that were set and that nothing will use, and what the training will warn of.
    """

    facts: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Data:
    """A dataset, all of its labels where it was gone through whole, and its first samples."""

    dataset: Dataset
    labels: Array | None
    X: Array
    n_factors: int
    note: str


def rehearse(resolved: Resolved) -> Rehearsal:
    """Try everything in `resolved` on a batch: data, split, scaling, model, layers.

    Raises
    ------
    MlxError
        What a run would fail with.
    """
    config = resolved.config
    return with_source_line(resolved.document, lambda: _rehearsed(config))


def _rehearsed(config: ExperimentConfig) -> Rehearsal:
    runs_of(config)
    data = _look_at(config.dataset)
    dataset = data.dataset
    labels = None
    if data.labels is not None:
        labels = data.labels[split_rows(data.labels, dataset.class_names, config.split).train]
    scaler = fit_scaler(config.preprocessing.scaling, dataset.dtype, [data.X])
    X = scaler.apply(data.X)
    task_spec = TaskSpec(dataset.task, dataset.sample_shape, len(dataset.class_names))
    model = build_model(config.model, task_spec, seed=config.training.seed)
    n_train = _n_train(config, dataset)
    refuse_too_large(config.model, model, n_train)
    layers = [model.resolve_layer(name) for name in config.representations.layers]
    splits = _described(dataset, scaler)
    rows, tried = FIRST_ROWS, ""
    if isinstance(model, DirectModel):
        fewest = None if labels is None or not task_spec.n_classes else int(np.bincount(labels).min())
        part = lighter(config.model, model, n_train, fewest)
        model, rows, tried = build_model(part.settings, task_spec, seed=config.training.seed), part.rows, part.note
    y = _targets(task_spec, rows, labels)
    X = X[np.arange(len(y)) % len(X)]  # what the samples really are says nothing about the configuration
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        widths = _pass_through(model, X, y, config, splits, layers)
    badly_scaled = scale_warnings(config.model, model, X, config.preprocessing.scaling)
    unused = unused_settings(config.model, config.training, config.output, splits, model) + list(_idle(config, dataset))
    told = dict.fromkeys(str(warning.message) for warning in warned)
    n_test = round(dataset.n_samples * config.split.test_size)
    sizes = {"n_test": n_test, "n_classes": task_spec.n_classes, "n_factors": data.n_factors}
    analysis, long = told_time(analysis_parts(config, widths=list(widths.values()), **sizes))
    facts = (*_facts(config, data, scaler.dtype, model, widths), *filter(None, [tried]), analysis)
    return Rehearsal(facts, (*unused, *badly_scaled, *told, *long))


def _described(dataset: Dataset, scaler: Scaler) -> SplitsDescription:
    """Describe the splits as ``preprocess-split`` would, but for what only all samples tell."""
    return SplitsDescription(
        task=dataset.task,
        class_names=list(dataset.class_names),
        sample_shape=list(dataset.sample_shape),
        augmentation=_allowed(dataset),
        scaling=scaler.scaling,
        dtype=scaler.dtype.name,
        mean=None,
        scale=None,
        sizes={},
    )


def _look_at(settings: DatasetSettings) -> _Data:
    params = settings.source()
    note = ""
    if isinstance(params, PublishedParams) and params.download and settings.path is None:
        try:
            dataset = open_dataset(replace_params(settings, download=False))
        except DataError:
            dataset = stand_in(settings.name, params)
            urls = ", ".join(item.url for item in PUBLISHED[settings.name].downloads)
            note = f"would be downloaded: {urls}"
    else:
        dataset = open_dataset(settings)
    row_bytes = math.prod(dataset.sample_shape) * dataset.dtype.itemsize
    whole = dataset.n_samples * row_bytes <= WHOLE_BYTES and not note
    first, labels = None, []
    for block in dataset.blocks(FIRST_ROWS):
        first = block if first is None else first
        if not whole:
            break
        _refuse_infinite(dataset, block.X)
        labels.append(block.y)
    assert first is not None
    _refuse_infinite(dataset, first.X)
    return _Data(dataset, np.concatenate(labels) if whole else None, first.X, len(first.factors or {}), note)


def replace_params(settings: DatasetSettings, **changes: Any) -> DatasetSettings:
    """Return the settings with other values for some of the dataset's parameters."""
    return settings.model_copy(update={"params": settings.params | changes})


def _refuse_infinite(dataset: Dataset, X: Array) -> None:
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        raise DataError(f"dataset {dataset.name}: expected finite values, found NaN or infinity")


def _allowed(dataset: Dataset) -> AugmentationDescription | None:
    found = dataset.details.get("augmentation")
    return AugmentationDescription.model_validate(found) if found else None


def _targets(task_spec: TaskSpec, n: int, labels: Array | None) -> Array:
    """Return targets for about `n` training samples.

    Where the labels of the training split are known, no class has more samples than it will have.
    """
    if task_spec.task == "regression":
        return np.random.default_rng(0).normal(size=n)
    k = task_spec.n_classes
    if labels is None:
        return np.arange(n) % k
    counts = np.minimum(np.bincount(labels, minlength=k), -(-n // k))
    return np.random.default_rng(0).permutation(np.repeat(np.arange(k), counts))


def _pass_through(
    model: Model, X: Array, y: Array, config: ExperimentConfig, splits: SplitsDescription, layers: list[str]
) -> dict[str, int]:
    """Take a few training steps, or fit to few samples, and return the width of each layer."""
    if isinstance(model, IterativeModel):
        _step(model, X, y, config, splits)
    else:
        assert isinstance(model, DirectModel)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that so few samples do not suffice says nothing of all
            model.fit(X, y, seed=config.training.seed)
    outputs = model.outputs(X[:2], tuple(dict.fromkeys(layers)))
    return {name: values.shape[1] for name, values in outputs.representations.items()}


def _step(model: IterativeModel, X: Array, y: Array, config: ExperimentConfig, splits: SplitsDescription) -> None:
    """Train as the run will begin to, and refuse what has diverged then by the measure of a training."""
    sample = math.prod(X.shape[1:])
    few = step_rows(model, sample)
    training, shown = config.training, [(X[:few], y[:few])]
    model.expect_few_steps()
    model.prepare(optimization_of(training, model.task_spec, y))
    start = model.evaluate(shown)["loss"]
    if model.task_spec.n_classes == 0:
        check_overflow({"val_loss": start})
    allowed = splits.augmentation
    augmentation = augmentation_of(training.params.augmentation, allowed.as_dict() if allowed else None)
    rng = np.random.default_rng(training.seed)
    samples, size = Samples(X, y), min(training.batch_size, few)
    steps = _steps(model, size * sample)

    def batches() -> Iterator[tuple[Array, Array]]:
        again = chain.from_iterable(samples.batches(size) for _ in range(steps))
        for X_batch, y_batch in islice(again, steps):
            yield (augmentation.apply(X_batch, rng) if augmentation else X_batch), y_batch

    reached = model.run_epoch(batches(), rng) | {"val_loss": model.evaluate(shown)["loss"]}
    if found := divergence(reached, start, f"the first {steps} steps"):
        raise SettingsError(
            f"expected a rate at which a training does not diverge, found {training.learning_rate:g}: {found}; "
            "lower it, or scale the data (preprocessing.scaling)",
            key=("training", "learning_rate"),
        )


def _steps(model: Model, values: int) -> int:
    """Return for how many steps, of `values` numbers each, a training is rehearsed: few for a large network."""
    return max(FEWEST_STEPS, min(MOST_STEPS, STEPS_OF_ONE_NUMBER // (model.n_parameters * values)))


def _idle(config: ExperimentConfig, dataset: Dataset) -> Iterator[str]:
    """Name what was set for another kind of data."""
    regression, images = dataset.task == "regression", len(dataset.sample_shape) == 3
    for section, names, idle in (
        ("evaluation", ("n_bins", "curve_points"), regression),
        ("split", ("stratify",), regression),
        ("report", ("images_per_class", "samples_shown"), not images),
    ):
        fields = getattr(config, section).model_fields_set
        if found := [f"{section}.{name}" for name in names if idle and name in fields]:
            what = "a regression" if regression else "a table"
            yield f"no effect on {what}: {', '.join(found)}"


def _facts(
    config: ExperimentConfig, data: _Data, dtype: np.dtype[Any], model: Model, widths: dict[str, int]
) -> Iterator[str]:
    dataset, n = data.dataset, data.dataset.n_samples
    shape = "x".join(map(str, dataset.sample_shape))
    classes = f", {len(dataset.class_names)} classes" if dataset.class_names else ""
    yield f"data: {n} samples of {shape}{classes}; {data.note or dataset.source}"
    if dataset.inferred:
        yield f"task: targets {dataset.inferred}"
    size = f" {model.n_parameters:,} parameters," if isinstance(model, IterativeModel) else ""
    yield f"model: {config.model.name},{size} layers {', '.join(widths)}"
    values = n * math.prod(dataset.sample_shape)
    n_test = round(n * config.split.test_size)
    disk = values * (dataset.dtype.itemsize + dtype.itemsize)
    disk += n_test * (sum(widths.values()) * 4 + 12 * max(1, len(dataset.class_names)))
    disk += _checkpoints(config, model)
    memory = memory_of(config.model, model, _n_train(config, dataset))
    yield f"disk: about {size_text(disk)}; memory: about {size_text(memory)} beyond the libraries"
    root = repository_root()
    free = shutil.disk_usage(root).free
    if disk > free:
        raise DataError(
            f"dataset {dataset.name}: expected {size_text(disk)} of free disk, found {size_text(free)}; "
            "free some, or lower dataset.params.n_samples"
        )
    yield f"output: {Path(config.output.directory) / config.name}/<time>"


def _n_train(config: ExperimentConfig, dataset: Dataset) -> int:
    return round(dataset.n_samples * (1 - config.split.test_size - config.split.val_size))


def _checkpoints(config: ExperimentConfig, model: Model) -> int:
    """Return the bytes that the checkpoints of a whole training take."""
    if isinstance(model, DirectModel) or not config.output.save_checkpoints:
        return 0
    weights = config.training.epochs // config.output.checkpoint_frequency + 1
    return model.n_parameters * 4 * (weights + 2 * OPTIMIZER_COPIES)
