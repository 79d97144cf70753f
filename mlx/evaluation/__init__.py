"""How good are the predictions? Classification and regression metrics, curves and calibration.

Arrays in; numbers, arrays and small tables out. Nothing here reads a file or needs more than NumPy,
pandas and ``scipy.special``.
"""

from mlx.evaluation.classification import TABLE_COLUMNS, ClassificationEvaluation, evaluate_classification
from mlx.evaluation.regression import RegressionEvaluation, evaluate_regression
from mlx.evaluation.settings import EvaluationSettings

__all__ = [
    "TABLE_COLUMNS",
    "ClassificationEvaluation",
    "EvaluationSettings",
    "RegressionEvaluation",
    "evaluate_classification",
    "evaluate_regression",
]
