"""Everything the ``evaluate`` step reports of a regression."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.evaluation.checks import check_pair


@dataclass(frozen=True)
class RegressionEvaluation:
    """The evaluation of a regression: ``n``, ``rmse``, ``mae`` (units of y, lower is better), ``r2``."""

    metrics: dict[str, float | int | None]


def evaluate_regression(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> RegressionEvaluation:
    """Root mean square error, mean absolute error and R² on a test set.

    Parameters
    ----------
    y_true, y_pred
        (n_samples,), targets and predictions in the same unit.

    Returns
    -------
    RegressionEvaluation
        R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)², at most 1, 0 for predicting the mean, negative when worse; None for a
        constant target, where nothing is there to be explained.

    Raises
    ------
    DataError
        If there is no sample, the shapes differ, or a value is not finite.
    """
    true, pred = check_pair(y_true, y_pred)
    residual = true - pred
    squared = float(residual @ residual)
    # A constant column is compared as such: its deviations from a rounded mean need not be zero.
    constant = bool((true == true[0]).all())
    deviation = true - true.mean()
    return RegressionEvaluation(
        {
            "n": len(true),
            "rmse": float(np.sqrt(squared / len(true))),
            "mae": float(np.abs(residual).mean()),
            "r2": None if constant else 1 - squared / float(deviation @ deviation),
        }
    )
