"""The few numbers of the residuals analysis that stand in ``metrics/residuals.json``."""

from collections.abc import Sequence

import numpy as np

from mlx.results.classification_residuals import Headline
from mlx.results.tests import Question, Scope, TestResult, first_test

CORRELATIONS = {
    "pearson": (Scope.POOLED, "pearson"),
    "pearson_within": (Scope.WITHIN_CLASS, "pearson"),
    "spearman": (Scope.POOLED, "spearman"),
}
"""Key, and the scope and statistic of the correlation of similarity and entropy."""

DETECTION = {
    "error_auroc_entropy": Question.ERROR_BY_ENTROPY,
    "error_auroc_similarity": Question.ERROR_BY_LOW_SIMILARITY,
}
"""Key, and what its AUROC measures; the p-value is left out: few columns are read, many are not."""

ENDS = {"": "estimate", "_low": "low", "_high": "high"}
"""Endings of the keys of a statistic, and the fields of its result."""


def headline_of(tests: Sequence[TestResult], n_dropped: int, confidence: float) -> Headline:
    """Flat JSON scalars of the first layer, as each becomes a column of ``dvc metrics show``.

    None where undefined; ``<key>_status`` then says why.
    """
    headline: Headline = {"n": None, "n_dropped": n_dropped, "confidence": confidence}
    for key, (scope, statistic) in CORRELATIONS.items():
        test = first_test(tests, Question.SIMILARITY_ENTROPY, statistic, scope=scope)
        assert test is not None, "asked of every layer"
        headline |= {"n": test.n} | _scalars(key, test, ENDS | {"_p": "p"})
    for key, question in DETECTION.items():
        test = first_test(tests, question, "auroc")
        assert test is not None, "asked of every layer"
        headline |= _scalars(key, test, ENDS)
    return headline


def _scalars(key: str, test: TestResult, ends: dict[str, str]) -> Headline:
    numbers = {key + end: getattr(test, field) for end, field in ends.items()}
    scalars: Headline = {name: None if np.isnan(value) else value for name, value in numbers.items()}
    return scalars | ({f"{key}_status": str(test.status)} if None in scalars.values() else {})
