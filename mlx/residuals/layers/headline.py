"""The few numbers of the residuals analysis that stand in ``metrics/residuals.json``."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from mlx.results.classification_residuals import FactorEffect, Headline, Slice
from mlx.results.questions import Question, Scope, Statistic
from mlx.results.tests import TestResult, first_test
from mlx.stats.duplicates import Duplicates
from mlx.stats.grouping import names_of
from mlx.stats.groups import Groups

CORRELATIONS = {
    "pearson": (Scope.POOLED, Statistic.PEARSON),
    "pearson_within": (Scope.WITHIN_CLASS, Statistic.PEARSON),
    "spearman": (Scope.POOLED, Statistic.SPEARMAN),
}
"""Key, and the scope and statistic of the correlation of similarity and entropy."""

DETECTION = {
    "error_auroc_entropy": Question.ERROR_BY_ENTROPY,
    "error_auroc_similarity": Question.ERROR_BY_LOW_SIMILARITY,
}
"""Key, and what its AUROC measures; the p-value is left out: few columns are read, many are not."""

ENDS = {"": "estimate", "_low": "low", "_high": "high"}
"""Endings of the keys of a statistic, and the fields of its result."""


HEADLINES = frozenset(
    {(Question.SIMILARITY_ENTROPY, *asked) for asked in CORRELATIONS.values()}
    | {(question, Scope.ALL_SAMPLES, Statistic.AUROC) for question in DETECTION.values()}
)

Row = TypeVar("Row", TestResult, FactorEffect, Slice)


def mark_duplicates(rows: Sequence[Row], duplicates: Duplicates, groups: Groups | None) -> tuple[Row, ...]:
    """Say that duplicates are counted as independent in the status of each p-value, interval and headline."""
    marked = duplicates.mark((row.status for row in rows), groups)
    return tuple(
        replace(row, status=status)
        if status is not row.status and (not (np.isnan(row.p) and np.isnan(row.low)) or _is_headline(row))
        else row
        for row, status in zip(rows, marked, strict=True)
    )


def _is_headline(row: TestResult | FactorEffect | Slice) -> bool:
    return isinstance(row, TestResult) and (row.question, row.scope, row.statistic) in HEADLINES


def headline_of(
    tests: Sequence[TestResult],
    duplicates: Duplicates,
    groups: Groups | None,
    *,
    groups_name: str | None,
    n_dropped: int,
    confidence: float,
) -> Headline:
    """Flat JSON scalars of the first layer, as each becomes a column of ``dvc metrics show``.

    None where undefined; ``<key>_status`` then says why, and what else a reader of the number has to know.
    """
    headline: Headline = {"n": None, "n_dropped": n_dropped, "n_duplicates": duplicates.count}
    headline |= names_of(groups_name, groups) | {"confidence": confidence}
    for key, (scope, statistic) in CORRELATIONS.items():
        test = first_test(tests, Question.SIMILARITY_ENTROPY, statistic, scope=scope)
        assert test is not None, "asked of every layer"
        headline |= {"n": test.n} | _scalars(key, test, ENDS | {"_p": "p", "_permutations": "n_permutations"})
    for key, question in DETECTION.items():
        test = first_test(tests, question, Statistic.AUROC)
        assert test is not None, "asked of every layer"
        headline |= _scalars(key, test, ENDS)
    added = first_test(tests, Question.GEOMETRY_ADDS, Statistic.AUROC_DIFFERENCE)
    assert added is not None, "asked of the first layer"
    headline |= _scalars("geometry_adds", added, ENDS | {"_p": "p"})
    return headline | ({"duplicates_status": warning} if (warning := duplicates.warning(groups)) else {})


def _scalars(key: str, test: TestResult, ends: dict[str, str]) -> Headline:
    numbers = {key + end: getattr(test, field) for end, field in ends.items()}
    scalars: Headline = {name: None if np.isnan(value) else value for name, value in numbers.items()}
    no_p = {f"{key}_p_status": str(test.status)} if scalars.get(f"{key}_p", 0) is None else {}
    return scalars | ({} if test.status.is_ok else {f"{key}_status": str(test.status)}) | no_p
