"""One result of one test of any question: the rows of ``tests.csv``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE
from mlx.results import columns
from mlx.results.questions import NULL_VALUES, PRIMARY, Question, Scope, Statistic, family_of, null_hypothesis
from mlx.results.schema import Column, RowSchema
from mlx.stats.interval import Interval
from mlx.stats.multiple_testing import benjamini_hochberg, holm
from mlx.stats.permutation import is_at_floor
from mlx.stats.status import OK, Status

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """One test made, or not makeable; a number is NaN where ``status`` says why.

    Attributes
    ----------
    question, subject
        The question, and its subject where it has one: a factor, the conditions of a slice, scores.
    label
        The class of scope `Scope.CLASS`, else None.
    """

    __test__: ClassVar[bool] = False  # pytest must not take it for a test

    question: Question
    subject: str = ""
    label: int | None = None
    name: Annotated[str, Column("text", "what is asked")] = field(init=False)
    family: Annotated[str, Column("text", "tests that are adjusted together, of all layers")] = field(init=False)
    scope: Annotated[Scope, Column("text", "over which samples or pairs")] = Scope.ALL_SAMPLES
    class_name: Annotated[str, Column("text", "name of the class, where it is one", name="class")] = ""
    role: Annotated[str, Column("text", "`primary` of the one test that is declared so, else empty")] = ""
    layer: Annotated[str, Column("text", "empty where no layer takes part; two for their alignment")] = ""
    statistic: Annotated[Statistic, Column("text", "how it is measured")]
    estimate: Annotated[float, Column("number", "value of the statistic")] = NAN
    low: columns.Low = NAN
    high: columns.High = NAN
    confidence: Annotated[float, Column("share", "level of the interval; missing for a band or a bound")] = NAN
    method: Annotated[
        str, Column("text", "how the interval was obtained; one that is a band or a bound instead says so")
    ] = ""
    p: Annotated[float, Column("share", "p-value of the statistic's null value")] = NAN
    null: columns.Null = field(init=False)
    p_method: columns.PMethod = ""
    p_holm: Annotated[float, Column("share", "p adjusted in its family by Holm's method")] = NAN
    p_bh: Annotated[float, Column("share", "p adjusted in its family by Benjamini and Hochberg's method")] = NAN
    n: Annotated[int, Column("count", "samples that entered")] = 0
    n_pairs: Annotated[int, Column("count", "pairs of samples that entered")] = 0
    effective_pairs: Annotated[float, Column("number", "how many independent pairs they are worth")] = NAN
    n_permutations: columns.Permutations = 0
    seed: Annotated[int, Column("count", "seed of every resample")] = 0
    status: Annotated[
        Status, Column("text", "`ok`, or what is missing and why; then how many duplicates count as independent")
    ] = OK

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.question.about(self.subject))
        object.__setattr__(self, "family", family_of(self.question, self.scope))
        null = "" if np.isnan(self.p) else null_hypothesis(self.question, self.statistic, self.scope)
        object.__setattr__(self, "null", null)

    def with_interval(self, interval: Interval) -> "TestResult":
        """Return the result with an interval, or with the status that says why there is none."""
        if not interval.why_missing.is_ok:
            return replace(self, status=interval.status)
        return self._with_ends(interval)

    def with_p(self, p: float, method: str, n_permutations: int = 0) -> "TestResult":
        """Return the result with a p-value; as it is where that is missing.

        An interval that the result has, or is given later, holds the null value if and only if the p-value does not
        reject it (`Interval.agreeing_with`).
        """
        if np.isnan(p):
            return self
        tested = replace(self, p=p, p_method=method, n_permutations=n_permutations)
        given = Interval(self.low, self.high, self.confidence, self.method)
        return tested if np.isnan(self.confidence) else tested._with_ends(given)

    @property
    def p_at_floor(self) -> bool:
        """Whether the p-value is the smallest that its permutations allow, an upper bound."""
        return is_at_floor(self.p, self.n_permutations)

    def _with_ends(self, interval: Interval) -> "TestResult":
        null = NULL_VALUES.get(self.statistic)
        if null is not None:
            interval = interval.agreeing_with(self.p, null, self.estimate)
        low, high = interval.low, interval.high
        return replace(self, low=low, high=high, confidence=interval.level, method=interval.method)


TESTS = RowSchema("tests.csv", TestResult, "Every test made or not makeable.")


def adjusted(results: Sequence[TestResult]) -> list[TestResult]:
    """Return the results with p-values adjusted within each family; of several layers, give those of all."""
    families: dict[str, list[int]] = {}
    for place, result in enumerate(results):
        families.setdefault(result.family, []).append(place)
    found = list(results)
    for places in families.values():
        p = np.array([results[place].p for place in places])
        for place, by_holm, by_bh in zip(places, holm(p), benjamini_hochberg(p), strict=True):
            found[place] = replace(results[place], p_holm=float(by_holm), p_bh=float(by_bh))
    return found


def with_primary(results: Sequence[TestResult]) -> list[TestResult]:
    """Return the results, those of the first layer first, with the primary test marked."""
    primary = first_test(results, PRIMARY[0], PRIMARY[1], scope=PRIMARY[2])
    return [replace(result, role="primary") if result is primary else result for result in results]


def first_test(
    results: Iterable[TestResult], question: Question, statistic: Statistic, *, scope: Scope = Scope.ALL_SAMPLES
) -> TestResult | None:
    """Return the first result of a question; of several layers that of the first."""
    asked = (question, statistic, scope)
    return next((one for one in results if (one.question, one.statistic, one.scope) == asked), None)


def read_tests(path: Path, table: "pd.DataFrame", class_names: Sequence[str]) -> tuple[TestResult, ...]:
    """Return the tests of a table that was read from `path`.

    The table names classes, and two may have the same name: of the tests of classes the first is that of label 0.

    Raises
    ------
    ArtifactError
        A column is missing, or a value is not one of this table (with its row).
    """
    TESTS.check(path, table)
    if (reversed_ends := np.flatnonzero(table["low"] > table["high"])).size:
        row = int(reversed_ends[0])
        low, high = table["low"].iloc[row], table["high"].iloc[row]
        raise ArtifactError(f"{path}: row {row}: low: expected at most high, which is {high}, found {low}{REMAKE}")
    seen = Counter[tuple[str, ...]]()
    questions, subjects, labels = list[Question](), list[str](), list[int | None]()
    columns = (table[name].fillna("") for name in ("name", "family", "scope", "statistic", "layer", "class"))
    for row, (name, family, scope, statistic, layer, class_name) in enumerate(zip(*columns, strict=True)):
        test = (name, statistic, layer)
        label = seen[test] if scope == Scope.CLASS else None
        seen[test] += label is not None
        asked = _asked(name, family, scope)
        if asked is None or (label is not None and [*class_names[label:]][:1] != [class_name]):
            wanted = "a test of this version, of a class of this dataset"
            raise ArtifactError(f"{path}: row {row}: expected {wanted}, found '{name}' {class_name}{REMAKE}")
        questions.append(asked[0])
        subjects.append(asked[1])
        labels.append(label)
    return TESTS.rows(path, table, question=questions, subject=subjects, label=labels)


def _asked(name: str, family: str, scope: str) -> tuple[Question, str] | None:
    """Return the question, and its subject, that has this name in this family."""
    for question in Question if scope in set(Scope) else ():
        subject = question.subject(name)
        if subject is not None and family_of(question, Scope(scope)) == family:
            return question, subject
    return None
