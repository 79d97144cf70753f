"""Samples to look at: wrong labels, duplicates, leaks, outliers and confident mistakes, and what flawless data has."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from mlx.results import columns
from mlx.results.schema import Column, RowSchema
from mlx.stats.status import OK

NAN = float("nan")


class IssueKind(StrEnum):
    """What may be wrong with a sample."""

    LABEL = "label"
    DUPLICATE = "duplicate"
    LEAK = "leak"
    OUTLIER = "outlier"
    CONFIDENTLY_WRONG = "confidently wrong"


class IssueMethod(StrEnum):
    """How a sample was found."""

    CONFIDENT_LEARNING = "confident learning"
    AREA_UNDER_MARGIN = "area under the margin"
    EQUAL_INPUTS = "equal inputs"
    EQUAL_OUTPUTS = "equal representation and output"
    NEAR = "near in the representation"
    NEIGHBOR_DISTANCE = "distance to training neighbors"
    CONFIDENCE = "confidence"


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One sample to look at, and why."""

    kind: Annotated[IssueKind, Column("text", "label, duplicate, leak, outlier or confidently wrong")]
    split: Annotated[str, Column("text", "part of the data that the sample is in: test, val or train")]
    index: Annotated[int, Column("count", "row in the raw data")]
    related_index: Annotated[
        int | None, Column("number", "row in the raw data of the sample that it repeats", dtype="Int64")
    ] = None
    score: Annotated[float, Column("number", "what was compared with the threshold, as `why` says")]
    threshold: Annotated[float, Column("number", "value that the score reaches or passes; missing of a ranking")] = NAN
    suggested_label: Annotated[
        int | None, Column("number", "label that the prediction is confident of", dtype="Int64")
    ] = None
    method: Annotated[IssueMethod, Column("text", "how it was found")]
    why: Annotated[str, Column("text", "the finding in words")]


ISSUES = RowSchema(
    "issues.csv",
    Issue,
    "One row per sample to look at and kind of issue: by kind and part of the data, the clearest first.",
    key=("kind", "split", "index"),
)


@dataclass(frozen=True, kw_only=True)
class IssueCount:
    """How many issues of one kind a part of the data has, and how many it would have without a fault."""

    kind: Annotated[IssueKind, Column("text", "kind of issue")]
    split: Annotated[str, Column("text", "part of the data")]
    method: Annotated[IssueMethod, Column("text", "how they were looked for")]
    n: Annotated[int, Column("count", "samples looked at")]
    n_issues: Annotated[int, Column("count", "issues in `issues.csv`")] = 0
    expected: Annotated[float, Column("number", "mean number that flawless data has")] = NAN
    threshold: Annotated[float, Column("number", "common threshold of the scores, where there is one")] = NAN
    status: columns.RowStatus = OK


ISSUE_COUNTS = RowSchema(
    "issue_counts.csv",
    IssueCount,
    "One row per kind of issue, part of the data and method: how many there are, and how many flawless data has.",
    key=("kind", "split", "method"),
)


@dataclass(frozen=True)
class FoundIssues:
    """What was found, a row each, and how many of each kind were to be expected."""

    issues: tuple[Issue, ...] = ()
    issue_counts: tuple[IssueCount, ...] = ()
