"""The residuals analysis: whether samples far from their classmates are those the model is unsure of.

Arrays in, results out. Nothing here reads a file.
"""

from mlx.residuals.classification import analyze_classification
from mlx.residuals.regression.analysis import analyze_regression
from mlx.residuals.settings import ResidualsSettings
from mlx.results.classification_residuals import ClassificationResiduals
from mlx.results.regression_residuals import RegressionResiduals

__all__ = [
    "ClassificationResiduals",
    "RegressionResiduals",
    "ResidualsSettings",
    "analyze_classification",
    "analyze_regression",
]
