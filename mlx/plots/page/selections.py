"""What selects samples in the explorer: issues, slices, parts of factors and cells of the confusion matrix.

A selection is a query, as it stands in the page's address. All its conditions hold together: ``f.<column>`` on a column
(``=3``, ``!=red``, ``>0.3``, ``<=0.3``, ``0.1~0.3``, with ``?`` at the end "or missing"; ``=missing`` and ``=known``
unless a category is called so), ``in`` the issues of a kind, ``samples`` the numbers of samples. ``split`` names the
parts of the data that are shown, by default the test part.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from mlx.plots.report.inputs import AnyReport
from mlx.plots.text import MINUS, plural, readable, thousands
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
        Preset("Issues", f"{FOUND_AS[kind]} ({_sizes(found)})", issue_query(kind, _parts_of(report, found)))
        for kind, found in issue_samples(report).items()
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


Pairs = list[tuple[int, int | None]]
"""Numbers of samples with an issue, each with that of the sample that it repeats."""


def issue_samples(report: AnyReport) -> dict[IssueKind, dict[str, Pairs]]:
    """Return the samples with an issue by its kind and by the parts that are on the page."""
    found: dict[IssueKind, dict[str, Pairs]] = {}
    for issue in report.residuals.issues:
        if issue.split in report.splits:
            pairs = found.setdefault(issue.kind, {}).setdefault(issue.split, [])
            pairs.append((issue.index, issue.related_index))
    return {
        kind: {split: list(dict.fromkeys(by_split[split])) for split in report.splits if split in by_split}
        for kind, by_split in found.items()
    }


def _parts_of(report: AnyReport, found: Mapping[str, Pairs]) -> list[str]:
    """Return the parts of samples with an issue, and of what they repeat, that are on the page."""
    repeated = [other for pairs in found.values() for _, other in pairs if other is not None]
    others = {} if report.others is None else report.others.splits_of(repeated)
    return [split for split in report.splits if split in {*found, *others.values()}]


def _sizes(found: Mapping[str, Pairs]) -> str:
    sizes = {split: len({number for number, _ in pairs}) for split, pairs in found.items()}
    if list(sizes) == ["test"]:
        return plural(sizes["test"], "sample")
    return ", ".join(f"{thousands(n)} {split}" for split, n in sizes.items())


def numbers_of(issues: Iterable[Issue]) -> set[int]:
    """Return the numbers of the samples with an issue, and of those that they repeat."""
    numbers = {number for issue in issues for number in (issue.index, issue.related_index) if number is not None}
    return {int(number) for number in numbers}


def issue_query(kind: IssueKind, splits: Sequence[str] = ("test",)) -> str:
    """Return the query of the samples with an issue of a kind in some parts of the data."""
    return urlencode({"in": str(kind), **_shown(splits)})


def _shown(splits: Sequence[str]) -> dict[str, str]:
    return {} if list(splits) == ["test"] else {"split": ",".join(splits)}


def samples_query(report: AnyReport, issues: Sequence[Issue]) -> str:
    """Return the query of the samples of issues and of those that they repeat, in the parts that are on the page."""
    own = {issue.index: issue.split for issue in issues if issue.split in report.splits}
    repeated = [issue.related_index for issue in issues if issue.index in own and issue.related_index is not None]
    found = {} if report.others is None else report.others.splits_of(repeated)
    others = {number: split for number, split in found.items() if split not in own.values()}
    splits = [split for split in report.splits if split in {*own.values(), *others.values()}]
    numbers = ",".join(map(str, {**own, **others}))
    return urlencode({"samples": numbers, **_shown(splits)}) if own else ""


def cell_query(actual: int, predicted: int) -> str:
    """Return the query of the samples of one class that are predicted as another."""
    return urlencode({"f.y_true": f"={actual}", "f.y_pred": f"={predicted}"})


def mistakes_query(actual: int) -> str:
    """Return the query of the samples of a class that are predicted as another."""
    return urlencode({"f.y_true": f"={actual}", "f.y_pred": f"!={actual}"})


def predicted_query(label: int) -> str:
    """Return the query of the samples predicted as a class."""
    return urlencode({"f.y_pred": f"={label}"})


def count_query(report: AnyReport, count: IssueCount) -> str:
    """Return the query of the samples that were counted, leaks with what they repeat in another part.

    Empty where none of them is in the parts on the page.
    """
    if count.split not in report.splits or not count.n_issues:
        return ""
    if count.kind is IssueKind.LEAK and report.others is not None:
        own = [one for one in report.residuals.issues if (one.kind, one.split) == (count.kind, count.split)]
        return samples_query(report, own)
    return issue_query(count.kind, [count.split])


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
    return urlencode([(one.key, one.values) for one in slice_conditions(description, factors)])


class SliceCondition(NamedTuple):
    """One condition of a slice: its words, the column of the samples that it is on, and which values meet it."""

    words: str
    key: str
    values: str


def slice_conditions(description: str, factors: Collection[str]) -> list[SliceCondition]:
    """Return the conditions that the words of a slice join by "and"; empty where they can't be read.

    A factor or a category may have "and" in its name: of the ways to cut the words into conditions that can all be
    read, the one with the shortest first conditions is taken.
    """
    parts = description.split(" and ")
    read: dict[int, list[SliceCondition]] = {len(parts): []}  # the words from each part on, where they can be read
    for start in reversed(range(len(parts))):
        for end in range(start + 1, len(parts) + 1):
            words = " and ".join(parts[start:end])
            if end in read and (found := _condition(words, factors)):
                read[start] = [SliceCondition(words, *found), *read[end]]
                break
    return read.get(0, [])


NUMBER = re.compile(r"\(?(?P<name>.+) (?P<sign>[>≤]) (?P<value>[^ ]+?)(?P<missing> or missing\))?")


def _condition(words: str, factors: Collection[str]) -> tuple[str, str] | None:
    """Read one condition, as a slice is described by; None for other words."""
    if words.removeprefix("not ") in factors:
        return f"f.factor.{words.removeprefix('not ')}", f"={'false' if words.startswith('not ') else 'true'}"
    if (found := NUMBER.fullmatch(words)) and found["name"] in factors:
        sign, rest = {">": ">", "≤": "<="}[found["sign"]], "?" if found["missing"] else ""
        value = found["value"].replace(MINUS, "-")
        return (f"f.factor.{found['name']}", f"{sign}{value}{rest}") if _is_number(value) else None
    for name in sorted(factors, key=len, reverse=True):  # "size" and "size is known" may both be names
        if words.startswith(f"{name} is "):
            value = words.removeprefix(f"{name} is ")
            negated = value.startswith("not ")
            return f"f.factor.{name}", f"!={value.removeprefix('not ')}" if negated else f"={value}"
    return None


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _parts(report: AnyReport) -> Iterator[tuple[FactorEffect, str]]:
    known = set(report.residuals.sample_factors)
    return ((one, query) for one in report.residuals.factors if one.factor in known and (query := part_query(one)))
