"""Everything the ``evaluate`` step reports of a regression."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats
from mlx.core.scale import exponent_of, in_unit, is_rounding
from mlx.evaluation.checks import check_pair
from mlx.evaluation.headline import Metrics, with_interval
from mlx.evaluation.settings import EvaluationSettings
from mlx.stats.interval import Interval
from mlx.stats.mean_intervals import mean_interval, ratio_interval
from mlx.stats.status import Reason


@dataclass(frozen=True)
class RegressionEvaluation:
    """The evaluation of a regression.

    Attributes
    ----------
    metrics
        ``n``; ``confidence``, the level of the intervals; ``rmse`` and ``mae`` (units of y, lower is better) and
        ``r2``, each with ``_low`` and ``_high``, None where too few samples carry it for an interval to cover;
        ``_status`` then says why.
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
    # In units of the largest number, so that no difference overflows, and then of the largest difference, so that
    # no square does.
    unit = max(exponent_of(true), exponent_of(pred)) + 1
    size = np.abs(in_unit(true, unit) - in_unit(pred, unit))
    step = exponent_of(size)
    size = in_unit(size, step)
    squares = size**2

    def to_units_of_y(value: float) -> float:
        return float(in_unit(value, -unit - step))

    metrics: Metrics = {"n": len(true), "confidence": settings.confidence}
    rmse = mean_interval(squares, settings.confidence).on_scale(lambda end: to_units_of_y(np.sqrt(end)))
    mae = mean_interval(size, settings.confidence).on_scale(to_units_of_y)
    metrics |= with_interval("rmse", to_units_of_y(np.sqrt(squares.mean())), rmse)
    metrics |= with_interval("mae", to_units_of_y(size.mean()), mae)
    return RegressionEvaluation(
        _missing_where_beyond_range(metrics | _explained(in_unit(true, unit), squares, step, settings))
    )


def _explained(true: Floats, squares: Floats, step: int, settings: EvaluationSettings) -> Metrics:
    """R² and its interval, of targets (n,) of at most 1 and squared errors (n,) in units of 2^(2·step)."""
    if is_rounding(true):
        return with_interval("r2", None, Interval.missing(Reason.CONSTANT("target")))
    deviations = true - true[0]  # without rounding, where all are near: the mean of 1e15 + noise is rounded to tenths
    deviations -= deviations.mean()
    own = exponent_of(deviations)
    deviations = in_unit(deviations, own) ** 2

    def explained(ratio: float) -> float:
        return 1 - float(in_unit(ratio, 2 * (own - step)))

    interval = ratio_interval(squares, deviations, settings.confidence).on_scale(explained)
    return with_interval("r2", explained(squares.mean() / deviations.mean()), interval)


def _missing_where_beyond_range(metrics: Metrics) -> Metrics:
    """Replace what is beyond the largest number by None, with a status."""
    for name in ("rmse", "mae", "r2"):
        keys = (name, f"{name}_low", f"{name}_high")
        if any(isinstance(metrics[key], float) and not np.isfinite(metrics[key]) for key in keys):  # type: ignore[arg-type]
            value = metrics[name]
            known = value if isinstance(value, float) and np.isfinite(value) else None
            metrics |= with_interval(name, known, Interval.missing(Reason.BEYOND_RANGE()))
    return metrics
