"""Step `evaluate`: how good the recorded predictions are."""

from dataclasses import replace
from typing import Any

import numpy as np

from mlx.core.artifacts import write_csv
from mlx.core.descriptions import Split
from mlx.core.group_names import DUPLICATES
from mlx.core.metrics import write_metrics
from mlx.core.paths import Workspace
from mlx.evaluation import EvaluationSettings, evaluate_classification, evaluate_regression
from mlx.pipeline.model_outputs import (
    ModelOutputs,
    naming_model_outputs,
    open_model_outputs,
    open_validation_outputs,
)
from mlx.pipeline.sample_columns import read_group_labels
from mlx.results.evaluation import ClassificationEvaluation, RegressionEvaluation
from mlx.stats.duplicates import Duplicates, find_duplicates
from mlx.stats.groups import Groups
from mlx.stats.validation_outputs import ValidationOutputs


def evaluate(workspace: Workspace, *, evaluation: EvaluationSettings) -> str:
    """Write ``metrics/evaluation.json`` and a CSV file for each of `mlx.results.evaluation.EVALUATION_SCHEMAS`.

    For a regression the tables have their columns and no rows: there are no classes to tell apart.

    Raises
    ------
    MlxError
        An artifact is missing or damaged, or its values are no predictions.
    """
    return write_evaluation(workspace, workspace, evaluation)


def write_evaluation(
    workspace: Workspace, source: Workspace, settings: EvaluationSettings, split: Split = "test"
) -> str:
    """Evaluate the outputs on a part that a workspace holds, of samples whose raw data are in another."""
    recorded = open_model_outputs(workspace.representations, split)
    labels = read_group_labels(source, settings.groups, np.asarray(recorded.index), key="evaluation.groups")
    duplicates = _duplicates(recorded)
    given = duplicates.first if settings.groups == DUPLICATES else labels
    validation_outputs = open_validation_outputs(workspace.representations) if split == "test" else None
    with naming_model_outputs(workspace, recorded):
        found = _evaluated(recorded, settings, given, validation_outputs)
    frames = found.frames()
    warning = duplicates.warning(None if given is None else Groups.of(given), key="evaluation.groups")
    metrics = replace(found.metrics, n_duplicates=duplicates.count, duplicates_status=warning or None).as_dict()
    for name, table in frames.items():
        write_csv(workspace.metrics / name, table)
    how = {} if recorded.split_method is None else {"split_method": recorded.split_method}
    write_metrics(workspace.metrics / "evaluation.json", {**metrics, **how})
    shown = ", ".join(f"{k} {v:.4g}" for k, v in metrics.items() if k in SHOWN and isinstance(v, float | int))
    by = f", intervals by {metrics['n_groups']} groups ({metrics['groups']})" if "groups" in metrics else ""
    return (
        f"read predictions of {len(recorded.y_true)} {split} samples from {workspace.representations}, "
        f"found {shown}{by}{f' ({warning})' if warning else ''}, "
        f"wrote {workspace.metrics / 'evaluation.json'} and {len(frames)} tables"
    )


SHOWN = frozenset({"accuracy", "log_loss", "rmse", "r2"})


def _duplicates(recorded: ModelOutputs) -> Duplicates:
    """Find the samples of the same representation and output, as the residuals analysis does."""
    scores = recorded.probabilities if recorded.logits is None else recorded.logits
    outputs = np.asarray(recorded.y_pred)[:, None] if scores is None else scores
    return find_duplicates(next(iter(recorded.layers.values())), outputs)


def _evaluated(
    recorded: ModelOutputs, settings: EvaluationSettings, groups: Any, validation_outputs: ValidationOutputs | None
) -> ClassificationEvaluation | RegressionEvaluation:
    if recorded.probabilities is None:
        return evaluate_regression(recorded.y_true, recorded.y_pred, settings=settings, groups=groups)
    return evaluate_classification(
        recorded.y_true,
        recorded.y_pred,
        recorded.probabilities,
        logits=recorded.logits,
        class_names=recorded.class_names,
        settings=settings,
        validation=recorded.validation,
        validation_outputs=validation_outputs,
        groups=groups,
    )
