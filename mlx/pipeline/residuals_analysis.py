"""Step `residuals-analysis`: tests whether the representations show where the model is unsure and wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.array_types import Array
from mlx.core.arrays import open_array, write_array
from mlx.core.artifacts import replacing_folder, write_csv, write_parquet_in_groups
from mlx.core.bars import announced
from mlx.core.console import note
from mlx.core.descriptions import Split
from mlx.core.lineage import made_from
from mlx.core.metrics import write_metrics
from mlx.core.ordered_map import one_thread_each
from mlx.core.paths import Workspace
from mlx.core.workers import SERIAL, Workers
from mlx.pipeline.issues import issues_of
from mlx.pipeline.model_outputs import (
    ModelOutputs,
    is_recorded,
    naming_model_outputs,
    open_model_outputs,
    open_validation,
)
from mlx.pipeline.other_parts import open_other_parts
from mlx.pipeline.sample_columns import SampleColumns, read_group_labels, read_groups
from mlx.residuals import ResidualsSettings, analyze_classification, analyze_regression
from mlx.residuals.errors.factor_choice import choose_factors, restates
from mlx.residuals.sets.regression import RegressionOutputs
from mlx.residuals.settings import ConformalSettings
from mlx.results.classification_residuals import (
    CLASSES,
    RISK_COVERAGE,
    SCATTER,
    SIMILARITY,
    TABLES,
    TEMPERATURE,
    ClassificationResiduals,
    Scatter,
)
from mlx.results.failure_scores import SCORES
from mlx.results.probes import PROBES
from mlx.results.questions import Question, Scope, Statistic
from mlx.results.regression_residuals import (
    REGRESSION_SAMPLES,
    REGRESSION_SCATTER,
    REGRESSION_TABLES,
    RegressionResiduals,
    RegressionScatter,
)
from mlx.results.regression_summary import RegressionSummary
from mlx.results.sample_scores import SAMPLES
from mlx.results.tests import first_test
from mlx.stats.status import Reason
from mlx.stats.validation_outputs import ValidationOutputs

STEP = "residuals-analysis"

MOST_FEATURES = 100
"""Features that are factors unless ``residuals.factors`` names some."""

SCATTER_POINTS = 2000
"""Points in the table that ``dvc plots`` draws: a browser handles them, and the shape is clear."""


def residuals_analysis(workspace: Workspace, workers: Workers = SERIAL, *, residuals: ResidualsSettings) -> str:
    """Write ``data/residuals/`` and ``metrics/residuals.json``.

    ``samples.parquet`` has a row per test sample; ``classes.csv`` a row per predicted class; ``tests.csv`` every test
    made; ``factors.csv``, ``slices.csv`` and ``risk_coverage.csv`` which samples fail; ``scores.csv`` how well every
    score of failure ranks errors; ``probes.csv`` a linear probe and neural collapse of every layer; ``issues.csv``
    samples of every part to look at, ``issue_counts.csv`` how many; ``prediction_sets.csv`` whom prediction sets, or
    intervals of a regression, cover; ``temperature.csv`` what a temperature does to entropy; ``similarity.csv`` which
    file in ``similarity/`` holds the similarities within a class, beside ``<layer>.overview.npy`` over all classes;
    ``scatter.csv`` the points for ``dvc plots``.
    ``docs/tables.md`` describes every column. A regression has no rows in the tables of classes, scores, temperatures
    and similarities, and ``coefficients.csv`` of a linear regression.

    Raises
    ------
    MlxError
        An artifact is missing or damaged, or its values are no predictions.
    """
    recorded = open_model_outputs(workspace.representations)
    factors = _factors(SampleColumns.of(workspace), recorded, residuals)
    groups = read_group_labels(workspace, residuals.groups, np.asarray(recorded.index))
    val = open_validation(workspace.representations)
    together = None if val is None else read_groups(workspace, residuals.groups, val, key="residuals.groups")
    if recorded.task == "regression":
        _note_unused(residuals.conformal)
        finding = _regression(workspace, workers, recorded, factors, groups, together, residuals)
    else:
        known = None if val is None else val.as_validation(together)
        finding = _classification(workspace, workers, recorded, factors, groups, known, residuals)
    return (
        f"read {len(recorded.index)} test samples and layers {', '.join(recorded.layers)} from "
        f"{workspace.representations}, {finding}, wrote {workspace.residuals}"
    )


def write_classification(folder: Path, found: ClassificationResiduals) -> None:
    """Write the samples as Parquet, the other tables as CSV, and each matrix as a file in ``similarity/``."""
    write_parquet_in_groups(folder / SAMPLES.file, len(found.samples.index), found.sample_frame)
    for name, schema in TABLES.items():
        write_csv(folder / schema.file, schema.frame(getattr(found, name)))
    (folder / "similarity").mkdir()
    for file, matrix in found.matrices.items():
        write_array(folder / "similarity" / file, matrix)


def write_regression(folder: Path, found: RegressionResiduals) -> None:
    """Write the samples with their factors as Parquet, the other tables as CSV, and empty all that is of classes."""
    write_parquet_in_groups(folder / REGRESSION_SAMPLES.file, len(found.samples.index), found.sample_frame)
    for name, schema in REGRESSION_TABLES.items():
        write_csv(folder / schema.file, schema.frame(getattr(found, name)))
    for empty in (CLASSES, RISK_COVERAGE, SCORES, PROBES, TEMPERATURE, SIMILARITY):
        write_csv(folder / empty.file, empty.frame())
    (folder / "similarity").mkdir()


def _classification(
    workspace: Workspace,
    workers: Workers,
    recorded: ModelOutputs,
    factors: pd.DataFrame,
    groups: Array | None,
    validation: ValidationOutputs | None,
    settings: ResidualsSettings,
) -> str:
    assert recorded.probabilities is not None, "a classification"
    together = None if validation is None else validation.groups
    with naming_model_outputs(workspace, recorded), one_thread_each(), announced(workers.map, STEP) as shown:
        found = analyze_classification(
            recorded.layers,
            logits=recorded.logits,
            probabilities=recorded.probabilities,
            y_true=recorded.y_true,
            y_pred=recorded.y_pred,
            class_names=recorded.class_names,
            index=recorded.index,
            factors=factors,
            settings=settings,
            validation=recorded.validation,
            validation_outputs=validation,
            groups=groups,
            others=open_other_parts(workspace, together),
            map=shown,
        )
        noticed = issues_of(workspace, recorded, settings, together, shown)
    found = replace(found, **vars(noticed.found), headline=found.headline | noticed.headline)
    with replacing_folder(workspace.residuals) as folder:
        write_classification(folder, found)
        write_csv(folder / SCATTER.file, SCATTER.frame(_scatter(found, recorded.class_names)))
    write_metrics(workspace.metrics / "residuals.json", found.headline, made_from(representations=recorded.identity))
    test = first_test(found.tests, Question.SIMILARITY_ENTROPY, Statistic.PEARSON, scope=Scope.POOLED)
    noted = f" ({warning})" if (warning := found.headline.get("duplicates_status")) else ""
    if test is None or np.isnan(test.estimate):
        return f"summarized the residuals{noted}"
    interval = f"({test.status})" if np.isnan(test.low) else f"[{test.low:.3f}, {test.high:.3f}]"
    return f"found r {test.estimate:.3f} {interval} between similarity and entropy{noted}"


def _regression(
    workspace: Workspace,
    workers: Workers,
    recorded: ModelOutputs,
    factors: pd.DataFrame,
    groups: Array | None,
    together: Array | None,
    settings: ResidualsSettings,
) -> str:
    validation = _regression_outputs(workspace, "val")
    with naming_model_outputs(workspace, recorded), one_thread_each(), announced(workers.map, STEP) as shown:
        found = analyze_regression(
            recorded.y_true,
            recorded.y_pred,
            index=recorded.index,
            settings=settings,
            design=recorded.design,
            fit=recorded.linear_fit,
            without_fit=_without_fit(recorded.model),
            representation=next(iter(recorded.layers.values())),
            factors=factors,
            groups=groups,
            features=recorded.features,
            validation=validation and replace(validation, groups=together),
            training=_regression_outputs(workspace, "train"),
            chosen_by_validation=recorded.chosen_by_validation,
            map=shown,
        )
        noticed = issues_of(workspace, recorded, settings, together, shown)
    found = replace(found, **vars(noticed.found), summary=_with_counts(found.summary, noticed.headline))
    with replacing_folder(workspace.residuals) as folder:
        write_regression(folder, found)
        chosen = _evenly(len(found.samples.index))
        points = RegressionScatter(*(getattr(found.samples, f.name)[chosen] for f in fields(RegressionScatter)))
        write_csv(folder / REGRESSION_SCATTER.file, REGRESSION_SCATTER.frame(points))
    write_metrics(
        workspace.metrics / "residuals.json", found.summary.as_metrics(), made_from(representations=recorded.identity)
    )
    duplicates = [str(status) for status in found.summary.status if status.reason is Reason.DUPLICATE_SAMPLES]
    return f"summarized the residuals{''.join(f' ({said})' for said in duplicates)}"


def _regression_outputs(workspace: Workspace, split: Split) -> RegressionOutputs | None:
    """Open the outputs of a regression for a part; None where it is not recorded."""
    if not is_recorded(workspace.representations, split):
        return None
    recorded = open_model_outputs(workspace.representations, split)
    true, pred, index = (np.asarray(values) for values in (recorded.y_true, recorded.y_pred, recorded.index))
    layer = next(iter(recorded.layers.values()))
    return RegressionOutputs(true.astype(np.float64), pred.astype(np.float64), index, layer)


def _with_counts(summary: RegressionSummary, counts: Mapping[str, Any]) -> RegressionSummary:
    return replace(summary, **counts)


def _note_unused(conformal: ConformalSettings) -> None:
    """Name what is set for prediction sets and has no effect on the intervals of a regression."""
    default = ConformalSettings()
    for key in ("method", "class_conditional"):
        if getattr(conformal, key) != getattr(default, key):
            note(
                f"residuals.conformal.{key}: has no effect on a regression, whose intervals are by absolute and by "
                "normalized residuals"
            )


def _without_fit(model: str) -> str:
    """Say why a model has no training design."""
    if model == "linear_regression":
        return "the model keeps no training design, as it has over 4096 features or an earlier version fitted it"
    return f"{model} is no linear regression"


def _factors(columns: SampleColumns, recorded: ModelOutputs, settings: ResidualsSettings) -> pd.DataFrame:
    """Return what may explain the errors on each test sample, a column each."""
    index = np.asarray(recorded.index)
    names = choose_factors(settings.factors, columns.names, columns.target)
    if by_default := settings.factors == "all":
        names = _bounded(columns, names)
    table = columns.read(names, index)
    for name in {name for name, role in columns.roles.items() if role == "group"} & {*names}:
        table[name] = table[name].map(str, na_action="ignore")
    copies = [name for name in names if by_default and _is_copy(columns, table[name], np.asarray(recorded.y_true))]
    if copies:
        listed = ", ".join(f"'{name}'" for name in copies)
        note(f"residuals.factors: left out what restates the target, {listed}; a list of names may have it")
    return table.drop(columns=copies)


def _bounded(columns: SampleColumns, names: list[str]) -> list[str]:
    """Leave out features beyond `MOST_FEATURES`."""
    features = [name for name in names if name in columns.features and name not in columns.factors]
    if len(features) <= MOST_FEATURES:
        return names
    kept = features[:MOST_FEATURES] if columns.described.features else []
    which = f"the first {MOST_FEATURES}" if kept else "none"
    note(f"residuals.factors: {which} of {len(features)} features are factors; a list of names may have others")
    return [name for name in names if name not in {*features} - {*kept}]


def _is_copy(columns: SampleColumns, values: "pd.Series[Any]", target: Array) -> bool:
    """Whether a column of a table restates the target, in the test samples and in all."""
    name = str(values.name)
    if name in columns.factors or not restates(values, target):
        return False
    whole = open_array(columns.workspace.raw / "y.npy", rows=columns.described.shape[0])
    return restates(columns.read([name])[name], np.asarray(whole))


def _evenly(n: int) -> Array:
    """Return the rows that are drawn of n."""
    return np.unique(np.linspace(0, n - 1, min(n, SCATTER_POINTS)).astype(int))


def _scatter(found: ClassificationResiduals, class_names: Sequence[str]) -> Scatter:
    """Return what ``dvc plots`` draws as points, evenly thinned: CSV, as DVC reads no Parquet."""
    samples, names = found.samples, np.array(class_names)
    rows = _evenly(len(samples.index))
    return Scatter(
        index=samples.index[rows],
        similarity=next(iter(found.layers.values())).similarity[rows],
        entropy=samples.entropy[rows],
        actual=names[samples.y_true[rows]],
        predicted=names[samples.y_pred[rows]],
        outcome=np.where(samples.correct[rows], "correct", "wrong"),
    )
