"""Step `evaluate`: how good the recorded predictions are."""

from mlx.core.artifacts import write_csv
from mlx.core.metrics import write_metrics
from mlx.core.paths import Workspace
from mlx.evaluation import EvaluationSettings, evaluate_classification, evaluate_regression
from mlx.pipeline.model_outputs import ModelOutputs, naming_model_outputs, open_model_outputs
from mlx.results.evaluation import ClassificationEvaluation, RegressionEvaluation


def evaluate(workspace: Workspace, *, evaluation: EvaluationSettings) -> str:
    """Write ``metrics/evaluation.json`` and a CSV file for each of `mlx.results.evaluation.SCHEMAS`.

    For a regression the tables have their columns and no rows: there are no classes to tell apart.

    Raises
    ------
    MlxError
        An artifact is missing or damaged, or its values are no predictions.
    """
    recorded = open_model_outputs(workspace.representations)
    with naming_model_outputs(workspace):
        found = _evaluated(recorded, evaluation)
    frames, metrics = found.frames(), found.metrics.as_dict()
    for name, table in frames.items():
        write_csv(workspace.metrics / name, table)
    how = {} if recorded.split_method is None else {"split_method": recorded.split_method}
    write_metrics(workspace.metrics / "evaluation.json", {**metrics, **how})
    shown = ", ".join(f"{k} {v:.4g}" for k, v in metrics.items() if k in SHOWN and v is not None)
    return (
        f"read predictions of {len(recorded.y_true)} samples from {workspace.representations}, "
        f"found {shown}, wrote {workspace.metrics / 'evaluation.json'} and {len(frames)} tables"
    )


SHOWN = frozenset({"accuracy", "log_loss", "rmse", "r2"})


def _evaluated(recorded: ModelOutputs, settings: EvaluationSettings) -> ClassificationEvaluation | RegressionEvaluation:
    if recorded.probabilities is None:
        return evaluate_regression(recorded.y_true, recorded.y_pred, settings=settings)
    return evaluate_classification(
        recorded.y_true,
        recorded.y_pred,
        recorded.probabilities,
        logits=recorded.logits,
        class_names=recorded.class_names,
        settings=settings,
        validation=recorded.validation,
    )
