"""The tables of an evaluation: a type and a schema for each."""

from dataclasses import dataclass
from typing import Annotated

from mlx.core.array_types import Array, Counts, Floats, Integers
from mlx.results import columns
from mlx.results.schema import ArraySchema, Column, RowSchema
from mlx.stats.status import OK, Status

ClassLabels = Annotated[Integers, Column("label", "class label", name="class")]
ClassNames = Annotated[Array, Column("text", "name of the class")]
Thresholds = Annotated[Floats, Column("limit", "probability of the class; missing where no sample reaches it")]


@dataclass(frozen=True)
class ClassEvaluation:
    """Metrics of one class; ``status`` explains every 0 or NaN that is a convention and not a measurement."""

    label: columns.ClassLabel
    name: columns.ClassName
    precision: Annotated[float, Column("share", "share of the predictions of this class that are right")]
    recall: Annotated[float, Column("share", "share of the samples of this class that are found")]
    f1: Annotated[float, Column("share", "harmonic mean of both")]
    support: Annotated[int, Column("count", "test samples of this class")]
    predicted: Annotated[int, Column("count", "test samples predicted to be of this class")]
    roc_auc: Annotated[float, Column("share", "area under the ROC curve against the rest; missing without one")]
    average_precision: Annotated[
        float, Column("share", "average precision against the rest; missing for a class without samples")
    ]
    status: Annotated[Status, Column("text", "`ok`, or which values are conventions and why")] = OK


@dataclass(frozen=True)
class ConfusionCells:
    """Counts of outcomes, a cell a pair of classes."""

    actual: Annotated[Array, Column("text", "name of the true class")]
    predicted: Annotated[Array, Column("text", "name of the predicted class")]
    count: Annotated[Counts, Column("count", "test samples")]


@dataclass(frozen=True)
class RocCurves:
    """Points of the ROC curve of each class against the rest, by falling threshold; (n_points,) each."""

    label: ClassLabels
    name: ClassNames
    false_positive_rate: Annotated[Floats, Column("share", "share of the other samples that reach the threshold")]
    true_positive_rate: Annotated[Floats, Column("share", "share of its samples that reach the threshold")]
    threshold: Thresholds


@dataclass(frozen=True)
class PrecisionRecallCurves:
    """Points of the precision–recall curve of each class against the rest, by rising recall; (n_points,) each."""

    label: ClassLabels
    name: ClassNames
    recall: Annotated[Floats, Column("share", "share of its samples that reach the threshold")]
    precision: Annotated[Floats, Column("share", "share of the samples that reach the threshold that are its own")]
    threshold: Thresholds


@dataclass(frozen=True)
class ReliabilityBins:
    """Confidence bins (lower, upper], (n_bins,) each; an empty bin has no confidence and no accuracy (NaN)."""

    bin: Annotated[Integers, Column("count", "number of the bin, from 0")]
    lower: Annotated[Floats, Column("number", "lower edge, exclusive; that of the first bin is inclusive")]
    upper: Annotated[Floats, Column("number", "upper edge, inclusive")]
    count: Annotated[Counts, Column("count", "test samples")]
    confidence: Annotated[Floats, Column("number", "mean probability of the predicted class; missing without samples")]
    accuracy: Annotated[Floats, Column("share", "share of right predictions; missing without samples")]


PER_CLASS = RowSchema("per_class.csv", ClassEvaluation, "One row per class of a classification, always all classes.")

CONFUSION = ArraySchema("confusion.csv", ConfusionCells, "One row per pair of true and predicted class.")

ROC = ArraySchema(
    "roc.csv", RocCurves, "Points of the ROC curve of each class against the rest.", ("class", "threshold")
)

PRECISION_RECALL = ArraySchema(
    "precision_recall.csv",
    PrecisionRecallCurves,
    "Points of the precision-recall curve of each class.",
    key=("class", "threshold"),
)

RELIABILITY = ArraySchema(
    "reliability.csv", ReliabilityBins, "One row per confidence bin of equal width.", key=("bin",), filled=True
)

RELIABILITY_EQUAL_MASS = ArraySchema(
    "reliability_equal_mass.csv",
    ReliabilityBins,
    "One row per confidence bin of equally many test samples.",
    key=("bin",),
    filled=True,
)

SCHEMAS = (PER_CLASS, CONFUSION, ROC, PRECISION_RECALL, RELIABILITY, RELIABILITY_EQUAL_MASS)
