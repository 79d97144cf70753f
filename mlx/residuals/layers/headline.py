"""The few numbers of the residuals analysis that stand in ``metrics/residuals.json``."""

from collections.abc import Sequence

import numpy as np

from mlx.residuals.tables import Record

Headline = dict[str, float | int | str | None]

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


def headline_of(tests: Sequence[Record], n_dropped: int, confidence: float) -> Headline:
    """Flat JSON scalars of one layer, as each becomes a column of ``dvc metrics show``.

    None where undefined; ``<key>_status`` then says why.
    """
    # Of several layers the first; a factor of a sample may be called "entropy", too.
    of_model = [row for row in tests if not row["family"].endswith(" by factor")]
    found = {(row["name"], row["scope"], row["statistic"]): row for row in reversed(of_model)}
    headline: Headline = {"n": found[HEADLINES[0][1:]]["n"], "n_dropped": n_dropped, "confidence": confidence}
    for key, name, scope, statistic in HEADLINES:
        headline |= _scalars(key, found[name, scope, statistic], (*ENDS, ("_p", "p")))
    for key, name in DETECTION:
        headline |= _scalars(key, found[name, "all samples", "auroc"], ENDS)
    return headline


ENDS = (("", "estimate"), ("_low", "low"), ("_high", "high"))
"""Endings of the keys of a statistic, and the columns that they are from."""


def _scalars(key: str, row: Record, columns: Sequence[tuple[str, str]]) -> Headline:
    scalars: Headline = {key + end: None if np.isnan(row[column]) else row[column] for end, column in columns}
    return scalars | ({f"{key}_status": row["status"]} if None in scalars.values() else {})
