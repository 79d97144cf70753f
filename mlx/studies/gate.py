"""Rules that a run has to meet, and what an interval says of them: met, broken, or too little data to tell."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from mlx.core.documents import shown
from mlx.core.errors import SettingsError
from mlx.results.comparison import LOWER_IS_BETTER, UNORDERED, Metric

Sign = Literal["<", "<=", ">", ">="]

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
RULE = re.compile(
    rf"(?P<metric>[A-Za-z]\w*)\s*(?P<sign><=|>=|<|>)\s*"
    rf"(?:(?P<against>against)(?:\s*(?P<margin>[-+]\s*{NUMBER}))?|(?P<number>-?\s*{NUMBER}))"
)
EXPECTED = "a rule such as 'ece < 0.05' or 'accuracy >= against - 0.01'"
IN_UNITS = frozenset({Metric.LOG_LOSS, Metric.MAE, Metric.RMSE})
"""Metrics without a scale that ends, whose margin has no default."""

DEFAULT_MARGIN = 0.01


class Verdict(StrEnum):
    """What an interval says of a rule."""

    PASSES = "passes"
    FAILS = "fails"
    NOT_ENOUGH_DATA = "not enough data"


@dataclass(frozen=True)
class Rule:
    """A bound on a metric, or on how much it differs from that of another run.

    Attributes
    ----------
    metric
        Its name in ``evaluation.json`` or ``residuals.json``.
    sign
        How the quantity has to compare with the bound.
    bound
        Of the metric; or, if ``is_relative``, of the run less the other.
    is_relative
        Whether the rule is about the difference.
    """

    metric: str
    sign: Sign
    bound: float
    is_relative: bool = False

    def __str__(self) -> str:
        if not self.is_relative:
            return f"{self.metric} {self.sign} {self.bound:g}"
        margin = f" {'-' if self.bound < 0 else '+'} {abs(self.bound):g}" if self.bound else ""
        return f"{self.metric} {self.sign} against{margin}"

    def verdict(self, low: float, high: float) -> Verdict:
        """Judge by the ends of the interval of the quantity, which may be NaN: both meet the rule, none, or one."""
        if low != low or high != high:
            return Verdict.NOT_ENOUGH_DATA
        met = {COMPARE[self.sign](end, self.bound) for end in (low, high)}
        return Verdict.NOT_ENOUGH_DATA if len(met) > 1 else Verdict.PASSES if met == {True} else Verdict.FAILS


@dataclass(frozen=True)
class Judgment:
    """A rule with what was found of it.

    Attributes
    ----------
    rule
        The rule.
    estimate, low, high, confidence
        The metric or the difference, with its interval; NaN where there is none.
    verdict
        By the interval.
    about
        What the interval is about, how it was obtained, or why there is none.
    """

    rule: Rule
    estimate: float
    low: float
    high: float
    confidence: float
    verdict: Verdict
    about: str


def overall(judgments: Iterable[Judgment]) -> Verdict:
    """Return the verdict on a run: fails if a rule does, passes if all do."""
    found = {one.verdict for one in judgments}
    if Verdict.FAILS in found:
        return Verdict.FAILS
    return Verdict.NOT_ENOUGH_DATA if Verdict.NOT_ENOUGH_DATA in found else Verdict.PASSES


def parse_rule(text: str, where: str) -> Rule:
    """Read a rule.

    Raises
    ------
    SettingsError
        The text is not a rule.
    """
    if not (found := RULE.fullmatch(text.strip())):
        raise SettingsError(f"{where}: expected {EXPECTED}, found {shown(text)}")
    number = found["number"] or found["margin"] or "0"
    sign: Any = found["sign"]
    return Rule(found["metric"], sign, float(number.replace(" ", "")), found["against"] is not None)


def read_rules(path: Path) -> list[Rule]:
    """Read rules, a line each; blank lines and what follows ``#`` do not count, and a line may begin with ``-``.

    Raises
    ------
    SettingsError
        The file can't be read, has no rule, or a line is not a rule.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise SettingsError(f"--rules: {path}: expected a file of text, found none ({reason})") from None
    texts = {number: line.partition("#")[0].strip() for number, line in enumerate(lines, start=1)}
    rules = []
    for number, text in texts.items():
        bare = text.removeprefix("-").strip().strip("\"'")
        if bare and bare != "rules:":
            rules.append(parse_rule(bare, f"{path}:{number}"))
    if not rules:
        raise SettingsError(f"{path}: expected {EXPECTED} in each line, found none")
    return rules


def no_worse(metric: Metric, margin: float | None) -> list[Rule]:
    """Return the rules that a metric is no worse than that of the other by more than a margin.

    Of a metric of which neither more nor less is better, both sides count.

    Raises
    ------
    SettingsError
        The margin is missing, where the metric has no scale that ends, or not above 0.
    """
    if margin is None and metric in IN_UNITS:
        raise SettingsError(f"--metric {metric}: expected --margin beside it, in the unit of the metric, found none")
    size = DEFAULT_MARGIN if margin is None else margin
    if not 0 < size < float("inf"):
        raise SettingsError(f"--margin: expected a number above 0, found {size:g}")
    upper, lower = Rule(metric, "<=", size, is_relative=True), Rule(metric, ">=", -size, is_relative=True)
    if metric in UNORDERED:
        return [lower, upper]
    return [upper if metric in LOWER_IS_BETTER else lower]
