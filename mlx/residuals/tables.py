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

_FACTOR_TYPES = {
    "factor": "str",
    "kind": "str",
    "target": "str",
    "statistic": "str",
    "bin": "str",
    "lower": "float64",
    "upper": "float64",
    "estimate": "float64",
    "low": "float64",
    "high": "float64",
    "method": "str",
    "p": "float64",
    "p_method": "str",
    "p_holm": "float64",
    "p_bh": "float64",
    "n": "int64",
    "n_errors": "Int64",
    "n_missing": "Int64",
    "entropy_mean": "float64",
    "similarity_mean": "float64",
    "status": "str",
}

_SLICE_TYPES = {
    "description": "str",
    "n": "int64",
    "n_errors": "int64",
    "error_rate": "float64",
    "low": "float64",
    "high": "float64",
    "rest_error_rate": "float64",
    "p": "float64",
    "p_holm": "float64",
    "error_rate_found": "float64",
    "status": "str",
}

_CURVE_TYPES = {"score": "str", "layer": "str", "coverage": "float64", "risk": "float64", "threshold": "float64"}

_TEMPERATURE_TYPES = dict.fromkeys(
    ("temperature", "log_loss", "entropy_mean", "entropy_correct", "entropy_wrong", "error_auroc"), "float64"
) | {"status": "str"}

_MATRIX_TYPES = {
    "layer": "str",
    "class": "int64",
    "name": "str",
    "n": "int64",
    "n_rows": "int64",
    "rows": "str",
    "file": "str",
    "status": "str",
}

CLASS_COLUMNS = tuple(_CLASS_TYPES)
TEST_COLUMNS = tuple(_TEST_TYPES)
FACTOR_COLUMNS = tuple(_FACTOR_TYPES)
SLICE_COLUMNS = tuple(_SLICE_TYPES)
CURVE_COLUMNS = tuple(_CURVE_TYPES)
MATRIX_COLUMNS = tuple(_MATRIX_TYPES)
TEMPERATURE_COLUMNS = tuple(_TEMPERATURE_TYPES)

Record = dict[str, Any]


def build_class_table(records: Sequence[Record] = ()) -> pd.DataFrame:
    """Build the table of classes, one row a class and layer; without records, its header alone."""
    return _table(records, _CLASS_TYPES)


def build_test_table(records: Sequence[Record] = ()) -> pd.DataFrame:
    """Build the table of tests, one row a test made or not makeable; without records, its header alone."""
    return _table(records, _TEST_TYPES)


def build_factor_table(records: Sequence[Record] = ()) -> pd.DataFrame:
    """Build the table of factors, one row a factor and target, and one a factor and bin."""
    return _table(records, _FACTOR_TYPES)


def build_slice_table(records: Sequence[Record] = ()) -> pd.DataFrame:
    """Build the table of weak slices, weakest first."""
    return _table(records, _SLICE_TYPES)


def build_curve_table(records: Sequence[Record] = ()) -> pd.DataFrame:
    """Build the table of risk–coverage curves, one row a point of one score."""
    return _table(records, _CURVE_TYPES)


def build_matrix_table(records: Sequence[Record] = ()) -> pd.DataFrame:
    """Build the table of similarity matrices, one row a layer and predicted class."""
    return _table(records, _MATRIX_TYPES)


def build_temperature_table(records: Sequence[Record] = ()) -> pd.DataFrame:
    """Build the table of temperatures, one row each, rising."""
    return _table(records, _TEMPERATURE_TYPES)


def _table(records: Sequence[Record], types: dict[str, str]) -> pd.DataFrame:
    """Put records into columns of their types; what a record leaves out is missing, and empty as text."""
    columns = {
        name: [record.get(name, "" if kind == "str" else None) for record in records] for name, kind in types.items()
    }
    return pd.DataFrame({name: pd.Series(columns[name], dtype=kind) for name, kind in types.items()})
