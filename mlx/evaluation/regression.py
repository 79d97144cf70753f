"""Everything the ``evaluate`` step reports of a regression."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats
from mlx.core.scale import exponent_of, in_unit, is_rounding
from mlx.evaluation.checks import check_pair
from mlx.evaluation.settings import EvaluationSettings
from mlx.results.evaluation import RegressionEvaluation, RegressionMetrics
from mlx.results.metrics import Estimate
from mlx.stats.grouping import given_groups, names_of
from mlx.stats.groups import Groups
from mlx.stats.interval import NAN, Interval
from mlx.stats.mean_intervals import mean_interval
from mlx.stats.square_intervals import mean_square_interval, share_with_larger, square_ratio_interval
from mlx.stats.status import Reason


def evaluate_regression(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    settings: EvaluationSettings,
    groups: npt.ArrayLike | None = None,
) -> RegressionEvaluation:
    """Root mean square error, mean absolute error and R² on a test set, with intervals.

    Intervals are for the population that the test samples come from: of the mean squared error, of the mean absolute
    error, and of 1 − R², a ratio of two means.

    Parameters
    ----------
    y_true, y_pred
        (n_samples,), targets and predictions in the same unit.
    settings
        The confidence level, and the name of the groups.
    groups
        (n_samples,), labels of which samples belong together, as for a classification.

    Returns
    -------
    RegressionEvaluation
        R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)², at most 1, 0 for predicting the mean, negative when worse; NaN for a
        constant target, which leaves nothing to explain.

    Raises
    ------
    DataError
        If there is no sample, the shapes differ, or a value is not finite.
    SettingsError
        ``settings.groups`` names groups that are not given.
    """
    true, pred = check_pair(y_true, y_pred)
    by = given_groups(settings.groups, groups, true.size)
    # In units of the largest number, so that no difference overflows, and then of the largest difference, so that
    # no square does.
    unit = max(exponent_of(true), exponent_of(pred)) + 1
    size = np.abs(in_unit(true, unit) - in_unit(pred, unit))
    step = exponent_of(size)
    size = in_unit(size, step)
    squares = size**2

    def to_units_of_y(value: float) -> float:
        return float(in_unit(value, -(unit + step)))

    level = settings.confidence
    mae = mean_interval(size, level, groups=by).on_scale(to_units_of_y)
    rmse = mean_square_interval(squares, level, groups=by).on_scale(lambda end: to_units_of_y(np.sqrt(end)))
    metrics = RegressionMetrics(
        n=len(true),
        confidence=level,
        **names_of(settings.groups, by),
        rmse=_in_range(Estimate(to_units_of_y(np.sqrt(squares.mean())), rmse)),
        mae=_in_range(Estimate(to_units_of_y(size.mean()), mae)),
        r2=_in_range(_r2(in_unit(true, unit), squares, step, level, by)),
    )
    return RegressionEvaluation(metrics)


def _r2(true: Floats, squares: Floats, step: int, level: float, groups: Groups | None) -> Estimate:
    """R² and its interval, of targets (n,) of at most 1 and squared errors (n,) in units of 2^(2·step)."""
    if is_rounding(true):
        return Estimate.missing(Reason.CONSTANT("target"))
    deviations = true - true[0]  # without rounding, where all are near: the mean of 1e15 + noise is rounded to tenths
    deviations -= deviations.mean()
    own = exponent_of(deviations)
    deviations = in_unit(deviations, own) ** 2

    def explained(ratio: float) -> float:
        return 1 - float(in_unit(ratio, 2 * (own - step)))

    estimate = explained(squares.mean() / deviations.mean())
    interval = square_ratio_interval(squares, deviations, level, groups=groups).on_scale(explained)
    # Residuals that the sample lacks are also missing from the deviations of the target.
    growth = mean_square_interval(squares, level, groups=groups).high / squares.mean() if squares.any() else 1.0
    low = min(interval.low, 1 - share_with_larger(1 - estimate, growth))
    return Estimate(estimate, replace(interval, low=low))


def _in_range(estimate: Estimate) -> Estimate:
    """Replace what is beyond the largest number by NaN, with a status."""
    numbers = (estimate.value, estimate.interval.low, estimate.interval.high)
    if not np.isinf(numbers).any():
        return estimate
    return Estimate(NAN if np.isinf(estimate.value) else estimate.value, Interval.missing(Reason.BEYOND_RANGE()))
