"""Reads the results that the report shows into their types, and checks what each file holds."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mlx.core.arrays import open_array
from mlx.core.artifacts import read_csv, read_parquet
from mlx.core.descriptions import DatasetDescription
from mlx.core.dynamics_columns import DYNAMICS
from mlx.core.errors import ArtifactError
from mlx.core.metrics import read_metrics
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.core.tables import Kind, check_columns
from mlx.plots.report.inputs import Training
from mlx.results.classification_residuals import (
    CLASSES,
    FACTORS,
    RISK_COVERAGE,
    SIMILARITY,
    SLICES,
    TEMPERATURE,
    ClassificationResiduals,
    FactorEffect,
)
from mlx.results.evaluation import (
    EVALUATION_SCHEMAS,
    ClassificationEvaluation,
    RegressionEvaluation,
    classification_evaluation,
    regression_evaluation,
)
from mlx.results.failure_scores import SCORES
from mlx.results.issues import ISSUE_COUNTS, ISSUES
from mlx.results.prediction_sets import PREDICTION_SETS, SAMPLE_SETS, suffixes_of
from mlx.results.probes import PROBES
from mlx.results.questions import Question, Scope, Statistic
from mlx.results.regression_intervals import SAMPLE_INTERVALS
from mlx.results.regression_residuals import COEFFICIENTS, REGRESSION_SAMPLES, REGRESSION_SLICES, RegressionResiduals
from mlx.results.regression_summary import RegressionSummary
from mlx.results.sample_scores import LAYER_SAMPLES, SAMPLES
from mlx.results.schema import ArraySchema, RowSchema, check_rows
from mlx.results.tests import TESTS, TestResult, first_test, read_tests

if TYPE_CHECKING:
    import pandas as pd

    from mlx.core.array_types import Array

T = TypeVar("T")

HISTORY: Mapping[str, Kind] = {"epoch": "count", "loss": "limit", "val_loss": "limit"}
"""What the table of epochs holds in the columns that every training writes."""


def read_classification_residuals(workspace: Workspace, dataset: DatasetDescription) -> ClassificationResiduals:
    """Read the residuals analysis of a classification, of its matrices the overview of the first layer.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or holds something else.
    """
    folder, k = workspace.residuals, len(dataset.class_names)
    classes = _rows(folder, CLASSES, n_classes=k)
    layers = list(dict.fromkeys(one.layer for one in classes))
    for row, layer in enumerate(one.layer for one in classes):
        _check_layer(folder / CLASSES.file, layer, f"row {row}: ")
    tests = _read_tests(folder / TESTS.file, tuple(dataset.class_names))
    path = folder / SAMPLES.file
    table = read_samples(workspace, dataset)
    places = {
        layer: LAYER_SAMPLES.arrays(path, table, suffix=f".{layer}" if place else "", n_classes=k)
        for place, layer in enumerate(layers)
    }
    file = f"{layers[0]}.overview.npy"
    sample_factors = _sample_factors(table)
    factors, slices = _rows(folder, FACTORS), _rows(folder, SLICES)
    headline = read_measured(workspace.metrics / "residuals.json", ("confidence", "pearson"), len(table))
    _check_factors(folder, factors, sample_factors, headline.get("groups"))
    _check_slices(folder, [one.description for one in slices], tests)
    return ClassificationResiduals(
        samples=SAMPLES.arrays(path, table, n_classes=k),
        layers=places,
        sample_factors=sample_factors,
        classes=classes,
        tests=tests,
        factors=factors,
        slices=slices,
        risk_coverage=_rows(folder, RISK_COVERAGE),
        temperature=_rows(folder, TEMPERATURE),
        similarity=_rows(folder, SIMILARITY, n_classes=k),
        **read_issues(folder),
        **_read_sets(folder, table, SAMPLE_SETS),
        matrices={file: _overview(folder, file, places[layers[0]].overview)},
        scores=_if_written(folder, SCORES),
        probes=_if_written(folder, PROBES),
        failure_scores=_columns(table, "score."),
        headline=headline,
    )


def _sample_factors(table: "pd.DataFrame") -> "dict[str, Array]":
    return _columns(table, "factor.")


def _columns(table: "pd.DataFrame", prefix: str) -> "dict[str, Array]":
    """Return the columns whose name begins with `prefix`, by the rest of it."""
    return {str(name).removeprefix(prefix): table[name].to_numpy() for name in table if str(name).startswith(prefix)}


def _if_written(folder: Path, schema: RowSchema[T]) -> tuple[T, ...]:
    """Read a table; empty for a run of an earlier version, which has none."""
    return _rows(folder, schema) if (folder / schema.file).exists() else ()


def _check_factors(
    folder: Path, factors: Iterable[FactorEffect], known: Iterable[str], groups: float | str | None
) -> None:
    tested = [name for name in known if name != groups]
    _check_same(folder / FACTORS.file, "factors", {one.factor for one in factors}, tested, SAMPLES.file)


def _check_slices(folder: Path, descriptions: Collection[str], tests: Iterable[TestResult]) -> None:
    tested = [test.subject for test in tests if test.question is Question.SLICE]
    _check_same(folder / SLICES.file, "slices", descriptions, tested, TESTS.file)


def read_issues(folder: Path) -> "dict[str, tuple[Any, ...]]":
    """Read the samples to look at and their counts; none of a run of an earlier version, which did not look for them.

    Raises
    ------
    ArtifactError
        A table is damaged.
    """
    schemas = (ISSUES, ISSUE_COUNTS) if (folder / ISSUES.file).exists() else ()
    return {schema.name: _rows(folder, schema) for schema in schemas}


def _read_sets(folder: Path, samples: "pd.DataFrame", schema: ArraySchema[Any]) -> dict[str, Any]:
    """Read whom prediction sets cover, and the set or interval of each sample; none of a run of an earlier version."""
    if not (folder / PREDICTION_SETS.file).exists():
        return {}
    rows = _rows(folder, PREDICTION_SETS)
    suffixes = suffixes_of(list(dict.fromkeys(row.alpha for row in rows)))
    columns = tuple((end, schema.arrays(folder / schema.file, samples, suffix=end)) for end in suffixes)
    name = "sample_sets" if schema is SAMPLE_SETS else "sample_intervals"
    return {PREDICTION_SETS.name: rows, name: columns}


def _rows(folder: Path, schema: RowSchema[T], *, n_classes: int = 0) -> tuple[T, ...]:
    path = folder / schema.file
    return schema.rows(path, read_csv(path, text=schema.text), n_classes=n_classes)


def _read_tests(path: Path, class_names: tuple[str, ...]) -> tuple[TestResult, ...]:
    tests = read_tests(path, read_csv(path, text=TESTS.text), class_names)
    for statistic in (Statistic.PEARSON, Statistic.SPEARMAN):
        first = first_test(tests, Question.SIMILARITY_ENTROPY, statistic, scope=Scope.POOLED)
        if first is None:
            wanted = f"a row '{Question.SIMILARITY_ENTROPY}' of {statistic} with its layer"
            raise ArtifactError(f"{path}: expected {wanted}, found none{REMAKE}")
        _check_layer(path, first.layer)
    return tests


def _check_layer(path: Path, layer: str, where: str = "") -> None:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", layer):
        expected = "letters, digits, '_', '-' and '.', as it names a file"
        raise ArtifactError(f"{path}: {where}layer: expected {expected}, found {layer[:60]!r}{REMAKE}")


def _check_same(path: Path, what: str, found: Collection[str], expected: Collection[str], source: str) -> None:
    """Reject a table that is about other factors or slices than the file it belongs to."""
    if sorted(found) != sorted(expected):
        raise ArtifactError(
            f"{path}: expected the {len(expected)} {what} of {source}, found {len(found)}"
            f"{' others' if len(found) == len(expected) else ''}{REMAKE}"
        )


def _overview(folder: Path, file: str, places: "Array") -> "Array":
    path = folder / "similarity" / file
    matrix = np.asarray(open_array(path, ndim=2))
    shown = np.sort(places[places >= 0])
    n = len(shown)
    if not np.array_equal(shown, np.arange(n)):
        samples = folder / SAMPLES.file
        raise ArtifactError(f"{samples}: overview: expected different places of the similarity matrix{REMAKE}")
    if matrix.shape != (n, n):
        raise ArtifactError(f"{path}: expected shape ({n}, {n}), as samples.parquet says, found {matrix.shape}{REMAKE}")
    return matrix


def read_regression_residuals(workspace: Workspace, dataset: DatasetDescription) -> RegressionResiduals:
    """Read the residuals analysis of a regression; raises as `read_classification_residuals`."""
    table, path, folder = read_samples(workspace, dataset), workspace.metrics / "residuals.json", workspace.residuals
    summary = RegressionSummary.from_metrics(path, read_measured(path, most=len(table)))
    tests = read_tests(folder / TESTS.file, read_csv(folder / TESTS.file, text=TESTS.text), ())
    factors, slices, sample_factors = _rows(folder, FACTORS), _rows(folder, REGRESSION_SLICES), _sample_factors(table)
    _check_factors(folder, factors, sample_factors, summary.groups)
    _check_slices(folder, [one.description for one in slices], tests)
    return RegressionResiduals(
        samples=REGRESSION_SAMPLES.arrays(folder / REGRESSION_SAMPLES.file, table),
        coefficients=_rows(folder, COEFFICIENTS),
        summary=summary,
        sample_factors=sample_factors,
        factors=factors,
        slices=slices,
        tests=tests,
        **read_issues(folder),
        **_read_sets(folder, table, SAMPLE_INTERVALS),
    )


def read_classification_evaluation(
    workspace: Workspace, dataset: DatasetDescription, most: int
) -> ClassificationEvaluation:
    """Read the evaluation of a classification, of at most `most` samples; raises as `read_classification_residuals`."""
    folder = workspace.metrics
    tables = {schema.file: read_csv(folder / schema.file, text=schema.text) for schema in EVALUATION_SCHEMAS}
    metrics = read_measured(folder / "evaluation.json", most=most)
    return classification_evaluation(folder, metrics, tables, dataset.class_names)


def read_regression_evaluation(workspace: Workspace, most: int) -> RegressionEvaluation:
    """Read the evaluation of a regression, of at most `most` samples; raises as `read_classification_residuals`."""
    return regression_evaluation(workspace.metrics, read_measured(workspace.metrics / "evaluation.json", most=most))


def read_training(workspace: Workspace) -> Training:
    """Read how the model was trained; raises as `read_classification_residuals`."""
    path = workspace.metrics / "history.csv"
    history = read_csv(path)
    check_columns(path, history, HISTORY)
    metrics = read_measured(workspace.metrics / "training.json", ("best_epoch",))
    if metrics["best_epoch"] != 0:  # which a model has that was fitted elsewhere
        check_rows(path, history, ("epoch",))
    return Training(history=history, metrics=metrics, dynamics=_read_dynamics(workspace.model / "dynamics.parquet"))


def _read_dynamics(path: Path) -> "pd.DataFrame | None":
    """Read how each training sample was learned; None of a run of an earlier version."""
    if not path.exists():
        return None
    table = read_parquet(path)
    check_columns(path, table, {name: kind for name, (kind, _) in DYNAMICS.items()})
    return table


def read_samples(workspace: Workspace, dataset: DatasetDescription) -> "pd.DataFrame":
    """Read the table of test samples, and check that they are samples of this dataset.

    Raises
    ------
    ArtifactError
        The table is missing or damaged, or a row stands for no raw sample.
    """
    path = workspace.residuals / SAMPLES.file
    samples = read_parquet(path)
    check_columns(path, samples, {"index": "count"})
    if not len(samples):
        raise ArtifactError(f"{path}: expected a row per test sample, found none{REMAKE}")
    if not samples["index"].between(0, dataset.shape[0] - 1).all():
        raise ArtifactError(f"{path}: expected rows of {dataset.shape[0]} raw samples, found others{REMAKE}")
    return samples


def read_measured(path: Path, keys: tuple[str, ...] = (), most: int | None = None) -> dict[str, Any]:
    """Read the metrics of a step, which must have `keys`, and be of at most `most` samples where that is known.

    Raises
    ------
    ArtifactError
        They are missing or damaged, or those of something else.
    """
    metrics = read_metrics(path)
    for key in keys:
        if key not in metrics:
            raise ArtifactError(f"{path}: expected a key '{key}', found {', '.join(metrics)[:200]}{REMAKE}")
        if isinstance(metrics[key], str):
            raise ArtifactError(f"{path}: {key}: expected a number, found text{REMAKE}")
    n = metrics.get("n")
    if most is not None and not (isinstance(n, int) and 0 <= n <= most):
        raise ArtifactError(f"{path}: n: expected at most {most}, the rows of samples.parquet, found {n}{REMAKE}")
    return metrics
