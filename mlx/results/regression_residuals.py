"""The residuals analysis of a regression: its results, and the schemas of its tables."""

from dataclasses import dataclass
from typing import Annotated

from mlx.core.array_types import Array, Floats
from mlx.results.schema import ArraySchema, Column, RowSchema
from mlx.stats.status import OK, Status

NAN = float("nan")


@dataclass(frozen=True)
class RegressionSamples:
    """Residuals of each prediction, each (n_samples,)."""

    index: Annotated[Array, Column("count", "row in the raw data")]
    y_true: Annotated[Floats, Column("number", "target")]
    y_pred: Annotated[Floats, Column("number", "prediction")]
    residual: Annotated[Floats, Column("number", "true less predicted, in units of y")]
    abs_residual: Annotated[Floats, Column("number", "its size")]
    standardised: Annotated[Floats, Column("number", "residual less the mean, in standard deviations")]
    normal_quantile: Annotated[Floats, Column("number", "where its rank would stand in a normal sample (Blom 1958)")]
    leverage: Annotated[
        Floats,
        Column("number", "`x(XᵀX)⁻¹xᵀ` in the training design of a linear regression; missing for other models"),
    ]
    prediction_low: Annotated[Floats, Column("number", "lower end of the interval of a new target at the sample")]
    prediction_high: Annotated[Floats, Column("number", "upper end of that interval")]


REGRESSION_SAMPLES = ArraySchema("samples.parquet", RegressionSamples, "A row a test sample.")


@dataclass(frozen=True)
class Coefficient:
    """One coefficient of a linear regression, in units of y per unit of the model's input."""

    feature: Annotated[str, Column("text", "`intercept`, or the number of the feature in the model's input")]
    coefficient: Annotated[float, Column("number", "in units of y per unit of the input")]
    standard_error: Annotated[float, Column("number", "its standard error")] = NAN
    low: Annotated[float, Column("number", "lower end of its interval")] = NAN
    high: Annotated[float, Column("number", "upper end of its interval")] = NAN
    status: Annotated[Status, Column("text", "`ok`, or why the standard error is missing")] = OK


COEFFICIENTS = RowSchema(
    "coefficients.csv", Coefficient, "A row a coefficient of a linear regression; no row for another regression."
)
