"""The results of a comparison of runs: which test samples are shared, and what two models reach on them."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf

from mlx.stats.status import OK, Status

NAN = float("nan")


class Metric(StrEnum):
    """What is compared, under its key in ``evaluation.json`` or ``residuals.json`` where it has one.

    The tests of one metric are adjusted together (Holm). The first metric of a task is the primary one.
    """

    ACCURACY = "accuracy"
    LOG_LOSS = "log_loss"
    BRIER = "brier"
    ROC_AUC = "roc_auc"
    ERROR_AUROC = "error_auroc_entropy"
    ERROR_AURC = "error_aurc_entropy"
    ERROR_AUGRC = "error_augrc_entropy"
    PEARSON_WITHIN = "pearson_within"
    ECE = "ece"
    MAE = "mae"
    RMSE = "rmse"
    R2 = "r2"


PRIMARY = frozenset({Metric.ACCURACY, Metric.MAE})
OF_REGRESSION = frozenset({Metric.MAE, Metric.RMSE, Metric.R2})


def metrics_of(task: str) -> list[Metric]:
    """Return the metrics of a task, the primary one first."""
    return [metric for metric in Metric if (metric in OF_REGRESSION) == (task == "regression")]


LABELS = {
    Metric.ACCURACY: "accuracy",
    Metric.LOG_LOSS: "log loss",
    Metric.BRIER: "Brier score",
    Metric.ROC_AUC: "mean AUROC of the classes",
    Metric.ERROR_AUROC: "AUROC of errors",
    Metric.ERROR_AURC: "AURC",
    Metric.ERROR_AUGRC: "AUGRC",
    Metric.PEARSON_WITHIN: "correlation of similarity and entropy",
    Metric.ECE: "ECE",
    Metric.MAE: "mean absolute error",
    Metric.RMSE: "RMSE",
    Metric.R2: "R²",
}
"""Its name in tables and on the page."""

LOWER_IS_BETTER = frozenset(
    {
        Metric.LOG_LOSS,
        Metric.BRIER,
        Metric.ERROR_AURC,
        Metric.ERROR_AUGRC,
        Metric.ECE,
        Metric.MAE,
        Metric.RMSE,
    }
)
UNORDERED = frozenset({Metric.PEARSON_WITHIN})
"""Metrics of which neither more nor less is better."""

RANGES = {
    **dict.fromkeys(Metric, (0.0, 1.0)),
    Metric.BRIER: (0.0, 2.0),
    Metric.ERROR_AUGRC: (0.0, 0.5),
    Metric.PEARSON_WITHIN: (-1.0, 1.0),
    **dict.fromkeys((Metric.LOG_LOSS, Metric.MAE, Metric.RMSE), (0.0, inf)),
    Metric.R2: (-inf, 1.0),
}
"""The least and the greatest value that a metric may have."""

NULLS = {
    Metric.ACCURACY: "both models have the same accuracy",
    Metric.LOG_LOSS: "both models have the same log loss",
    Metric.BRIER: "both models have the same Brier score",
    Metric.ROC_AUC: "both models have the same mean area under the ROC curves of the classes",
    Metric.ERROR_AUROC: "the entropy of either model ranks its own errors equally well (AUROC)",
    Metric.ERROR_AURC: "both models have the same area under the risk-coverage curve by entropy (AURC)",
    Metric.ERROR_AUGRC: "both models have the same area under the generalized risk-coverage curve by entropy (AUGRC)",
    Metric.PEARSON_WITHIN: "similarity and entropy correlate equally within the predicted classes of both models",
    Metric.ECE: "",
    Metric.MAE: "both models have the same mean absolute error",
    Metric.RMSE: "both models have the same root mean square error",
    Metric.R2: "both models have the same R²",
}
"""What a p-value is about, on samples like the shared ones; ECE has none."""


@dataclass(frozen=True, kw_only=True)
class SharedSamples:
    """The test samples of two runs, identified by their rows in the raw data.

    Attributes
    ----------
    first, second
        Ids of the runs.
    n_first, n_second
        Test samples of each.
    n_shared
        Test samples of both; the others are not used.
    n_trained
        Shared ones that either model was trained on, which are not used.
    n
        Samples that the two are compared on.
    n_groups
        Groups of them that are independent, by ``residuals.groups`` of the first run; None where each is its own.
    n_duplicates
        Exact duplicates among them of an earlier one: same representation and output of both models.
    status
        `OK`, that the test sets differ, or why there is no sample to compare on.
    """

    first: str
    second: str
    n_first: int = 0
    n_second: int = 0
    n_shared: int = 0
    n_trained: int = 0
    n: int = 0
    n_groups: int | None = None
    n_duplicates: int = 0
    status: Status = OK


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """A metric of two models on the test samples that they share; a number is NaN where ``status`` says why.

    Attributes
    ----------
    first, second
        Ids of the runs.
    metric
        What is compared; None where the runs share no sample.
    primary
        Whether it is the test of the comparison; all others are secondary.
    estimate_first, estimate_second
        The metric of each model.
    difference
        Second minus first.
    low, high, confidence
        Ends of the interval of the difference, and its level.
    method
        How interval and p-value were obtained.
    p
        Two-sided p-value of ``null``; below one less the level exactly where the interval excludes 0.
    p_holm
        Adjusted for all further runs that are compared with the first by this metric.
    low_holm, high_holm, confidence_holm
        Interval at the level by which the verdict goes, and the level: it excludes 0 exactly where ``p_holm`` is at
        most one less ``confidence``.
    null
        What the p-value is about.
    n
        Samples.
    status
        `OK`, or what is missing and why.
    """

    first: str
    second: str
    metric: Metric | None = None
    primary: bool = False
    estimate_first: float = NAN
    estimate_second: float = NAN
    difference: float = NAN
    low: float = NAN
    high: float = NAN
    confidence: float = NAN
    method: str = ""
    p: float = NAN
    p_holm: float = NAN
    low_holm: float = NAN
    high_holm: float = NAN
    confidence_holm: float = NAN
    null: str = ""
    n: int = 0
    status: Status = OK
