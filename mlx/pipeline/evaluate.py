"""Step `evaluate`: how good the recorded predictions are."""

from dataclasses import replace
from typing import Any

from mlx.core.artifacts import write_csv
from mlx.core.descriptions import Split
from mlx.core.lineage import made_from
from mlx.core.metrics import write_metrics
from mlx.core.ordered_map import one_thread_each
from mlx.core.paths import Workspace
from mlx.evaluation import EvaluationSettings, evaluate_classification, evaluate_regression
from mlx.pipeline.model_outputs import (
    ModelOutputs,
    naming_model_outputs,
    open_model_outputs,
    open_validation,
)
from mlx.pipeline.sample_columns import read_groups
from mlx.results.evaluation import ClassificationEvaluation, RegressionEvaluation
from mlx.stats.groups import Groups
from mlx.stats.validation_outputs import ValidationOutputs

KEY = "evaluation.groups"


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
    given = read_groups(source, settings.groups, recorded, key=KEY)
    val, validation_outputs = open_validation(workspace.representations) if split == "test" else None, None
    if val is not None:
        validation_outputs = val.as_validation(read_groups(source, settings.groups, val, key=KEY))
    with naming_model_outputs(workspace, recorded), one_thread_each():
        found = _evaluated(recorded, settings, given, validation_outputs)
    frames = found.frames()
    duplicates = recorded.duplicates
    warning = duplicates.warning(None if given is None else Groups.of(given), key=KEY)
    metrics = replace(found.metrics, n_duplicates=duplicates.count, duplicates_status=warning or None).as_dict()
    for name, table in frames.items():
        write_csv(workspace.metrics / name, table)
    how = {} if recorded.split_method is None else {"split_method": recorded.split_method}
    sources = made_from(representations=recorded.identity)
    write_metrics(workspace.metrics / "evaluation.json", {**metrics, **how}, sources)
    shown = ", ".join(f"{k} {v:.4g}" for k, v in metrics.items() if k in SHOWN and isinstance(v, float | int))
    by = f", intervals by {metrics['n_groups']} groups ({metrics['groups']})" if "groups" in metrics else ""
    return (
        f"read predictions of {len(recorded.y_true)} {split} samples from {workspace.representations}, "
        f"found {shown}{by}{f' ({warning})' if warning else ''}, "
        f"wrote {workspace.metrics / 'evaluation.json'} and {len(frames)} tables"
    )


SHOWN = frozenset({"accuracy", "log_loss", "rmse", "r2"})


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
