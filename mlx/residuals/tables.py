"""The columns of the residuals tables, and the tables built from records, with or without rows."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

STATISTICS = ("pearson", "spearman")
STATISTIC_SUFFIXES = ("", "_low", "_high", "_p", "_p_holm", "_p_bh")

_CLASS_TYPES = (
    {
        "class": "int64",
        "name": "str",
        "layer": "str",
        "n_predicted": "int64",
        "n_true": "int64",
        "n_correct": "int64",
        "error_rate": "float64",
        "similarity_mean": "float64",
        "similarity_sd": "float64",
        "entropy_mean": "float64",
        "entropy_sd": "float64",
    }
    | {statistic + suffix: "float64" for statistic in STATISTICS for suffix in STATISTIC_SUFFIXES}
    | {"status": "str"}
)

_TEST_TYPES = {
    "name": "str",
    "family": "str",
    "scope": "str",
    "class": "str",
    "layer": "str",
    "statistic": "str",
    "estimate": "float64",
    "low": "float64",
    "high": "float64",
    "confidence": "float64",
    "method": "str",
    "p": "float64",
    "p_method": "str",
    "p_holm": "float64",
    "p_bh": "float64",
    "n": "int64",
    "n_pairs": "int64",
    "effective_pairs": "float64",
    "B": "int64",
    "seed": "int64",
    "status": "str",
}

CLASS_COLUMNS = tuple(_CLASS_TYPES)
TEST_COLUMNS = tuple(_TEST_TYPES)

Record = dict[str, Any]


def build_class_table(records: Sequence[Record] = ()) -> pd.DataFrame:
    """Build the table of classes, one row a class and layer; without records, its header alone."""
    return _table(records, _CLASS_TYPES)


def build_test_table(records: Sequence[Record] = ()) -> pd.DataFrame:
    """Build the table of tests, one row a test made or not makeable; without records, its header alone."""
    return _table(records, _TEST_TYPES)


def _table(records: Sequence[Record], types: dict[str, str]) -> pd.DataFrame:
    columns = {name: [record[name] for record in records] for name in types}
    return pd.DataFrame({name: pd.Series(columns[name], dtype=kind) for name, kind in types.items()})
