"""Prediction intervals of the samples of a regression."""

from dataclasses import dataclass
from typing import Annotated

from mlx.core.array_types import Floats
from mlx.results.schema import ArraySchema, Column


@dataclass(frozen=True)
class SampleIntervals:
    """Prediction intervals of each sample of a regression, each (n_samples,); missing where there are none."""

    interval_low: Annotated[Floats, Column("number", "lower end of the conformal interval by absolute residuals")]
    interval_high: Annotated[Floats, Column("number", "its upper end")]
    interval_low_normalized: Annotated[Floats, Column("number", "lower end of the one by normalized residuals")]
    interval_high_normalized: Annotated[Floats, Column("number", "its upper end")]


SAMPLE_INTERVALS = ArraySchema(
    "samples.parquet",
    SampleIntervals,
    "Conformal intervals for the first of `residuals.conformal.alpha`; for a further one with it as a suffix.",
)
