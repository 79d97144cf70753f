"""The evaluation of a model's predictions: its metrics, its tables, and the schemas of their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from mlx.core.array_types import Counts
from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE
from mlx.results.evaluation_tables import (
    CONFUSION,
    PER_CLASS,
    PRECISION_RECALL,
    RELIABILITY,
    RELIABILITY_EQUAL_MASS,
    ROC,
    SCHEMAS,
    ClassEvaluation,
    ConfusionCells,
    PrecisionRecallCurves,
    ReliabilityBins,
    RocCurves,
)
from mlx.results.metrics import CORRELATION, LOSS, SHARE, CalibrationTest, Estimate, MetricSet, Range
from mlx.results.recalibration import (
    RECALIBRATED_RELIABILITY,
    RECALIBRATION,
    Recalibration,
)
from mlx.results.schema import ArraySchema, RowSchema

if TYPE_CHECKING:
    import pandas as pd


EVALUATION_SCHEMAS: tuple[ArraySchema[Any] | RowSchema[Any], ...] = (*SCHEMAS, RECALIBRATION, RECALIBRATED_RELIABILITY)
"""All tables of an evaluation."""


@dataclass(frozen=True, kw_only=True)
class _Metrics(MetricSet):
    """What metrics of every task are of, first in ``evaluation.json``.

    Attributes
    ----------
    n
        Test samples.
    confidence
        Level of the intervals.
    groups, n_groups
        Name and number of the groups that intervals and p-values go by; None where all samples are independent.
    n_duplicates, duplicates_status
        Samples with the representation and output of an earlier one, if counted, and what that means; None without.
    """

    n: Annotated[int, Range(1, np.inf)]
    confidence: Annotated[float, SHARE]
    groups: str | None = None
    n_groups: Annotated[int | None, Range(1, np.inf)] = None
    n_duplicates: Annotated[int | None, Range(0, np.inf)] = None
    duplicates_status: str | None = None


@dataclass(frozen=True, kw_only=True)
class ClassificationMetrics(_Metrics):
    """Metrics of a classifier on its test samples, in the order of ``evaluation.json``; NaN where undefined.

    Attributes
    ----------
    accuracy … matthews_corrcoef
        What follows from the confusion counts; higher is better.
    log_loss, brier
        Mean surprise −log p of the true class in nats, and mean squared gap of the probabilities; lower is better.
    top_5_accuracy
        Share of samples whose class is among the five most probable ones; None with five classes or fewer.
    brier_reliability … brier_within_bin_covariance
        Parts of the Brier score.
    roc_auc
        Mean area under the ROC curves of all classes, each against the rest.
    average_precision
        Mean average precision of all classes, each against the rest.
    ece, ece_if_calibrated, ece_p
        Expected calibration error, its mean under perfect calibration, and the p-value of perfect calibration; the
        statuses of both say why they are missing.
    ece_equal_mass, rmsce, rmsce_debiased, mce
        Calibration error in bins of equally many samples; root mean square, without its noise, and maximum.
    spiegelhalter, excess_surprise
        Tests of calibration by the Brier score and by the log loss.
    recalibration, temperature, temperature_status
        The calibrator with the lowest Brier score on validation samples, and the temperature that was fitted to them:
        divided by it, logits are less overconfident where it is above 1. None where nothing was fitted.
    """

    accuracy: Annotated[Estimate, SHARE]
    balanced_accuracy: Annotated[Estimate, SHARE]
    macro_precision: Annotated[Estimate, SHARE]
    weighted_precision: Annotated[Estimate, SHARE]
    macro_recall: Annotated[Estimate, SHARE]
    weighted_recall: Annotated[Estimate, SHARE]
    macro_f1: Annotated[Estimate, SHARE]
    weighted_f1: Annotated[Estimate, SHARE]
    cohen_kappa: Annotated[Estimate, CORRELATION]
    matthews_corrcoef: Annotated[Estimate, CORRELATION]
    log_loss: Annotated[Estimate, LOSS]
    brier: Annotated[Estimate, Range(0, 2)]
    top_5_accuracy: Annotated[Estimate | None, SHARE]
    brier_reliability: Annotated[float, LOSS]
    brier_resolution: Annotated[float, LOSS]
    brier_uncertainty: Annotated[float, SHARE]
    brier_within_bin_variance: Annotated[float, LOSS]
    brier_within_bin_covariance: float
    roc_auc: Annotated[Estimate, SHARE]
    average_precision: Annotated[Estimate, SHARE]
    ece: Annotated[Estimate, SHARE]
    ece_if_calibrated: Annotated[float, SHARE]
    ece_p: Annotated[float, SHARE]
    ece_if_calibrated_status: str | None = None
    ece_p_status: str | None = None
    ece_equal_mass: Annotated[float, SHARE]
    rmsce: Annotated[float, SHARE]
    rmsce_debiased: Annotated[Estimate, SHARE]
    mce: Annotated[float, SHARE]
    spiegelhalter: Annotated[CalibrationTest, SHARE]
    excess_surprise: Annotated[CalibrationTest, SHARE]
    recalibration: str | None = None
    temperature: Annotated[float | None, LOSS] = None
    temperature_status: str | None = None


@dataclass(frozen=True, kw_only=True)
class RegressionMetrics(_Metrics):
    """Metrics of a regression on its test samples, in the order of ``evaluation.json``; NaN where undefined.

    Attributes
    ----------
    rmse, mae
        Root mean square error and mean absolute error, in units of y; lower is better.
    r2
        1 − Σ(y − ŷ)² / Σ(y − ȳ)², at most 1, 0 for predicting the mean.
    """

    rmse: Annotated[Estimate, LOSS]
    mae: Annotated[Estimate, LOSS]
    r2: Annotated[Estimate, Range(-np.inf, 1)]


@dataclass(frozen=True)
class ClassificationEvaluation:
    """The evaluation of a classifier.

    Attributes
    ----------
    metrics
        Numbers of the whole test set.
    classes
        One result a class, in the order of their labels.
    confusion
        Counts (n_classes, n_classes), row true, column predicted.
    roc, precision_recall
        Curves of each class against the rest; a class for which the curve is undefined has no points.
    reliability, reliability_equal_mass
        Confidence bins of equal width, and of equally many samples.
    recalibration
        What calibrators fitted to validation samples do; None without recorded validation samples.
    """

    metrics: ClassificationMetrics
    classes: tuple[ClassEvaluation, ...]
    confusion: Counts
    roc: RocCurves
    precision_recall: PrecisionRecallCurves
    reliability: ReliabilityBins
    reliability_equal_mass: ReliabilityBins
    recalibration: Recalibration | None = None

    def frames(self) -> "dict[str, pd.DataFrame]":
        """Return the table of each schema, by the name of its file."""
        names = np.array([one.name for one in self.classes], dtype=object)
        cells = ConfusionCells(np.repeat(names, names.size), np.tile(names, names.size), self.confusion.ravel())
        found = self.recalibration
        return {
            PER_CLASS.file: PER_CLASS.frame(self.classes),
            CONFUSION.file: CONFUSION.frame(cells),
            ROC.file: ROC.frame(self.roc),
            PRECISION_RECALL.file: PRECISION_RECALL.frame(self.precision_recall),
            RELIABILITY.file: RELIABILITY.frame(self.reliability),
            RELIABILITY_EQUAL_MASS.file: RELIABILITY_EQUAL_MASS.frame(self.reliability_equal_mass),
            RECALIBRATION.file: RECALIBRATION.frame(found.effects if found else ()),
            RECALIBRATED_RELIABILITY.file: RECALIBRATED_RELIABILITY.frame(found.reliability if found else None),
        }


@dataclass(frozen=True)
class RegressionEvaluation:
    """The evaluation of a regression."""

    metrics: RegressionMetrics

    def frames(self) -> "dict[str, pd.DataFrame]":
        """Return the tables of a classification without rows, by the name of their file."""
        return {schema.file: schema.frame() for schema in EVALUATION_SCHEMAS}


def classification_evaluation(
    folder: Path, metrics: Mapping[str, Any], tables: "Mapping[str, pd.DataFrame]", class_names: Sequence[str]
) -> ClassificationEvaluation:
    """Return the evaluation that was read from the files of a folder.

    Parameters
    ----------
    folder
        Where the files are, for messages.
    metrics
        Content of ``evaluation.json``, as `mlx.core.metrics.read_metrics` returns it.
    tables
        The table of each of `EVALUATION_SCHEMAS`, by the name of its file.
    class_names
        Names of the classes.

    Raises
    ------
    ArtifactError
        A metric, a column or a class is missing, or a value is not one of its column (with its row).
    """
    k = len(class_names)

    def arrays(schema: ArraySchema[Any]) -> Any:
        return schema.arrays(folder / schema.file, tables[schema.file], n_classes=k)

    classes = PER_CLASS.rows(folder / PER_CLASS.file, tables[PER_CLASS.file], n_classes=k)
    counts = arrays(CONFUSION).count
    effects = RECALIBRATION.rows(folder / RECALIBRATION.file, tables[RECALIBRATION.file])
    for schema, found, wanted in (
        (PER_CLASS, len(classes), f"{k} rows, one for each class"),
        (CONFUSION, len(counts), f"{k**2} counts, one for each pair of classes"),
    ):
        if found != int(wanted.split()[0]):
            raise ArtifactError(f"{folder / schema.file}: expected {wanted}, found {found}{REMAKE}")
    for row, one in enumerate(classes):
        if one.label != row:
            raise ArtifactError(
                f"{folder / PER_CLASS.file}: row {row}: class: expected {row}, found {one.label}{REMAKE}"
            )
    measured = ClassificationMetrics.from_dict(folder / "evaluation.json", metrics)
    read = ClassificationEvaluation(
        measured,
        classes,
        counts.reshape(k, k),
        roc=arrays(ROC),
        precision_recall=arrays(PRECISION_RECALL),
        reliability=arrays(RELIABILITY),
        reliability_equal_mass=arrays(RELIABILITY_EQUAL_MASS),
        recalibration=Recalibration(effects, arrays(RECALIBRATED_RELIABILITY)) if effects else None,
    )
    _check_counts(folder, read)
    return read


def _check_counts(folder: Path, read: ClassificationEvaluation) -> None:
    """Reject a confusion matrix of other samples than the metrics, and curves of other classes than the matrix."""
    n, n_true = read.metrics.n, read.confusion.sum(axis=1)
    if n_true.sum() != n:
        found = f"expected counts of {n} samples, as evaluation.json says, found {n_true.sum()}"
        raise ArtifactError(f"{folder / CONFUSION.file}: {found}{REMAKE}")
    curves = ((ROC, read.roc, (n_true > 0) & (n_true < n)), (PRECISION_RECALL, read.precision_recall, n_true > 0))
    for schema, points, defined in curves:
        if (wrong := np.setxor1d(np.flatnonzero(defined), points.label)).size:
            expected, found = ("points", "none") if defined[wrong[0]] else ("none", "points")
            raise ArtifactError(
                f"{folder / schema.file}: expected {expected} of class {wrong[0]}, whose curve is "
                f"{'' if defined[wrong[0]] else 'un'}defined, found {found}{REMAKE}"
            )


def regression_evaluation(folder: Path, metrics: Mapping[str, Any]) -> RegressionEvaluation:
    """Return the evaluation of a regression that was read from the files of a folder.

    Raises
    ------
    ArtifactError
        A metric is missing.
    """
    return RegressionEvaluation(RegressionMetrics.from_dict(folder / "evaluation.json", metrics))
