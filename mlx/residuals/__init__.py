"""The residuals analysis: whether samples far from their classmates are those the model is unsure of.

Arrays in; tables and numbers out. Nothing here reads a file or needs more than NumPy, pandas and
``scipy.special``.
"""

from mlx.residuals.classification import ClassificationResiduals, analyze_classification
from mlx.residuals.regression.analysis import RegressionResiduals, analyze_regression
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.tables import (
    CLASS_COLUMNS,
    CURVE_COLUMNS,
    FACTOR_COLUMNS,
    MATRIX_COLUMNS,
    SLICE_COLUMNS,
    TEMPERATURE_COLUMNS,
    TEST_COLUMNS,
    build_class_table,
    build_curve_table,
    build_factor_table,
    build_matrix_table,
    build_slice_table,
    build_temperature_table,
    build_test_table,
)

__all__ = [
    "CLASS_COLUMNS",
    "CURVE_COLUMNS",
    "FACTOR_COLUMNS",
    "MATRIX_COLUMNS",
    "SLICE_COLUMNS",
    "TEMPERATURE_COLUMNS",
    "TEST_COLUMNS",
    "ClassificationResiduals",
    "RegressionResiduals",
    "ResidualsSettings",
    "analyze_classification",
    "analyze_regression",
    "build_class_table",
    "build_curve_table",
    "build_factor_table",
    "build_matrix_table",
    "build_slice_table",
    "build_temperature_table",
    "build_test_table",
]
