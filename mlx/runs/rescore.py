"""Evaluates a finished run again, on any of its splits and with any of its checkpoints."""

import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

from mlx.core.descriptions import Split
from mlx.core.errors import ArtifactError, DataError, SettingsError
from mlx.core.metrics import LEVELS, read_metrics
from mlx.core.paths import Workspace
from mlx.core.reading import ABSENT, REMAKE
from mlx.core.settings import nearest
from mlx.evaluation import EvaluationSettings
from mlx.models import Model, load_model
from mlx.models.recorded.build import RecordedModel
from mlx.pipeline.evaluate import write_evaluation
from mlx.pipeline.extract_representations import record_outputs
from mlx.representations import RepresentationsSettings
from mlx.results.evaluation import ClassificationMetrics, RegressionMetrics
from mlx.training import load_checkpoint

Metrics = dict[str, float | int | str | None]

FINAL = "final"
"""The checkpoint of the run's own numbers: the model in ``data/model/``."""

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
    "average_precision_score": "average_precision",
    "auprc": "average_precision",
    "map": "average_precision",
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
"""Other usual names of metrics; a name here is used only if it is not a metric itself."""


def rescore(
    workspace: Workspace,
    *,
    evaluation: EvaluationSettings,
    representations: RepresentationsSettings,
    split: Split = "test",
    checkpoint: str = FINAL,
) -> Metrics:
    """Return the metrics of ``metrics/evaluation.json`` for another split or another checkpoint.

    They are computed by the steps of the run, so the final model and the test split give exactly the run's numbers.

    Raises
    ------
    MlxError
        The checkpoint is missing, or an artifact of the run is missing or damaged.
    """
    if checkpoint == FINAL:
        model = load_model(workspace.model)
    else:
        names = checkpoints(workspace)
        if checkpoint not in names:
            hint = nearest(checkpoint, names)
            raise SettingsError(f"--checkpoint: expected one of {', '.join(names)}, found '{checkpoint}'{hint}")
        model = load_checkpoint(workspace.checkpoints / checkpoint)
    with TemporaryDirectory(prefix="mlx-eval-") as name:
        again = Workspace(Path(name))
        again.representations.parent.mkdir()
        if isinstance(model, RecordedModel):
            again.representations.symlink_to(workspace.representations.resolve())
        else:
            _record(workspace, again, representations, split, model)
        try:
            write_evaluation(again, workspace, evaluation, split)
        except (ArtifactError, DataError) as error:  # names files that no longer exist
            text = str(error).replace(f"{again.representations / split}{os.sep}", "").removesuffix(REMAKE)
            raise DataError(
                f"{workspace.root}: what checkpoint {checkpoint} says of the {split} split: {text}"
            ) from None
        return read_metrics(again.metrics / "evaluation.json")


def _record(
    workspace: Workspace, again: Workspace, settings: RepresentationsSettings, split: Split, model: Model
) -> None:
    again.representations.mkdir()
    # What is fitted to validation samples is measured on test samples alone.
    splits = [split, *({"val"} & {*settings.splits} if split == "test" else ())]
    one = settings.model_copy(update={"splits": splits, "max_train_samples": sys.maxsize})
    record_outputs(workspace, again.representations, one, model=model)


def checkpoints(workspace: Workspace) -> list[str]:
    """Return the names of the checkpoints of a run: `FINAL`, ``best``, ``epoch_0005`` and so on."""
    folder = workspace.checkpoints
    saved = sorted(path.parent.name for path in folder.glob("*/model.json") if not path.parent.name.startswith("."))
    return [FINAL, *saved]


def check_metrics(workspace: Workspace, names: Sequence[str]) -> None:
    """Reject names that no evaluation has, before a long one.

    Raises
    ------
    MlxError
        A name is unknown, or the recorded evaluation is damaged; one that is missing lets every name pass.
    """
    path = workspace.metrics / "evaluation.json"
    known = {field.name for kind in (ClassificationMetrics, RegressionMetrics) for field in fields(kind)} - LEVELS
    unsure = [name for name in names if SPELLINGS.get(_lowered(name), _lowered(name)) not in known]
    if unsure and path.exists():
        chosen_metrics(read_metrics(path), unsure)


def _lowered(name: str) -> str:
    return name.lower().replace("-", "_")


def chosen_metrics(metrics: Metrics, names: Sequence[str]) -> Metrics:
    """Return the metrics of `names`, each with the ends of its interval; all of them for no names.

    Raises
    ------
    SettingsError
        A name is unknown: lists the known ones.
    """
    if not names:
        return metrics
    chosen: Metrics = {}
    for name in names:
        lowered = _lowered(name)
        key = lowered if lowered in metrics else SPELLINGS.get(lowered, lowered)
        numbers = [key for key, value in metrics.items() if key not in LEVELS and not isinstance(value, str)]
        if key not in numbers:
            valid = [key for key in numbers if not key.endswith(("_low", "_high"))]
            aliases = [alias for alias, meant in SPELLINGS.items() if meant in valid]
            hint = nearest(lowered, valid + aliases)
            raise SettingsError(f"--metrics: expected one of {', '.join(valid)}, found '{name}'{hint}")
        chosen |= {key: metrics[key] for key in (key, f"{key}_low", f"{key}_high") if key in metrics}
    return chosen


def require_whole(workspace: Workspace) -> None:
    """Reject a run without a trained model.

    Raises
    ------
    ArtifactError
        Names the missing file.
    """
    for path in (workspace.model / "model.json", workspace.splits / "preprocessing.json"):
        if not path.is_file():
            raise ArtifactError(f"{path}: expected a run with a trained model, found none{ABSENT}")
