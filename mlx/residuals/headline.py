"""The few numbers of the residuals analysis that stand in ``metrics/residuals.json``."""

from collections.abc import Sequence

import numpy as np

from mlx.residuals.tables import Record

Headline = dict[str, float | int | None]

HEADLINES = (
    ("pearson", "similarity and entropy", "pooled", "pearson"),
    ("pearson_within", "similarity and entropy", "within class", "pearson"),
    ("spearman", "similarity and entropy", "pooled", "spearman"),
)
"""Key, and the name, scope and statistic of its test."""

DETECTION = (
    ("error_auroc_entropy", "error by entropy"),
    ("error_auroc_similarity", "error by low similarity"),
)
"""Key, and the name of its test, of which the p-value is left out: few columns are read, many are not."""


def headline_of(tests: Sequence[Record], n_dropped: int) -> Headline:
    """Flat JSON scalars of one layer, as each becomes a column of ``dvc metrics show``; None where undefined."""
    found = {(row["name"], row["scope"], row["statistic"]): row for row in reversed(tests)}
    headline: Headline = {"n": found[HEADLINES[0][1:]]["n"], "n_dropped": n_dropped}
    for key, name, scope, statistic in HEADLINES:
        row = found[name, scope, statistic]
        for end, column in (("", "estimate"), ("_low", "low"), ("_high", "high"), ("_p", "p")):
            headline[key + end] = None if np.isnan(row[column]) else row[column]
    for key, name in DETECTION:
        row = found[name, "all samples", "auroc"]
        for end, column in (("", "estimate"), ("_low", "low"), ("_high", "high")):
            headline[key + end] = None if np.isnan(row[column]) else row[column]
    return headline
