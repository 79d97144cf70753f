"""Evaluates a finished run again: on any of its splits, with any of its checkpoints."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from mlx.core.errors import ArtifactError, DataError, SettingsError
from mlx.core.metrics import LEVELS, read_metrics
from mlx.core.paths import Workspace
from mlx.core.reading import ABSENT, REMAKE
from mlx.core.settings import nearest
from mlx.evaluation import EvaluationSettings
from mlx.models import load_model
from mlx.pipeline.evaluate import evaluate
from mlx.pipeline.extract_representations import record_split
from mlx.representations import RepresentationsSettings
from mlx.training import load_checkpoint

Metrics = dict[str, float | int | str | None]
Split = Literal["test", "val", "train"]

FINAL = "final"
"""The checkpoint that the run's own numbers are of: the model in ``data/model/``."""

SPELLINGS = {
    "acc": "accuracy",
    "f1": "macro_f1",
    "f1_score": "macro_f1",
    "f1_macro": "macro_f1",
    "precision": "macro_precision",
    "precision_score": "macro_precision",
    "recall": "macro_recall",
    "recall_score": "macro_recall",
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "precision_macro": "macro_precision",
    "recall_macro": "macro_recall",
    "f1_weighted": "weighted_f1",
    "precision_weighted": "weighted_precision",
    "recall_weighted": "weighted_recall",
    "roc_auc_score": "roc_auc",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "top_k_accuracy_score": "top_5_accuracy",
    "cross_entropy": "log_loss",
    "nll": "log_loss",
    "brier_score": "brier",
    "expected_calibration_error": "ece",
    "mcc": "matthews_corrcoef",
    "kappa": "cohen_kappa",
    "cohen_kappa_score": "cohen_kappa",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "r2_score": "r2",
    "r_squared": "r2",
}
"""Other names of the field for a metric; what stands here is only taken where the metric is there."""


def rescore(
    workspace: Workspace,
    *,
    evaluation: EvaluationSettings,
    representations: RepresentationsSettings,
    split: Split = "test",
    checkpoint: str = FINAL,
) -> Metrics:
    """Return what ``metrics/evaluation.json`` would hold of another split or another checkpoint.

    Both go through the steps that the run went through, so the final model and the test split give the
    run's own numbers, digit for digit.

    Raises
    ------
    MlxError
        There is no such checkpoint, or an artifact of the run is missing or damaged.
    """
    if checkpoint == FINAL:
        model = load_model(workspace.model)
    else:
        known = checkpoints(workspace)
        if checkpoint not in known:
            hint = nearest(checkpoint, known)
            raise SettingsError(f"--checkpoint: expected one of {', '.join(known)}, found '{checkpoint}'{hint}")
        model = load_checkpoint(workspace.checkpoints / checkpoint)
    with TemporaryDirectory(prefix="mlx-eval-") as name:
        again = Workspace(Path(name))
        again.representations.mkdir(parents=True)
        record_split(workspace, split, again.representations, representations, model=model)
        try:
            evaluate(again, evaluation=evaluation)
        except (ArtifactError, DataError) as error:  # of files that are gone when the user reads it
            text = str(error).replace(f"{again.representations}{os.sep}", "").removesuffix(REMAKE)
            raise DataError(
                f"{workspace.root}: what checkpoint {checkpoint} says of the {split} split: {text}"
            ) from None
        return read_metrics(again.metrics / "evaluation.json")


def checkpoints(workspace: Workspace) -> list[str]:
    """Return the names of the checkpoints that a run has: `FINAL`, ``best``, ``epoch_0005`` and so on."""
    folder = workspace.checkpoints
    kept = sorted(path.parent.name for path in folder.glob("*/model.json") if not path.parent.name.startswith("."))
    return [FINAL, *kept]


def chosen_metrics(metrics: Metrics, names: Sequence[str]) -> Metrics:
    """Return the metrics of `names`, each with the ends of its interval; all of them for no names.

    Raises
    ------
    SettingsError
        A name is none of the known ones: lists those.
    """
    if not names:
        return metrics
    chosen: Metrics = {}
    for name in names:
        lowered = name.lower().replace("-", "_")
        key = lowered if lowered in metrics else SPELLINGS.get(lowered, lowered)
        if key not in metrics or key in LEVELS:
            known = [key for key in metrics if not key.endswith(("_low", "_high")) and key not in LEVELS]
            spelt = [alias for alias, meant in SPELLINGS.items() if meant in known]
            hint = nearest(lowered, known + spelt)
            raise SettingsError(f"--metrics: expected one of {', '.join(known)}, found '{name}'{hint}")
        chosen |= {key: metrics[key] for key in (key, f"{key}_low", f"{key}_high") if key in metrics}
    return chosen


def require_whole(workspace: Workspace) -> None:
    """Refuse a run whose model has not been trained yet.

    Raises
    ------
    ArtifactError
        Says which file is missing.
    """
    for path in (workspace.model / "model.json", workspace.splits / "preprocessing.json"):
        if not path.is_file():
            raise ArtifactError(f"{path}: expected a run with a trained model, found none{ABSENT}")
