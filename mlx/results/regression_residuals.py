"""The residuals analysis of a regression: its results, and the schemas of its tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from mlx.core.array_types import Array, Floats
from mlx.results import columns
from mlx.results.classification_residuals import FACTORS, FactorEffect
from mlx.results.issues import ISSUE_COUNTS, ISSUES, Issue, IssueCount
from mlx.results.prediction_sets import PREDICTION_SETS, SetCoverage
from mlx.results.regression_intervals import SAMPLE_INTERVALS, SampleIntervals
from mlx.results.regression_summary import RegressionSummary
from mlx.results.schema import ALL, ArraySchema, Column, RowSchema
from mlx.results.tests import TESTS, TestResult
from mlx.stats.status import OK, Status

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


@dataclass(frozen=True)
class RegressionSamples:
    """Residuals of each prediction, each (n_samples,)."""

    index: columns.Index
    y_true: columns.Target
    y_pred: columns.Prediction
    residual: columns.Residual
    abs_residual: Annotated[Floats, Column("number", "its size")]
    standardised: Annotated[Floats, Column("number", "residual less the mean, in standard deviations")]
    normal_quantile: Annotated[Floats, Column("number", "where its rank would stand in a normal sample (Blom 1958)")]
    leverage: Annotated[
        Floats,
        Column("number", "`x(XᵀX)⁻¹xᵀ` in the training design of a linear regression; missing for other models"),
    ]
    prediction_low: Annotated[Floats, Column("number", "lower end of the interval of a new target at the sample")]
    prediction_high: Annotated[Floats, Column("number", "upper end of that interval")]


REGRESSION_SAMPLES = ArraySchema("samples.parquet", RegressionSamples, "One row per test sample.", key=("index",))


@dataclass(frozen=True)
class RegressionScatter:
    """Samples evenly thinned, for ``dvc plots``, each (n,)."""

    index: columns.Index
    y_true: columns.Target
    y_pred: columns.Prediction
    residual: columns.Residual


REGRESSION_SCATTER = ArraySchema(
    "scatter.csv", RegressionScatter, "One row per sample that `dvc plots` draws, at most 2000."
)


@dataclass(frozen=True)
class Coefficient:
    """One coefficient of a linear regression, in units of y per unit of the model's input."""

    feature: Annotated[str, Column("text", "`intercept`, or the feature: its name, or number in the input")]
    coefficient: Annotated[float, Column("number", "in units of y per unit of the input")]
    standard_error: Annotated[float, Column("number", "its standard error")] = NAN
    low: columns.Low = NAN
    high: columns.High = NAN
    status: Annotated[Status, Column("text", "`ok`, or why the standard error is missing")] = OK


COEFFICIENTS = RowSchema(
    "coefficients.csv",
    Coefficient,
    "One row per coefficient of a linear regression; no row for another regression.",
    key=("feature",),
)


@dataclass(frozen=True, kw_only=True)
class RegressionSlice:
    """Samples that share conditions on factors, as measured on the half that did not choose them."""

    description: Annotated[str, Column("text", "conditions on factors")]
    n: Annotated[int, Column("count", "samples of the measuring half")]
    abs_residual_mean: Annotated[float, Column("number", "their mean absolute residual, in units of y")] = NAN
    low: Annotated[float, Column("number", "lower end of its interval")] = NAN
    high: Annotated[float, Column("number", "upper end of its interval")] = NAN
    n_rest: Annotated[int, Column("count", "samples of the rest of that half")] = 0
    rest_abs_residual_mean: Annotated[float, Column("number", "mean absolute residual in the rest of that half")] = NAN
    p: Annotated[float, Column("share", "p-value of absolute residuals that are no larger than in the rest")] = NAN
    p_holm: Annotated[float, Column("share", "p adjusted over the slices by Holm's method")] = NAN
    abs_residual_mean_found: Annotated[
        float, Column("number", "mean in the half that chose the slice: too large, as it was chosen for it")
    ]
    status: Annotated[Status, Column("text", "`ok`, or what is missing and why")] = OK


REGRESSION_SLICES = RowSchema(
    "slices.csv",
    RegressionSlice,
    "One row per slice with large residuals, largest first by the half that chose them.",
    key=("description", "n", "abs_residual_mean_found"),
)


@dataclass(frozen=True)
class RegressionResiduals:
    """The residuals analysis of a regression.

    Attributes
    ----------
    samples
        Residuals of each prediction. ``standardised`` is NaN where all residuals are the same or there is one sample;
        leverage and prediction intervals without the training design of a linear regression.
    coefficients
        One a coefficient; none without a training design.
    summary
        What the residuals look like together.
    sample_factors
        What is known of each sample, (n_samples,) by the name of the factor; may be empty.
    factors, slices, tests
        What the factors have to do with the residuals, the slices with the largest, and the tests of both.
    issues, issue_counts
        Samples to look at, of every recorded part of the data, and how many of each kind there are.
    prediction_sets, sample_intervals
        Whom the prediction intervals cover, and those of each sample by the suffix of their columns; empty without
        recorded validation samples.
    """

    samples: RegressionSamples
    coefficients: tuple[Coefficient, ...]
    summary: RegressionSummary
    sample_factors: Mapping[str, Array] = field(default_factory=dict)
    factors: tuple[FactorEffect, ...] = ()
    slices: tuple[RegressionSlice, ...] = ()
    tests: tuple[TestResult, ...] = ()
    issues: tuple[Issue, ...] = ()
    issue_counts: tuple[IssueCount, ...] = ()
    prediction_sets: tuple[SetCoverage, ...] = ()
    sample_intervals: tuple[tuple[str, SampleIntervals], ...] = ()

    def sample_frame(self, rows: slice = ALL) -> "pd.DataFrame":
        """Return the table of samples, with their factors."""
        import pandas as pd

        factors = pd.DataFrame({f"factor.{name}": values[rows] for name, values in self.sample_factors.items()})
        intervals = [SAMPLE_INTERVALS.frame(one, suffix=suffix, rows=rows) for suffix, one in self.sample_intervals]
        return pd.concat([REGRESSION_SAMPLES.frame(self.samples, rows=rows), *intervals, factors], axis=1)


REGRESSION_TABLES: Mapping[str, RowSchema[Any]] = {
    schema.name: schema
    for schema in (TESTS, FACTORS, REGRESSION_SLICES, COEFFICIENTS, ISSUES, ISSUE_COUNTS, PREDICTION_SETS)
}
"""The tables of rows, by their names, which are those of the fields that hold the rows."""
