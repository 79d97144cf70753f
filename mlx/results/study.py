"""What a study finds: the metrics of its cells, their differences, and how they vary; a table for each.

A cell is a recipe: everything that a configuration says but the seeds. Its runs differ in their seeds alone.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from mlx.results import columns
from mlx.results.comparison import Metric
from mlx.results.schema import Column, RowSchema
from mlx.stats.status import OK

NAN = float("nan")


class Question(StrEnum):
    """What an interval is about: what would be drawn again if the study were repeated."""

    MODEL = "this model, other samples"
    TEST_SET = "this test set, other seeds"
    RECIPE = "this recipe, other seeds and samples"
    SPLITS = "this recipe, other splits of these data"
    DATA = "this recipe, other data"


CellName = Annotated[str, Column("text", "name of the cell")]
MetricName = Annotated[Metric, Column("text", "what is measured, under its key in `evaluation.json`")]
Asked = Annotated[Question, Column("text", "what the interval is about")]
Level = Annotated[float, Column("share", "level of the interval")]
Method = Annotated[str, Column("text", "how the interval was obtained, and whether it is conservative")]
Seeds = Annotated[int, Column("count", "runs, each with a seed of its own")]
Samples = Annotated[int, Column("count", "test samples that all runs share; 0 where each has others")]


@dataclass(frozen=True, kw_only=True)
class CellEstimate:
    """A metric of a cell; a number is NaN where ``status`` says why."""

    cell: CellName
    metric: MetricName
    question: Asked
    estimate: Annotated[float, Column("number", "mean over the runs")] = NAN
    low: columns.Low = NAN
    high: columns.High = NAN
    confidence: Level = NAN
    method: Method = ""
    sd: Annotated[float, Column("number", "standard deviation between the runs")] = NAN
    least: Annotated[float, Column("number", "least of the runs")] = NAN
    greatest: Annotated[float, Column("number", "greatest of the runs")] = NAN
    rank: Annotated[int, Column("count", "place among the cells by the estimate, 1 the best; 0 where not ranked")] = 0
    rank_best: Annotated[int, Column("count", "best place that the tests of all pairs leave open")] = 0
    rank_worst: Annotated[int, Column("count", "worst place that the tests of all pairs leave open")] = 0
    n_seeds: Seeds = 0
    n_samples: Samples = 0
    status: columns.RowStatus = OK


@dataclass(frozen=True, kw_only=True)
class CellDifference:
    """A difference of a metric between two cells, second minus first; a number is NaN where ``status`` says why."""

    first: Annotated[str, Column("text", "name of a cell; the baseline where one of both is it")]
    second: Annotated[str, Column("text", "name of another cell")]
    metric: MetricName
    question: Asked
    baseline: Annotated[bool, Column("flag", "whether the first is the baseline of the study")] = False
    estimate_first: Annotated[float, Column("number", "mean over the runs of the first")] = NAN
    estimate_second: Annotated[float, Column("number", "mean over the runs of the second")] = NAN
    difference: Annotated[float, Column("number", "second minus first")] = NAN
    low: columns.Low = NAN
    high: columns.High = NAN
    confidence: Level = NAN
    method: Method = ""
    p: Annotated[float, Column("share", "p-value of a difference of 0, two-sided")] = NAN
    p_holm: Annotated[float, Column("share", "the same, adjusted for all pairs of cells (Holm)")] = NAN
    p_holm_baseline: Annotated[
        float, Column("share", "the same, adjusted for the comparisons with the baseline alone; missing for others")
    ] = NAN
    low_holm: Annotated[
        float,
        Column("number", "lower end at the level by which the verdict goes: it excludes 0 where the adjusted p does"),
    ] = NAN
    high_holm: Annotated[float, Column("number", "upper end at this level")] = NAN
    confidence_holm: Annotated[
        float, Column("share", "this level, of the comparisons with the baseline for these, else of all pairs")
    ] = NAN
    n_seeds_first: Seeds = 0
    n_seeds_second: Seeds = 0
    n_samples: Samples = 0
    status: columns.RowStatus = OK


@dataclass(frozen=True, kw_only=True)
class VarianceComponents:
    """How a metric of a cell, or the difference of two, varies; a number is NaN where ``status`` says why.

    The variance of the mean over S seeds and n samples is var_seed/S + var_sample/n + var_rest/(S·n).
    """

    cell: CellName
    against: Annotated[str, Column("text", "cell that it is compared with; empty for the cell by itself")] = ""
    metric: MetricName
    estimate: Annotated[float, Column("number", "the metric, or the difference: cell minus the other")] = NAN
    var_seed: Annotated[float, Column("number", "variance by seeds, as estimated, which may be below 0")] = NAN
    var_sample: Annotated[float, Column("number", "variance by samples, as estimated, which may be below 0")] = NAN
    var_rest: Annotated[float, Column("number", "variance of the rest, by seed and sample")] = NAN
    share_seed: Annotated[float, Column("share", "share of the seeds in the variance of the estimate")] = NAN
    half_width: Annotated[float, Column("number", "half of the interval, as it is")] = NAN
    half_width_twice_seeds: Annotated[float, Column("number", "about what it would be with twice the seeds")] = NAN
    half_width_twice_samples: Annotated[float, Column("number", "about what it would be with twice the samples")] = NAN
    detectable: Annotated[
        float, Column("number", "smallest difference found with a chance of 80 %, adjusted for all pairs; of two cells")
    ] = NAN
    detectable_at_upper_seed: Annotated[
        float, Column("number", "the same with the upper 80 % limit of the variance by seeds")
    ] = NAN
    floor_seed: Annotated[float, Column("number", "standard error that no number of samples takes away")] = NAN
    floor_sample: Annotated[float, Column("number", "standard error that no number of seeds takes away")] = NAN
    n_seeds: Annotated[int, Column("count", "runs of the cell; of two, the smaller number")] = 0
    n_samples: Samples = 0
    status: columns.RowStatus = OK


CELLS = RowSchema("cells.csv", CellEstimate, "One row per cell, metric and question.", ("cell", "metric", "question"))
DIFFERENCES = RowSchema(
    "differences.csv", CellDifference, "One row per pair of cells and metric.", ("first", "second", "metric")
)
VARIANCE = RowSchema(
    "variance.csv",
    VarianceComponents,
    "One row per cell and metric, and per pair of cells and metric.",
    ("cell", "against", "metric"),
)


@dataclass(frozen=True, kw_only=True)
class StudyRun:
    """A run of a study; a metric is NaN where it is undefined, or the run failed."""

    run: Annotated[str, Column("text", "name of the run's folder, in that of the study")]
    cell: CellName
    seed: Annotated[int, Column("count", "seed of what the study varies; of cross-validation, the repetition")]
    fold: Annotated[int, Column("count", "fold, from 1; 0 without cross-validation")] = 0
    status: Annotated[str, Column("text", "`finished` or `failed`")] = "finished"
    reason: Annotated[str, Column("text", "why it failed")] = ""
    accuracy: Annotated[float, Column("number", "accuracy")] = NAN
    log_loss: Annotated[float, Column("number", "log loss, in nats")] = NAN
    brier: Annotated[float, Column("number", "Brier score")] = NAN
    roc_auc: Annotated[float, Column("number", "mean area under the ROC curves of the classes")] = NAN
    error_auroc_entropy: Annotated[float, Column("number", "AUROC of errors by entropy")] = NAN
    error_aurc_entropy: Annotated[float, Column("number", "area under the risk-coverage curve by entropy")] = NAN
    error_augrc_entropy: Annotated[float, Column("number", "area under the generalized risk-coverage curve")] = NAN
    pearson_within: Annotated[float, Column("number", "correlation of similarity and entropy within class")] = NAN
    ece: Annotated[float, Column("number", "expected calibration error, in bins of equal width")] = NAN
    mae: Annotated[float, Column("number", "mean absolute error")] = NAN
    rmse: Annotated[float, Column("number", "root mean square error")] = NAN
    r2: Annotated[float, Column("number", "coefficient of determination")] = NAN


@dataclass(frozen=True, kw_only=True)
class StudyTrial:
    """A configuration that the search of a study tried."""

    cell: CellName
    trial: Annotated[int, Column("count", "number in its cell, from 1")]
    run: Annotated[str, Column("text", "name of the run's folder, in that of the study")]
    score: Annotated[float, Column("number", "metric of the search, on the validation samples")] = NAN
    chosen: Annotated[bool, Column("flag", "whether the cell has these values")] = False
    values: Annotated[str, Column("text", "values by key, as JSON")] = ""
    reason: Annotated[str, Column("text", "why it failed")] = ""


@dataclass(frozen=True, kw_only=True)
class EnsembleEstimate:
    """What an ensemble of the runs of a cell reaches, for *this model, other samples*; NaN where ``status`` says why.

    The ensemble predicts the class with the largest mean probability of the runs.
    """

    cell: CellName
    quantity: Annotated[
        str,
        Column(
            "text",
            "a metric, or `error_auroc_` and a score of failure, `mutual_information` or `disagreement`",
        ),
    ]
    estimate: Annotated[float, Column("number", "of the ensemble")] = NAN
    low: columns.Low = NAN
    high: columns.High = NAN
    confidence: Level = NAN
    method: Method = ""
    mean_of_runs: Annotated[float, Column("number", "mean of the runs by themselves, of a metric that they have")] = NAN
    n_models: Annotated[int, Column("count", "runs that it is made of")] = 0
    n_samples: Annotated[int, Column("count", "test samples")] = 0
    status: columns.RowStatus = OK


RUNS = RowSchema("runs.csv", StudyRun, "One row per run of a cell.", ("run",))
TRIALS = RowSchema("trials.csv", StudyTrial, "One row per trial of a search.", ("run",))
ENSEMBLES = RowSchema(
    "ensembles.csv",
    EnsembleEstimate,
    "One row per cell of a classification with runs that differ, and quantity.",
    ("cell", "quantity"),
)
