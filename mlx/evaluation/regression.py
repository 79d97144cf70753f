"""Everything the ``evaluate`` step reports of a regression."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.evaluation.checks import check_pair
from mlx.evaluation.headline import Metrics, with_interval
from mlx.evaluation.intervals import NO_INTERVAL, Ends, mean_interval, ratio_interval
from mlx.evaluation.settings import EvaluationSettings


@dataclass(frozen=True)
class RegressionEvaluation:
    """The evaluation of a regression.

    Attributes
    ----------
    metrics
        ``n``; ``rmse`` and ``mae`` (units of y, lower is better) and ``r2``, each with ``_low`` and ``_high``,
        None where too few samples carry it for an interval to cover.
    """

    metrics: Metrics


def evaluate_regression(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, settings: EvaluationSettings
) -> RegressionEvaluation:
    """Root mean square error, mean absolute error and R² on a test set, with intervals.

    Intervals are of the law the test samples come from: even on the log scale of the mean squared error, of
    the mean absolute error, and of 1 − R², a ratio of two means.

    Parameters
    ----------
    y_true, y_pred
        (n_samples,), targets and predictions in the same unit.
    settings
        The confidence level.

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
    size = np.abs(true - pred)
    # In units of the largest deviation, so that no square over- or underflows.
    unit = float(max(size.max(), np.ptp(true))) or 1.0
    squares = (size / unit) ** 2
    # A constant column is compared as such: its deviations from a rounded mean need not be zero.
    constant = bool((true == true[0]).all())
    deviations = ((true - true.mean()) / unit) ** 2
    mean_square = float(squares.mean())
    metrics: Metrics = {"n": len(true)}
    low, high = mean_interval(squares, settings.confidence)
    ends: Ends = NO_INTERVAL
    if low is not None and high is not None:
        ends = unit * float(np.sqrt(low)), unit * float(np.sqrt(high))
    metrics |= with_interval("rmse", unit * float(np.sqrt(mean_square)), ends)
    low, high = mean_interval(size / unit, settings.confidence)
    ends = NO_INTERVAL if low is None or high is None else (unit * low, unit * high)
    metrics |= with_interval("mae", unit * float((size / unit).mean()), ends)
    if constant:
        return RegressionEvaluation(metrics | with_interval("r2", None, NO_INTERVAL))
    low, high = ratio_interval(squares, deviations, settings.confidence)
    ends = NO_INTERVAL if low is None or high is None else (1 - high, 1 - low)
    r2 = 1 - mean_square / float(deviations.mean())
    return RegressionEvaluation(metrics | with_interval("r2", r2, ends))
