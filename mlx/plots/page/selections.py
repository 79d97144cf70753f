"""What selects samples in the explorer: issues, slices, parts of factors and cells of the confusion matrix.

A selection is a query, as it stands in the page's address. All its conditions hold together: ``f.<column>`` on a column
(``=3``, ``!=red``, ``>0.3``, ``<=0.3``, ``0.1~0.3``, with ``?`` at the end "or missing"; ``=missing`` and ``=known``
unless a category is called so), ``in`` the issues of a kind, ``samples`` the numbers of samples.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from mlx.plots.report.inputs import AnyReport
from mlx.plots.text import MINUS, plural, readable
from mlx.results.classification_residuals import FactorEffect
from mlx.results.issues import Issue, IssueCount, IssueKind

FOUND_AS = {
    IssueKind.LABEL: "possibly mislabeled",
    IssueKind.DUPLICATE: "duplicates",
    IssueKind.LEAK: "also in another part",
    IssueKind.OUTLIER: "outliers",
    IssueKind.CONFIDENTLY_WRONG: "confidently wrong",
}


@dataclass(frozen=True)
class Preset:
    """A selection that the explorer offers: under which heading, what it is called, and its query."""

    heading: str
    label: str
    query: str


def presets(report: AnyReport) -> list[Preset]:
    """Return the selections of the issues, slices and parts of factors that a report has."""
    issues = [
        Preset("Issues", f"{FOUND_AS[kind]} ({plural(len(numbers), 'sample')})", issue_query(kind))
        for kind, numbers in issue_samples(report).items()
    ]
    names = set(report.residuals.sample_factors)
    slices = [
        Preset("Weak slices", report.plain(readable(one.description)), query)
        for one in report.residuals.slices
        if (query := slice_query(one.description, names))
    ]
    parts = dict.fromkeys((report.plain(one.factor), one.bin, query) for one, query in _parts(report))
    in_parts = (Preset("Parts of factors", f"{factor}: {part}", query) for factor, part, query in parts)
    return [*issues, *slices, *in_parts]


def issue_samples(report: AnyReport) -> dict[IssueKind, list[int]]:
    """Return the numbers of the test samples with an issue, by its kind."""
    found: dict[IssueKind, list[int]] = {}
    for issue in report.residuals.issues:
        if issue.split == "test":
            found.setdefault(issue.kind, []).append(issue.index)
    return {kind: list(dict.fromkeys(numbers)) for kind, numbers in found.items()}


def issue_query(kind: IssueKind) -> str:
    """Return the query of the samples with an issue of a kind."""
    return urlencode({"in": str(kind)})


def cell_query(actual: int, predicted: int) -> str:
    """Return the query of the samples of one class that are predicted as another."""
    return urlencode({"f.y_true": f"={actual}", "f.y_pred": f"={predicted}"})


def mistakes_query(actual: int) -> str:
    """Return the query of the samples of a class that are predicted as another."""
    return urlencode({"f.y_true": f"={actual}", "f.y_pred": f"!={actual}"})


def predicted_query(label: int) -> str:
    """Return the query of the samples predicted as a class."""
    return urlencode({"f.y_pred": f"={label}"})


def sample_query(issue: Issue) -> str:
    """Return the query of the sample of an issue; empty for one that is no test sample."""
    return urlencode({"samples": str(issue.index)}) if issue.split == "test" else ""


def count_query(count: IssueCount) -> str:
    """Return the query of the samples that were counted; empty where none of them is a test sample."""
    return issue_query(count.kind) if count.split == "test" and count.n_issues else ""


def part_query(effect: FactorEffect) -> str:
    """Return the query of the samples in a part of a factor; empty for a row about no part."""
    if not effect.bin:
        return ""
    if math.isfinite(effect.lower) and math.isfinite(effect.upper):
        condition = f"{float(effect.lower)!r}~{float(effect.upper)!r}"
    else:
        condition = f"={effect.bin}"
    return urlencode({f"f.factor.{effect.factor}": condition})


def slice_query(description: str, factors: Collection[str]) -> str:
    """Return the query of the samples that the words of a slice describe; empty where they can't be read."""
    conditions = [_condition(part, factors) for part in description.split(" and ")]
    if any(one is None for one in conditions):
        return ""
    return urlencode([one for one in conditions if one is not None])


NUMBER = re.compile(r"\(?(?P<name>.+) (?P<sign>[>≤]) (?P<value>[^ ]+?)(?P<missing> or missing\))?")
WORD = re.compile(r"(?P<name>.+?) is (?P<no>not )?(?P<value>.*)", re.DOTALL)


def _condition(words: str, factors: Collection[str]) -> tuple[str, str] | None:
    """Read one condition, as a slice is described by; None for other words."""
    if words.removeprefix("not ") in factors:
        return f"f.factor.{words.removeprefix('not ')}", f"={'false' if words.startswith('not ') else 'true'}"
    if (found := NUMBER.fullmatch(words)) and found["name"] in factors:
        sign, rest = {">": ">", "≤": "<="}[found["sign"]], "?" if found["missing"] else ""
        value = found["value"].replace(MINUS, "-")
        return (f"f.factor.{found['name']}", f"{sign}{value}{rest}") if _is_number(value) else None
    if (found := WORD.fullmatch(words)) and found["name"] in factors:
        return f"f.factor.{found['name']}", f"{'!=' if found['no'] else '='}{found['value']}"
    return None


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _parts(report: AnyReport) -> Iterator[tuple[FactorEffect, str]]:
    known = set(report.residuals.sample_factors)
    return ((one, query) for one in report.residuals.factors if one.factor in known and (query := part_query(one)))
