"""Step `evaluate`: how good the recorded predictions are."""

from typing import Any

import numpy as np
import pandas as pd

from mlx.core.artifacts import write_csv
from mlx.core.metrics import write_metrics
from mlx.core.paths import Workspace
from mlx.evaluation import (
    TABLE_COLUMNS,
    ClassificationEvaluation,
    EvaluationSettings,
    evaluate_classification,
    evaluate_regression,
)
from mlx.pipeline.model_outputs import ModelOutputs, naming_model_outputs, open_model_outputs

Tables = dict[str, pd.DataFrame]

COLUMNS = TABLE_COLUMNS | {"confusion": ("actual", "predicted", "count")}


def evaluate(workspace: Workspace, *, evaluation: EvaluationSettings) -> str:
    """Write ``metrics/evaluation.json`` and a CSV file for each of `COLUMNS`.

    For a regression the tables have their columns and no rows: there are no classes to tell apart.

    Raises
    ------
    MlxError
        An artifact is missing or damaged, or its values are no predictions.
    """
    recorded = open_model_outputs(workspace.representations)
    with naming_model_outputs(workspace):
        metrics, tables = _evaluated(recorded, evaluation)
    for name, table in tables.items():
        write_csv(workspace.metrics / f"{name}.csv", table)
    write_metrics(workspace.metrics / "evaluation.json", metrics)
    headline = ", ".join(f"{k} {v:.4g}" for k, v in metrics.items() if k in HEADLINE and v is not None)
    return (
        f"read predictions of {len(recorded.y_true)} samples from {workspace.representations}, "
        f"found {headline}, wrote {workspace.metrics / 'evaluation.json'} and {len(tables)} tables"
    )


HEADLINE = frozenset({"accuracy", "log_loss", "rmse", "r2"})


def _evaluated(recorded: ModelOutputs, settings: EvaluationSettings) -> tuple[dict[str, Any], Tables]:
    if recorded.probabilities is None:
        empty = {name: pd.DataFrame(columns=list(columns)) for name, columns in COLUMNS.items()}
        return dict(evaluate_regression(recorded.y_true, recorded.y_pred, settings=settings).metrics), empty
    result = evaluate_classification(
        recorded.y_true,
        recorded.y_pred,
        recorded.probabilities,
        logits=recorded.logits,
        class_names=recorded.class_names,
        settings=settings,
    )
    return dict(result.metrics), _tables(result, recorded.class_names)


def _tables(result: ClassificationEvaluation, class_names: tuple[str, ...]) -> Tables:
    names = np.array(class_names, dtype=object)
    k = len(names)
    confusion = {
        "actual": np.repeat(names, k),
        "predicted": np.tile(names, k),
        "count": result.confusion.ravel(),
    }
    return {
        "per_class": result.classes,
        "confusion": pd.DataFrame(confusion),
        "roc": result.roc,
        "precision_recall": result.precision_recall,
        "reliability": result.reliability,
        "reliability_equal_mass": result.reliability_equal_mass,
    }
