"""Step `residuals-analysis`: asks whether the representations tell where the model is unsure and wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.array_types import Array
from mlx.core.arrays import write_array
from mlx.core.artifacts import read_parquet, replacing_folder, write_csv, write_parquet
from mlx.core.descriptions import DatasetDescription, read_description
from mlx.core.errors import ArtifactError
from mlx.core.metrics import write_metrics
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.pipeline.model_outputs import ModelOutputs, naming_model_outputs, open_model_outputs
from mlx.residuals import (
    ResidualsSettings,
    analyze_classification,
    analyze_regression,
    build_class_table,
    build_curve_table,
    build_factor_table,
    build_matrix_table,
    build_slice_table,
    build_temperature_table,
    build_test_table,
)

SCATTER_POINTS = 2000
"""Points in the table that ``dvc plots`` draws: a browser handles them, and the shape is clear."""


def residuals_analysis(workspace: Workspace, *, residuals: ResidualsSettings) -> str:
    """Write ``data/residuals/`` and ``metrics/residuals.json``.

    ``samples.parquet`` has a row a test sample; ``classes.csv`` a row a predicted class; ``tests.csv`` every test
    made; ``factors.csv``, ``slices.csv`` and ``risk_coverage.csv`` which samples fail; ``temperature.csv`` what a
    temperature does to entropy; ``similarity.csv`` which file in ``similarity/`` holds the similarities within a
    class, beside ``<layer>.overview.npy`` over all classes; ``scatter.csv`` the points for ``dvc plots``.
    ``docs/tables.md`` describes every column. A regression has rows in samples and scatter alone, and
    ``coefficients.csv`` of a linear regression.

    Raises
    ------
    MlxError
        An artifact is missing or damaged, or its values are no predictions.
    """
    recorded = open_model_outputs(workspace.representations)
    factors = _factors(workspace, np.asarray(recorded.index))
    with naming_model_outputs(workspace):
        tables, matrices, headline = _analyzed(recorded, factors, residuals)
    samples = tables.pop("samples")
    with replacing_folder(workspace.residuals) as folder:
        write_tables(folder, samples, tables, matrices)
        write_csv(folder / "scatter.csv", _scatter(samples, recorded))
    write_metrics(workspace.metrics / "residuals.json", headline)
    return (
        f"read {len(samples)} samples and layers {', '.join(recorded.layers)} from {workspace.representations}, "
        f"{_finding(headline)}, wrote {workspace.residuals}"
    )


Tables = dict[str, pd.DataFrame]


def write_tables(folder: Path, samples: pd.DataFrame, tables: Tables, matrices: Mapping[str, Array]) -> None:
    """Write the samples as Parquet, the other tables as CSV, and each matrix as a file in ``similarity/``."""
    write_parquet(folder / "samples.parquet", samples)
    for name, table in tables.items():
        write_csv(folder / f"{name}.csv", table)
    (folder / "similarity").mkdir()
    for file, matrix in matrices.items():
        write_array(folder / "similarity" / file, matrix)


def _analyzed(
    recorded: ModelOutputs, factors: pd.DataFrame, settings: ResidualsSettings
) -> tuple[Tables, dict[str, Any], dict[str, Any]]:
    if recorded.probabilities is None:
        fitted = analyze_regression(
            recorded.y_true,
            recorded.y_pred,
            index=recorded.index,
            settings=settings,
            design=recorded.design,
            fit=recorded.linear_fit,
            without_fit=_without_fit(recorded.model),
        )
        tables = {name: build() for name, build in TABLES.items()} | {"coefficients": fitted.coefficients}
        return {"samples": fitted.samples.join(factors.add_prefix("factor."))} | tables, {}, fitted.summary
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
    )
    return {name: getattr(found, name) for name in ("samples", *TABLES)}, found.matrices, found.headline


def _without_fit(model: str) -> str:
    """Say why a model has no training design."""
    if model == "linear_regression":
        return "the model keeps no training design, as it has over 4096 features or an earlier version fitted it"
    return f"{model} is no linear regression"


TABLES = {
    "classes": build_class_table,
    "tests": build_test_table,
    "factors": build_factor_table,
    "slices": build_slice_table,
    "risk_coverage": build_curve_table,
    "temperature": build_temperature_table,
    "similarity": build_matrix_table,
}
"""The tables beside the samples, and what makes them without rows."""


def _factors(workspace: Workspace, index: np.ndarray) -> pd.DataFrame:
    """Return what each sample was generated from, a column each; no column where unknown."""
    described = read_description(workspace.raw / "dataset.json", DatasetDescription)
    if index.max() >= described.shape[0]:
        raise ArtifactError(
            f"{workspace.representations / 'index.npy'}: expected some of the {described.shape[0]} rows that "
            f"{workspace.raw / 'dataset.json'} tells of, found row {index.max()}{REMAKE}"
        )
    if not described.factors:
        return pd.DataFrame(index=range(len(index)))
    table = read_parquet(workspace.raw / "factors.parquet", described.factors)
    if len(table) != described.shape[0]:
        raise ArtifactError(
            f"{workspace.raw / 'factors.parquet'}: expected {described.shape[0]} rows, found {len(table)}{REMAKE}"
        )
    return table.iloc[index].reset_index(drop=True)


def _scatter(samples: pd.DataFrame, recorded: ModelOutputs) -> pd.DataFrame:
    """Return what ``dvc plots`` draws as points, evenly thinned: CSV, as DVC reads no Parquet."""
    rows = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), SCATTER_POINTS)).astype(int))
    chosen = samples.iloc[rows]
    if not recorded.class_names:
        return chosen[["index", "y_true", "y_pred", "residual"]]
    names = np.array(recorded.class_names)
    outcome = np.where(chosen["correct"], "correct", "wrong")
    labels = {"actual": names[chosen["y_true"]], "predicted": names[chosen["y_pred"]], "outcome": outcome}
    return chosen[["index", "similarity", "entropy"]].assign(**labels)


def _finding(headline: dict[str, Any]) -> str:
    if (r := headline.get("pearson")) is None:
        return "summarized the residuals"
    low, high = headline["pearson_low"], headline["pearson_high"]
    interval = f"[{low:.3f}, {high:.3f}]" if low is not None else f"({headline['pearson_status']})"
    return f"found r {r:.3f} {interval} between similarity and entropy"
