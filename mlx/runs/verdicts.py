"""What the difference of two models, or of two recipes, says in words."""

from dataclasses import dataclass
from typing import Any

from mlx.plots.text import PValue, p_text, significant
from mlx.results.comparison import LABELS, LOWER_IS_BETTER, UNORDERED, Metric, PairedTest
from mlx.stats.status import Reason, Status

QUESTION = "these models, other samples"


@dataclass(frozen=True)
class Verdict:
    """What is said of two models, or cells of a study, by one metric.

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


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The numbers that a verdict goes by.

    Attributes
    ----------
    difference
        Second minus first; NaN where it is undefined.
    low, high, confidence
        Interval at the level at which the test is decided, so that it excludes 0 exactly where ``p`` is at most
        ``alpha``; NaN where there is none.
    p, family
        Adjusted p-value, and what it is adjusted for, such as " adjusted for all pairs".
    alpha
        Level of the test.
    question
        What the interval is about.
    status
        Why there is no test.
    """

    difference: float
    low: float
    high: float
    confidence: float
    p: float
    family: str
    alpha: float
    question: str
    status: Status


def verdict_of(first: str, second: str, metric: Metric, found: Evidence, *, baseline: bool = True) -> Verdict:
    """Say whether the second differs from the first, and by how much."""
    return Verdict(first, second, metric, baseline, *_said(first, second, metric, found))


def compared(test: PairedTest, n_compared: int) -> Verdict:
    """Say what a paired test of two runs found, of as many runs as are compared with the first one."""
    assert test.metric is not None, "a test"
    evidence = Evidence(
        difference=test.difference,
        low=test.low_holm,
        high=test.high_holm,
        confidence=test.confidence_holm,
        p=test.p_holm,
        family=f" adjusted for {n_compared} comparisons" if n_compared > 1 else "",
        alpha=round(1 - test.confidence, 12) if test.confidence == test.confidence else 0.05,
        question=f"{QUESTION}; n = {test.n}",
        status=test.status,
    )
    return verdict_of(test.first, test.second, test.metric, evidence)


def _said(first: str, second: str, metric: Metric, found: Evidence) -> tuple[str, str]:
    label, pair = LABELS[metric], f"{second} and {first}"
    if found.p != found.p or found.low != found.low:
        if found.difference == 0 and _is_equal(found.status):
            return "not shown", f"{pair}: no difference of {label}, as no sample tells them apart."
        difference = f" ({_signed(found.difference)})" if found.difference == found.difference else ""
        return "not tested", f"{pair}: the difference of {label}{difference} is not tested: {found.status}."
    interval = f"{100 * found.confidence:.4g} % interval {_signed(found.low)} to {_signed(found.high)}"
    evidence = f"({interval}; {p_text(PValue(found.p))}{found.family}; {found.question})"
    if found.p > found.alpha:
        shown = f"{_signed(found.difference)} {evidence}"
        return "not shown", f"{pair}: no difference of {label} is shown: {shown}."
    more = "higher" if found.difference > 0 else "lower"
    outcome = _outcome(metric, found.difference)
    by = significant(abs(found.difference))
    judged = "" if outcome == "different" else f", which is {outcome}"
    return outcome, f"{second} has a {more} {label} than {first}{judged}, by {by} {evidence}."


def _is_equal(status: Status) -> bool:
    return status == Reason.NO_TEST(Reason.ALL_THE_SAME())


def _outcome(metric: Metric, difference: float) -> str:
    if metric in UNORDERED:
        return "different"
    gain = -difference if metric in LOWER_IS_BETTER else difference
    return "better" if gain > 0 else "worse"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{significant(value)}"
