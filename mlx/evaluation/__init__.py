"""How good are the predictions? Classification and regression metrics, curves and calibration.

Arrays in; results out. Nothing here reads a file or needs more than NumPy and ``scipy.special``.
"""

from mlx.evaluation.classification import evaluate_classification
from mlx.evaluation.regression import evaluate_regression
from mlx.evaluation.settings import EvaluationSettings

__all__ = ["EvaluationSettings", "evaluate_classification", "evaluate_regression"]
