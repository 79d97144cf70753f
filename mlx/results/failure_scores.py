"""Scores of failure: how well each ranks wrong above correct predictions, compared with the maximum probability."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

from mlx.results import columns
from mlx.results.schema import Column, RowSchema
from mlx.stats.status import OK, Status

NAN = float("nan")

MAXIMUM_PROBABILITY = "max_probability"
"""The score that every other one is compared with."""

COMBINATION = "combination"
"""The score that says whether geometry adds to the softmax."""

WhyNoInterval = Annotated[Status, Column("text", "`ok`, or why it or its interval is missing")]


@dataclass(frozen=True, kw_only=True)
class FailureScore:
    """How well one score ranks the errors of the test samples; a number is NaN where a status says why."""

    score: Annotated[str, Column("text", "the score; its values are `score.<score>` in `samples.parquet`")]
    layer: Annotated[str, Column("text", "its layer; empty for a score of the outputs alone")] = ""
    fitted_on: Annotated[
        str, Column("text", "samples that it was fitted on: `none`, `train`, `train and val`, `test without labels`")
    ]
    n: Annotated[int, Column("count", "test samples that have the score")] = 0
    n_errors: Annotated[int, Column("count", "wrong predictions among them")] = 0
    auroc: Annotated[float, Column("share", "area under the ROC curve; 0.5 is chance, higher is better")] = NAN
    auroc_low: columns.Low = NAN
    auroc_high: columns.High = NAN
    auroc_status: WhyNoInterval = OK
    aupr: Annotated[
        float, Column("share", "average precision of errors; the error rate is chance, higher is better")
    ] = NAN
    aupr_low: columns.Low = NAN
    aupr_high: columns.High = NAN
    aupr_status: WhyNoInterval = OK
    fpr95: Annotated[
        float, Column("share", "share of correct predictions rejected where 95 % of the errors are; lower is better")
    ] = NAN
    fpr95_low: columns.Low = NAN
    fpr95_high: columns.High = NAN
    fpr95_status: WhyNoInterval = OK
    aurc: Annotated[float, Column("share", "area under the risk-coverage curve; lower is better")] = NAN
    aurc_low: columns.Low = NAN
    aurc_high: columns.High = NAN
    aurc_status: WhyNoInterval = OK
    eaurc: Annotated[float, Column("share", "its excess over a perfect order; lower is better")] = NAN
    eaurc_low: columns.Low = NAN
    eaurc_high: columns.High = NAN
    eaurc_status: WhyNoInterval = OK
    augrc: Annotated[float, Column("share", "area under the generalized risk curve; lower is better")] = NAN
    augrc_low: columns.Low = NAN
    augrc_high: columns.High = NAN
    augrc_status: WhyNoInterval = OK
    difference: Annotated[
        float, Column("number", "AUROC less that of the maximum probability on the same samples; above 0 is better")
    ] = NAN
    difference_low: columns.Low = NAN
    difference_high: columns.High = NAN
    p: Annotated[float, Column("share", "p-value of no difference")] = NAN
    p_holm: Annotated[float, Column("share", "p adjusted over scores and layers by Holm's method")] = NAN
    p_bh: Annotated[float, Column("share", "p adjusted the same way by Benjamini and Hochberg's method")] = NAN
    difference_status: Annotated[Status, Column("text", "`ok`, or why it or its test is missing")] = OK
    confidence: Annotated[float, Column("share", "level of the intervals")] = NAN
    status: Annotated[Status, Column("text", "`ok`, or why there is no such score; then how many duplicates")] = OK

    @classmethod
    def missing(cls, score: str, layer: str, fitted_on: str, why: Status) -> "FailureScore":
        """Return the row of a score that could not be computed."""
        statuses: dict[str, Any] = {field.name: why for field in fields(cls) if field.name.endswith("status")}
        return cls(score=score, layer=layer, fitted_on=fitted_on, **statuses)


SCORES = RowSchema(
    "scores.csv",
    FailureScore,
    "One row per score of failure and layer. Every score is oriented so that higher means more likely wrong.",
    key=("score", "layer"),
)
