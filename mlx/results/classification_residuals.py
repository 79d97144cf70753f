"""The residuals analysis of a classifier: its results, and the schemas of its tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from mlx.core.array_types import Array, Floats
from mlx.results import columns
from mlx.results.failure_scores import SCORES, FailureScore
from mlx.results.issues import ISSUE_COUNTS, ISSUES, Issue, IssueCount
from mlx.results.prediction_sets import PREDICTION_SETS, SAMPLE_SETS, SampleSets, SetCoverage
from mlx.results.probes import PROBES, LayerReadout
from mlx.results.questions import FactorTarget, Score, Statistic
from mlx.results.sample_scores import LAYER_SAMPLES, SAMPLES, LayerSamples, SampleScores
from mlx.results.schema import ALL, ArraySchema, Column, RowSchema
from mlx.results.tests import TESTS, TestResult
from mlx.stats.status import OK, ClassStatus

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")

CorrelationP = Annotated[float, Column("share", "its p-value")]
CorrelationPermutations = Annotated[int, Column("count", "permutations drawn for it")]
CorrelationHolm = Annotated[float, Column("share", "p adjusted over classes, statistics and layers by Holm's method")]
CorrelationBH = Annotated[
    float, Column("share", "p adjusted over classes, statistics and layers by Benjamini and Hochberg's method")
]


@dataclass(frozen=True, kw_only=True)
class ClassSummary:
    """One predicted class in one layer: counts, error rate, similarity, entropy and their correlation."""

    label: columns.ClassLabel
    name: columns.ClassName
    layer: columns.Layer
    n_predicted: Annotated[int, Column("count", "samples predicted as the class")]
    n_true: Annotated[int, Column("count", "samples of the class")]
    n_correct: Annotated[int, Column("count", "samples that are both")]
    error_rate: Annotated[float, Column("share", "share of wrong predictions among the predicted")] = NAN
    similarity_mean: Annotated[float, Column("number", "mean similarity of the predicted")] = NAN
    similarity_sd: columns.Sd = NAN
    entropy_mean: Annotated[float, Column("number", "mean entropy of the predicted, in nats")] = NAN
    entropy_sd: columns.Sd = NAN
    pearson: Annotated[float, Column("number", "correlation of similarity and entropy in the class")] = NAN
    pearson_low: columns.Low = NAN
    pearson_high: columns.High = NAN
    pearson_p: CorrelationP = NAN
    pearson_permutations: CorrelationPermutations = 0
    pearson_p_holm: CorrelationHolm = NAN
    pearson_p_bh: CorrelationBH = NAN
    spearman: Annotated[float, Column("number", "the same correlation of ranks")] = NAN
    spearman_low: columns.Low = NAN
    spearman_high: columns.High = NAN
    spearman_p: CorrelationP = NAN
    spearman_permutations: CorrelationPermutations = 0
    spearman_p_holm: CorrelationHolm = NAN
    spearman_p_bh: CorrelationBH = NAN
    status: Annotated[ClassStatus, columns.STATUS]


CLASSES = RowSchema(
    "classes.csv",
    ClassSummary,
    "One row per predicted class and layer, always all classes.",
    ("layer", "class"),
    filled=True,
)


@dataclass(frozen=True, kw_only=True)
class FactorEffect:
    """What one factor has to do with one target; or the error rate in one part of the factor, which `bin` names."""

    factor: Annotated[str, Column("text", "the factor")]
    kind: Annotated[str, Column("text", "numeric, boolean or categorical")]
    target: Annotated[FactorTarget, Column("text", "what the factor is related to")]
    statistic: Annotated[Statistic, Column("text", "how")]
    bin: Annotated[str, Column("text", "part of the factor, where the row is about one")] = ""
    lower: Annotated[float, Column("limit", "smallest value in the part")] = NAN
    upper: Annotated[float, Column("limit", "largest value in the part")] = NAN
    estimate: Annotated[float, Column("number", "effect, or error rate of the part")] = NAN
    low: columns.Low = NAN
    high: columns.High = NAN
    method: Annotated[str, Column("text", "how the interval was obtained")] = ""
    p: Annotated[float, Column("share", "p-value of no effect")] = NAN
    null: columns.Null = ""
    p_method: columns.PMethod = ""
    n_permutations: columns.Permutations = 0
    p_holm: Annotated[float, Column("share", "p adjusted over the factors by Holm's method")] = NAN
    p_bh: Annotated[float, Column("share", "p adjusted over the factors by Benjamini and Hochberg's method")] = NAN
    n: Annotated[int, Column("count", "samples")]
    n_errors: Annotated[int | None, Column("number", "wrong predictions in the part", dtype="Int64")] = None
    n_missing: Annotated[int | None, Column("number", "samples without a value of the factor", dtype="Int64")] = None
    entropy_mean: Annotated[float, Column("number", "mean entropy in the part, in nats")] = NAN
    similarity_mean: Annotated[float, Column("number", "mean similarity in the part")] = NAN
    status: columns.RowStatus = OK


FACTORS = RowSchema(
    "factors.csv",
    FactorEffect,
    "One row per factor and target, then one row per part of each factor.",
    key=("factor", "target", "statistic", "bin", "lower", "upper"),
)


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Samples that share conditions on factors, as measured on the half that did not choose them."""

    description: Annotated[str, Column("text", "conditions on factors")]
    n: Annotated[int, Column("count", "samples of the measuring half")]
    n_errors: Annotated[int, Column("count", "wrong predictions among them")]
    error_rate: Annotated[float, Column("share", "their share")] = NAN
    low: Annotated[float, Column("share", "lower end of its Wilson interval")] = NAN
    high: Annotated[float, Column("share", "upper end of its Wilson interval")] = NAN
    n_rest: Annotated[int, Column("count", "samples of the rest of that half")] = 0
    rest_error_rate: Annotated[float, Column("share", "share of wrong predictions in the rest of that half")] = NAN
    p: Annotated[float, Column("share", "p-value of the slice being no worse than the rest")] = NAN
    p_holm: Annotated[float, Column("share", "p adjusted over the slices by Holm's method")] = NAN
    error_rate_found: Annotated[
        float, Column("share", "share in the half that chose the slice: too high, as it was chosen for it")
    ]
    status: columns.RowStatus = OK


SLICES = RowSchema(
    "slices.csv",
    Slice,
    "One row per weak slice, weakest first by the half that chose them.",
    key=("description", "n", "n_errors", "error_rate_found"),
)


@dataclass(frozen=True)
class CurvePoint:
    """One point of a risk–coverage curve."""

    score: Annotated[Score, Column("text", "what the samples are ordered by")]
    layer: Annotated[str, Column("text", "its layer, where it has one")]
    coverage: Annotated[float, Column("share", "share of samples kept")]
    risk: Annotated[float, Column("share", "expected share of wrong predictions among them; lower is better")]
    threshold: Annotated[float, Column("number", "largest score among them")]


RISK_COVERAGE = RowSchema(
    "risk_coverage.csv",
    CurvePoint,
    "One row per point of a score's risk-coverage curve.",
    key=("score", "layer", "coverage"),
    filled=True,
)


@dataclass(frozen=True)
class TemperaturePoint:
    """What dividing the logits by one temperature does."""

    temperature: Annotated[float, Column("number", "divisor of the logits")]
    log_loss: Annotated[float, Column("limit", "log loss in nats; missing where it is infinite")]
    entropy_mean: Annotated[float, Column("number", "mean entropy of all predictions, in nats")]
    entropy_correct: Annotated[float, Column("number", "mean entropy of the correct ones")]
    entropy_wrong: Annotated[float, Column("number", "mean entropy of the wrong ones")]
    error_auroc: Annotated[float, Column("number", "how well entropy ranks errors above correct predictions")]
    status: columns.RowStatus = OK


TEMPERATURE = RowSchema(
    "temperature.csv", TemperaturePoint, "One row per temperature, rising.", ("temperature",), filled=True
)


@dataclass(frozen=True)
class MatrixSummary:
    """Which file holds the similarities within one predicted class of one layer."""

    layer: columns.Layer
    label: columns.ClassLabel
    name: columns.ClassName
    n: Annotated[int, Column("count", "samples of the class that have a direction")]
    n_rows: Annotated[int, Column("count", "rows of the matrix")]
    rows: Annotated[str, Column("text", "what a row stands for")]
    file: Annotated[str, Column("text", "file in `similarity/`")]
    status: columns.RowStatus = OK


SIMILARITY = RowSchema(
    "similarity.csv", MatrixSummary, "One row per layer and predicted class.", key=("layer", "class"), filled=True
)


@dataclass(frozen=True)
class Scatter:
    """Samples evenly thinned, for ``dvc plots``: similarity in the first layer against entropy, each (n,)."""

    index: columns.Index
    similarity: Annotated[Floats, Column("number", "as in `samples.parquet`")]
    entropy: Annotated[Floats, Column("number", "as in `samples.parquet`")]
    actual: Annotated[Array, Column("text", "name of the class")]
    predicted: Annotated[Array, Column("text", "name of the predicted class")]
    outcome: Annotated[Array, Column("text", "whether they agree: correct or wrong")]


SCATTER = ArraySchema("scatter.csv", Scatter, "One row per sample that `dvc plots` draws.")

Headline = dict[str, float | int | str | None]


@dataclass(frozen=True, kw_only=True)
class ClassificationResiduals:
    """The residuals analysis of a classifier.

    Attributes
    ----------
    samples
        Scores of each prediction.
    layers
        Where each sample stands in each layer, by its name; the first is the headline's.
    sample_factors
        What is known of each sample, (n_samples,) by the name of the factor; may be empty.
    classes
        One a class and layer, always all classes.
    tests
        Every test made or not makeable.
    factors, slices
        What the factors have to do with errors, and the weakest slices; empty where no factors are known.
    risk_coverage
        Points of the risk–coverage curves.
    temperature
        Entropies at different temperatures.
    similarity, matrices
        Which matrix of similarities a class has, and the matrices by their file names.
    issues, issue_counts
        Samples to look at, of every recorded part of the data, and how many of each kind there are.
    prediction_sets, sample_sets
        Whom the prediction sets cover, and the set of each sample by the suffix of its columns; empty without recorded
        validation samples.
    scores
        How well each score of failure ranks errors.
    failure_scores
        By the name of its column after ``score.``, (n_samples,) each.
    probes
        Linear probe and neural collapse of each layer.
    headline
        JSON scalars of the first layer; None where undefined.
    """

    samples: SampleScores
    layers: Mapping[str, LayerSamples]
    sample_factors: Mapping[str, Array] = field(default_factory=dict)
    classes: tuple[ClassSummary, ...]
    tests: tuple[TestResult, ...]
    factors: tuple[FactorEffect, ...] = ()
    slices: tuple[Slice, ...] = ()
    risk_coverage: tuple[CurvePoint, ...]
    temperature: tuple[TemperaturePoint, ...]
    similarity: tuple[MatrixSummary, ...]
    matrices: Mapping[str, Floats]
    issues: tuple[Issue, ...] = ()
    issue_counts: tuple[IssueCount, ...] = ()
    prediction_sets: tuple[SetCoverage, ...] = ()
    sample_sets: tuple[tuple[str, SampleSets], ...] = ()
    scores: tuple[FailureScore, ...] = ()
    failure_scores: Mapping[str, Floats] = field(default_factory=dict)
    probes: tuple[LayerReadout, ...] = ()
    headline: Headline

    def frames(self) -> "dict[str, pd.DataFrame]":
        """Return every table by its name."""
        return {"samples": self.sample_frame()} | {n: schema.frame(getattr(self, n)) for n, schema in TABLES.items()}

    def sample_frame(self, rows: slice = ALL) -> "pd.DataFrame":
        """Return the table of samples: the layers after the first with their name as a suffix, scores, and factors."""
        import pandas as pd

        suffixes = ["", *(f".{name}" for name in list(self.layers)[1:])]
        frames = [
            LAYER_SAMPLES.frame(layer, suffix=end, rows=rows)
            for end, layer in zip(suffixes, self.layers.values(), strict=True)
        ]
        scores = pd.DataFrame({f"score.{name}": values[rows] for name, values in self.failure_scores.items()})
        factors = pd.DataFrame({f"factor.{name}": values[rows] for name, values in self.sample_factors.items()})
        sets = [SAMPLE_SETS.frame(one, suffix=suffix, rows=rows) for suffix, one in self.sample_sets]
        return pd.concat([SAMPLES.frame(self.samples, rows=rows), *frames, *sets, scores, factors], axis=1)


TABLES: Mapping[str, RowSchema[Any]] = {
    schema.name: schema
    for schema in (
        CLASSES, TESTS, FACTORS, SLICES, RISK_COVERAGE, SCORES, TEMPERATURE, SIMILARITY, ISSUES, ISSUE_COUNTS,
        PREDICTION_SETS, PROBES,
    )
}  # fmt: skip
"""The tables of rows, by their names, which are those of the fields that hold the rows."""
