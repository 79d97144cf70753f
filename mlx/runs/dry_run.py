"""Checks an experiment by running its steps on a sample of the data, in a temporary folder that is removed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlx.config import ExperimentConfig, Resolved
from mlx.core.array_types import Array
from mlx.core.descriptions import SplitsDescription
from mlx.core.errors import DataError
from mlx.core.recorded import RECORDED
from mlx.core.sections import with_source_line
from mlx.datasets import Dataset, DatasetSettings, open_dataset
from mlx.datasets.files.stand_in import PUBLISHED, stand_in
from mlx.datasets.files.stored import FetchedParams
from mlx.datasets.recorded import recorded_folder
from mlx.models import IterativeModel, Model, TaskSpec, build_model
from mlx.pipeline.residuals_analysis import MOST_FEATURES
from mlx.preprocessing.column_plans import plan_columns
from mlx.preprocessing.gaps import reject_gaps
from mlx.preprocessing.known_rows import KnownRows
from mlx.preprocessing.overlap import notes_of, overlaps_of
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings
from mlx.preprocessing.split import Split, split_rows
from mlx.runs.analysis_time import analysis_parts, describe_time
from mlx.runs.caps import capped, check_counts, models_fitted, work_ratio
from mlx.runs.dry_run_recorded import try_recorded
from mlx.runs.dry_run_steps import run_on_sample
from mlx.runs.footprint import check_memory, footprint
from mlx.runs.output_folder import output_folder
from mlx.runs.sample import Sample, draw_sample
from mlx.training.unused_settings import unused_settings

WHOLE_BYTES = 256 << 20
"""Datasets up to this size are read completely, larger ones only to their first samples."""


@dataclass(frozen=True)
class DryRun:
    """What a dry run found.

    Attributes
    ----------
    facts
        Lines about data, model, memory and disk, the part that was tried, and the time of the analysis.
    warnings
        Settings without effect, warnings of the training, and an analysis that takes long.
    seconds
        The run takes at most about so long; 0 where it was not asked for.
    disk
        Bytes of the run's folder.
    """

    facts: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float
    disk: int


def dry_run(resolved: Resolved, *, timed: bool = False) -> DryRun:
    """Run the steps of an experiment on a sample, with few epochs, rounds and resamples; write nothing that stays.

    With `timed`, the training of the sample is repeated, to estimate how long the run takes.

    Raises
    ------
    MlxError
        The error with which the run would fail.
    """
    return with_source_line(resolved.document, lambda: _dry_run(resolved.config, timed=timed))


def _dry_run(config: ExperimentConfig, *, timed: bool) -> DryRun:
    output_folder(config)
    if config.dataset.name == RECORDED:
        return _dry_run_recorded(config)
    dataset, missing = opened(config.dataset)
    task = _task_of(dataset, config.preprocessing)
    known = _known_rows(dataset)
    planned = split_rows(np.zeros(dataset.n_samples), (), config.split, known)
    n_train = len(planned.train)
    model = build_model(config.model, task, seed=config.training.seed)
    check_memory(config.model, model, n_train)
    layers = [model.resolve_layer(name) for name in config.representations.layers]
    part = capped(config, model, n_train)
    n_bytes = dataset.n_samples * math.prod(dataset.sample_shape) * dataset.dtype.itemsize
    sample = draw_sample(dataset, part.size, whole=n_bytes <= WHOLE_BYTES and not missing)
    check_counts(config.model, task, n_train, _training_labels(sample.labels, dataset, config.split, known))
    small = _of_sample(part.config, config, whole=sample.dataset is dataset)
    tried = run_on_sample(small, sample.dataset, model, timed=timed)
    n_tried = tried.splits.sizes["train"]
    idle = _idle(config, dataset, planned, tried.splits, model)
    kinds = {"n_classes": task.n_classes, "n_factors": _n_factors(config, dataset, sample)}
    parts = analysis_parts(config, n_test=len(planned.test), widths=tried.widths, **kinds)
    analysis, long = describe_time(parts)
    of_split = notes_of(planned, config.split, overlaps_of(known, planned))
    taken = footprint(config, dataset, model, {name: len(rows) for name, rows in planned.parts().items()}, tried.sizes)
    n_models = models_fitted(config.training, task)
    facts = (
        *_data_facts(dataset, sample, missing),
        *_plan_facts(planned, config.model.name, model, layers),
        *taken.facts(),
        f"output: {Path(config.output.directory) / config.name}/<time>",
        *_fit_facts(part.fitted, n_tried, n_train, n_models),
        analysis,
    )
    work = work_ratio(config, small, n_train / n_tried) * n_models / models_fitted(small.training, task)
    seconds = tried.training_seconds(work) + sum(part.seconds for part in parts) if timed else 0.0
    return DryRun(facts, (*idle, *of_split, *tried.warnings, *long), seconds, sum(taken.disk.values()))


def _dry_run_recorded(config: ExperimentConfig) -> DryRun:
    facts, warnings, parts = try_recorded(config)
    analysis, long = describe_time(parts)
    output = f"output: {Path(config.output.directory) / config.name}/<time>"
    disk = sum(path.stat().st_size for path in recorded_folder(config.dataset.path).rglob("*") if path.is_file())
    return DryRun((*facts, output, analysis), (*warnings, *long), sum(part.seconds for part in parts), disk)


def _task_of(dataset: Dataset, settings: PreprocessingSettings) -> TaskSpec:
    plan = plan_columns(dataset.columns, settings.columns)
    reject_gaps(plan, dataset.columns, settings.missing)
    shape = (plan.width,) if plan.columns else dataset.sample_shape
    return TaskSpec(dataset.task, shape, len(dataset.class_names), tuple(dataset.class_names))


def _training_labels(labels: Array | None, dataset: Dataset, settings: SplitSettings, known: KnownRows) -> Array | None:
    return labels if labels is None else labels[split_rows(labels, dataset.class_names, settings, known).train]


def _of_sample(small: ExperimentConfig, config: ExperimentConfig, *, whole: bool) -> ExperimentConfig:
    """Return the configuration for the sample; of part of the samples, rows with gaps are kept."""
    if whole:
        return small.model_copy(update={"split": config.split})
    return small.model_copy(update={"preprocessing": config.preprocessing.model_copy(update={"missing": "impute"})})


def _n_factors(config: ExperimentConfig, dataset: Dataset, sample: Sample) -> int:
    """Return how many factors the residuals analysis will test."""
    chosen = config.residuals.factors
    if chosen != "all":
        return 0 if chosen == "none" else len(chosen)
    features = dataset.sample_shape[0] if len(dataset.sample_shape) == 1 else 0
    return sample.n_factors + min(features, MOST_FEATURES) + len(dataset.roles.columns)


def _known_rows(dataset: Dataset) -> KnownRows:
    roles = dataset.roles
    features = [column.name for column in dataset.features]
    return KnownRows(columns=roles.columns, roles=roles.roles, parts=roles.parts, features=features)


def opened(settings: DatasetSettings) -> tuple[Dataset, str]:
    """Open a dataset; noise in its place, and what would be downloaded, if its files are to be fetched first."""
    params = settings.source()
    if not (isinstance(params, FetchedParams) and params.download and settings.path is None):
        return open_dataset(settings), ""
    try:
        return open_dataset(settings.model_copy(update={"params": settings.params | {"download": False}})), ""
    except DataError:
        urls = ", ".join(item.url for item in PUBLISHED[settings.name].downloads)
        return stand_in(settings.name, params), f"would be downloaded: {urls}"


def _idle(
    config: ExperimentConfig, dataset: Dataset, planned: Split, splits: SplitsDescription, model: Model
) -> list[str]:
    """Return lines on settings without effect."""
    of_training = unused_settings(config.model, config.training, config.output, splits, model)
    return [*of_training, *_idle_for_data(config, dataset), *_idle_by_time(config, planned)]


def _idle_for_data(config: ExperimentConfig, dataset: Dataset) -> Iterator[str]:
    """Name settings for another kind of data."""
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
    columns = [
        f"preprocessing.{name}" for name in ("columns", "missing") if name in config.preprocessing.model_fields_set
    ]
    if columns and not dataset.columns:
        yield f"no effect on data without named columns: {', '.join(columns)}"


def _idle_by_time(config: ExperimentConfig, planned: Split) -> Iterator[str]:
    found = [f"split.{name}" for name in ("stratify", "seed") if name in config.split.model_fields_set]
    if found and planned.method == "time":
        yield f"no effect under split.method: time: {', '.join(found)}"


def _plan_facts(planned: Split, name: str, model: Model, layers: list[str]) -> Iterator[str]:
    by = f" by '{planned.by}'" if planned.by else ""
    sizes = ", ".join(f"{len(rows)} {part}" for part, rows in planned.parts().items())
    yield f"split: {planned.method}{by}, {sizes}"
    size = f" {model.n_parameters:,} parameters," if isinstance(model, IterativeModel) else ""
    yield f"model: {name},{size} layers {', '.join(dict.fromkeys(layers))}"


def _fit_facts(fitted: str, n_fitted: int, n_train: int, n_models: int) -> Iterator[str]:
    yield f"tried: {fitted} to {n_fitted} of {n_train} training samples; not the whole fit"
    if n_models > 1:
        yield f"cross-fit: {n_models} further models, so that training takes {n_models} times as long"


def _data_facts(dataset: Dataset, sample: Sample, missing: str) -> Iterator[str]:
    shape = "x".join(map(str, dataset.sample_shape))
    classes = f", {len(dataset.class_names)} classes" if dataset.class_names else ""
    yield f"data: {dataset.n_samples} samples of {shape}{classes}; {missing or dataset.source}"
    if dataset.inferred:
        yield f"task: targets {dataset.inferred}"
    if lacking := sample.lacking:
        names = ", ".join(lacking[:5]) + (", …" if len(lacking) > 5 else "")
        yield f"sample: {sample.dataset.n_samples} samples, none of them of {len(lacking)} classes: {names}"
