"""What the differences of a study say, in words."""

from dataclasses import dataclass
from typing import Any

from mlx.plots.text import PValue, p_text, significant
from mlx.results.comparison import Metric
from mlx.results.study import CellDifference
from mlx.studies.infer import StudyInference
from mlx.studies.values import LOWER_IS_BETTER, UNORDERED

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


@dataclass(frozen=True)
class Verdict:
    """What a study says of two cells by one metric.

    Attributes
    ----------
    outcome
        ``better``, ``worse`` or ``different`` (second than first), ``not shown``, or ``not tested``.
    sentence
        For a reader.
    """

    first: str
    second: str
    metric: Metric
    baseline: bool
    outcome: str
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "first": self.first,
            "second": self.second,
            "metric": str(self.metric),
            "outcome": self.outcome,
            "sentence": self.sentence,
        }


def verdicts(inference: StudyInference, level: float) -> list[Verdict]:
    """Return a verdict for each pair of cells and metric, pairs with the baseline first."""
    rows = sorted(inference.differences, key=lambda row: not row.baseline)
    return [Verdict(row.first, row.second, row.metric, row.baseline, *_of(row, level)) for row in rows]


def _of(row: CellDifference, level: float) -> tuple[str, str]:
    label = LABELS[row.metric]
    pair = f"{row.second} and {row.first}"
    if row.p != row.p or row.low != row.low:
        difference = f" ({_signed(row.difference)})" if row.difference == row.difference else ""
        return "not tested", f"{pair}: the difference of {label}{difference} is not tested: {row.status}."
    interval = f"{100 * row.confidence:.4g} % interval {_signed(row.low)} to {_signed(row.high)}"
    p, family = _adjusted(row)
    evidence = f"({interval}; {p_text(PValue(p))}{family}; {row.question})"
    if p > round(1 - level, 12):
        found = f"{_signed(row.difference)} {evidence}"
        return "not shown", f"{pair}: no difference of {label} is shown: {found}."
    more = "higher" if row.difference > 0 else "lower"
    outcome = _outcome(row)
    by = significant(abs(row.difference))
    judged = "" if outcome == "different" else f", which is {outcome}"
    return outcome, f"{row.second} has a {more} {label} than {row.first}{judged}, by {by} {evidence}."


def _adjusted(row: CellDifference) -> tuple[float, str]:
    """Return the p-value that a verdict goes by, and the family for which it is adjusted."""
    if row.baseline and row.p_holm_baseline == row.p_holm_baseline:
        return row.p_holm_baseline, " adjusted for all comparisons with the baseline"
    return row.p_holm, " adjusted for all pairs"


def _outcome(row: CellDifference) -> str:
    if row.metric in UNORDERED:
        return "different"
    gain = -row.difference if row.metric in LOWER_IS_BETTER else row.difference
    return "better" if gain > 0 else "worse"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{significant(value)}"
