"""Prediction sets of a classifier, and prediction intervals of a regression: how often they hold the truth."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from mlx.core.array_types import Array, Floats
from mlx.results import columns
from mlx.results.schema import ArraySchema, Column, RowSchema
from mlx.stats.interval import NAN
from mlx.stats.status import OK


class SetMethod(StrEnum):
    """How the sets of a classifier, or the intervals of a regression, are made."""

    LAC = "lac"
    APS = "aps"
    RAPS = "raps"
    ABSOLUTE = "absolute residual"
    NORMALIZED = "normalized residual"


class Looked(StrEnum):
    """What the samples of a row have in common."""

    ALL = "all"
    CLASS = "class"
    PREDICTED = "predicted class"
    FACTOR = "factor"
    SLICE = "slice"


@dataclass(frozen=True, kw_only=True)
class SetCoverage:
    """How often the sets of one group of test samples hold the true class, or the intervals the target."""

    alpha: Annotated[float, Column("number", "sets are made to miss this share of new samples")]
    method: Annotated[SetMethod, Column("text", "score that the sets, or the intervals of a regression, are made of")]
    class_conditional: Annotated[bool, Column("flag", "whether each class has a threshold of its own")] = False
    kind: Annotated[Looked, Column("text", "all, class, predicted class, factor or slice")]
    subject: Annotated[str, Column("text", "the class, the factor, or the conditions of the slice")] = ""
    bin: Annotated[str, Column("text", "part of the factor")] = ""
    n: Annotated[int, Column("count", "test samples; of a slice, those of the half that did not choose it")]
    n_covered: Annotated[int | None, Column("number", "those whose set holds the truth", dtype="Int64")] = None
    coverage: Annotated[float, Column("share", "their share")] = NAN
    low: Annotated[
        float, Column("share", "lower end of its Wilson interval, of a group at the level 1 - 0.05/number of groups")
    ] = NAN
    high: columns.High = NAN
    expected: Annotated[float, Column("share", "k/(n_calibration + 1), the mean coverage if all is as calibrated")] = (
        NAN
    )
    band_low: Annotated[
        int | None,
        Column("number", "covered samples: the 2.5 % quantile if all is as calibrated", dtype="Int64"),
    ] = None
    band_high: Annotated[int | None, Column("number", "the 97.5 % quantile", dtype="Int64")] = None
    size_mean: Annotated[float, Column("number", "mean number of classes in a set, or width of an interval")] = NAN
    n_empty: Annotated[int | None, Column("number", "empty sets", dtype="Int64")] = None
    p: Annotated[float, Column("share", "p-value of the group being covered as all samples are, or more often")] = NAN
    p_holm: Annotated[
        float, Column("share", "p adjusted over all groups of this alpha and method by Holm's method")
    ] = NAN
    n_calibration: Annotated[int, Column("count", "validation samples that calibrate the threshold")]
    threshold: Annotated[float, Column("limit", "largest score in a set; missing where classes have their own")] = NAN
    status: columns.RowStatus = OK

    @property
    def named(self) -> str:
        """The group in words."""
        return " ".join(filter(None, (str(self.kind), self.subject, self.bin)))


PREDICTION_SETS = RowSchema(
    "prediction_sets.csv",
    SetCoverage,
    "One row per alpha and group of test samples; no row without recorded validation samples.",
)


@dataclass(frozen=True)
class SampleSets:
    """The set of each sample, each (n_samples,); missing where there are no sets."""

    set_size: Annotated[Floats, Column("number", "classes in the prediction set")]
    set_holds: Annotated[Floats, Column("number", "1 if it holds the true class, 0 if not")]


SAMPLE_SETS = ArraySchema(
    "samples.parquet",
    SampleSets,
    "Prediction sets for the first of `residuals.conformal.alpha`; for a further one with it as a suffix.",
)


def suffixes_of(alphas: "list[float] | tuple[float, ...]") -> list[str]:
    """Return the suffix of the columns of each alpha in the table of samples: none of the first."""
    return [f".{alpha:g}" if place else "" for place, alpha in enumerate(alphas)]


def worst_covered(rows: "tuple[SetCoverage, ...]", level: float) -> SetCoverage | None:
    """Return the group with the smallest adjusted p-value, if it is below one minus `level`."""
    below = [row for row in rows if row.p_holm < 1 - level]
    return min(below, key=lambda row: (row.p_holm, row.p), default=None)


Looks = tuple[Looked, str, str, Array]
"""A group that is looked at: its kind, subject, bin, and rows of the test samples."""
