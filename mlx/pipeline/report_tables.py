"""Reads the tables and metrics that the report shows, and checks what each of them holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.core.artifacts import read_csv, read_parquet
from mlx.core.descriptions import DatasetDescription
from mlx.core.errors import ArtifactError
from mlx.core.metrics import read_metrics
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.core.tables import Kind, check_columns

if TYPE_CHECKING:
    import pandas as pd

    from mlx.core.array_types import Array

_ENDS = ("", "_low", "_high", "_p", "_p_holm")

TABLES: Mapping[str, Mapping[str, Kind]] = {
    "history": {"epoch": "count", "loss": "limit", "val_loss": "limit"},
    "confusion": {"count": "count"},
    "roc": {"class": "label", "false_positive_rate": "share", "true_positive_rate": "share"},
    "precision_recall": {"class": "label", "recall": "share", "precision": "share"},
    "reliability": {"lower": "share", "upper": "share", "count": "count", "confidence": "share", "accuracy": "share"},
    "per_class": {"class": "label", "precision": "share", "recall": "share"},
    "classes": {
        "class": "label", "name": "text", "layer": "text", "n_predicted": "count", "n_true": "count",
        "entropy_mean": "number", "similarity_mean": "number", "status": "text",
        **dict.fromkeys([f"{name}{end}" for name in ("pearson", "spearman") for end in _ENDS], "number"),
    },
    "tests": {
        "name": "text", "scope": "text", "layer": "text", "statistic": "text", "estimate": "number", "low": "number",
        "high": "number", "confidence": "share", "p": "share", "p_holm": "share", "n": "count", "status": "text",
    },
    "slices": {
        "description": "text", "n": "count", "n_errors": "count", "error_rate": "share", "low": "share",
        "high": "share", "rest_error_rate": "share", "p_holm": "share", "status": "text",
    },
    "factors": {
        "factor": "text", "target": "text", "statistic": "text", "bin": "text", "lower": "limit", "upper": "limit",
        "estimate": "number", "low": "number", "high": "number", "p_holm": "share", "n": "count",
    },
    "risk_coverage": {"score": "text", "layer": "text", "coverage": "share", "risk": "share"},
    "temperature": {"temperature": "number", "log_loss": "limit", "entropy_wrong": "number"},
}  # fmt: skip
"""What each table holds in the columns that are drawn or shown."""

SAMPLES: Mapping[str, Mapping[str, Kind]] = {
    "classification": {
        "index": "count", "y_true": "label", "y_pred": "label", "correct": "flag", "confidence": "share",
        "entropy": "number", "similarity": "number", "overview": "number",
    },
    "regression": {"index": "count", "y_true": "number", "y_pred": "number", "residual": "number"},
}  # fmt: skip
MAPS = tuple(f"{kind}_{axis}" for kind in ("pca", "tsne", "umap") for axis in (1, 2))


def read_table(folder: Path, name: str, *, n_classes: int = 0) -> "pd.DataFrame":
    """Read a table of `TABLES` from ``<folder>/<name>.csv``.

    Raises
    ------
    ArtifactError
        It is missing or damaged, or a column is missing or holds something else.
    """
    path = folder / f"{name}.csv"
    table = read_csv(path)
    check_columns(path, table, TABLES[name], n_classes=n_classes)
    return table


def read_samples(workspace: Workspace, dataset: DatasetDescription) -> "pd.DataFrame":
    """Read the table a row a test sample, and see that it is one of this dataset.

    Raises
    ------
    ArtifactError
        As `read_table`; or a row stands for no raw sample.
    """
    path = workspace.residuals / "samples.parquet"
    samples = read_parquet(path)
    present: dict[str, Kind] = {name: "number" for name in (*MAPS, "standardised", "margin") if name in samples}
    kinds = {**SAMPLES[dataset.task], **present}
    if "overview" not in samples:
        kinds.pop("overview", None)
    check_columns(path, samples, kinds, n_classes=len(dataset.class_names))
    if not len(samples):
        raise ArtifactError(f"{path}: expected a row a test sample, found none{REMAKE}")
    if not samples["index"].between(0, dataset.shape[0] - 1).all():
        raise ArtifactError(f"{path}: expected rows of {dataset.shape[0]} raw samples, found others{REMAKE}")
    return samples


def read_confusion(folder: Path, n_classes: int) -> "Array":
    """Read the counts (n_classes, n_classes), row true, column predicted.

    Raises
    ------
    ArtifactError
        As `read_table`; or there are not as many counts as pairs of classes.
    """
    counts = read_table(folder, "confusion")["count"].to_numpy()
    if len(counts) != n_classes**2:
        path, wanted = folder / "confusion.csv", f"{n_classes**2} counts, one for each pair of classes"
        raise ArtifactError(f"{path}: expected {wanted}, found {len(counts)}{REMAKE}")
    return counts.reshape(n_classes, n_classes)


def read_measured(path: Path, keys: tuple[str, ...], most: int | None = None) -> dict[str, Any]:
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


EVALUATION = {"classification": ("n", "accuracy", "log_loss", "ece"), "regression": ("n", "rmse", "r2")}
RESIDUALS = {"classification": ("n", "pearson"), "regression": ("n", "rmse")}
TRAINING = ("best_epoch",)
"""Keys that metrics of each task have, whatever else is in them."""
