"""Leverage, prediction intervals and standard errors from the training design of a linear regression."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from mlx.core.array_types import Floats, Scores
from mlx.core.checks import check_finite, check_matrix, row_blocks
from mlx.core.linear_fit import DesignAxes, LinearFit, column_lengths
from mlx.results.regression_residuals import Coefficient
from mlx.stats.status import OK, Reason, Status, no_interval

IN_SPAN = 1e-10
"""A row leaves the span of the training samples where more than this share of its length lies outside."""


@dataclass(frozen=True)
class Leverage:
    """Where samples lie in the training design, and what a new target at each may be; NaN where a status says why.

    Attributes
    ----------
    leverage
        (n_samples,), ``x (XᵀX)⁻¹ xᵀ`` with the training design X and x, both with a 1 for the intercept: the variance
        of the prediction in units of the residual variance. At least one over the number of training samples; above 1
        far outside of what they span. Of the training samples it would be the diagonal of the hat matrix.
    low, high
        (n_samples,), interval of a new target in units of y, if errors are normal with one variance.
    status
        That the training features depend on each other, if they do, and how many leverages are missing for it.
    interval_status
        The same of the intervals.
    """

    leverage: Floats
    low: Floats
    high: Floats
    status: Status
    interval_status: Status


def leverage_of(design: Scores, prediction: Floats, fit: LinearFit, confidence: float) -> Leverage:
    """Measure samples against the training design, in O(n·d²).

    Parameters
    ----------
    design
        (n_samples, d), inputs of the model, without the column of ones.
    prediction
        (n_samples,), in units of y.
    fit
        Of the training samples.
    confidence
        Of the intervals, such as 0.95.

    Raises
    ------
    DataError
        If the design has another shape, or for the first row with a value that is not finite.
    """
    check_matrix("design", design, (prediction.size, len(fit.coefficients) - 1))
    axes = fit.axes
    leverage = np.concatenate([np.empty(0), *(1 / fit.n + _distance(rows, axes) for rows in _blocks(design))])
    outside = int(np.isnan(leverage).sum())
    status = OK
    if axes.rank < design.shape[1]:
        status = Reason.DEPENDENT_FEATURES(axes.rank, design.shape[1])
    if outside:
        status = Reason.OUTSIDE_SPAN(status, outside, leverage.size)
    error, interval_status = _error(fit, axes.rank)
    half = _quantile(fit, axes.rank, confidence) * error * np.sqrt(1 + leverage)
    return Leverage(leverage, prediction - half, prediction + half, status, interval_status)


def no_leverage(n: int, why: str) -> Leverage:
    """Return the leverage of `n` samples that have none."""
    nothing = np.full(n, np.nan)
    return Leverage(nothing, nothing, nothing, Reason.NO_LEVERAGE(why), Reason.NO_PREDICTION_INTERVAL(why))


def coefficients_of(fit: LinearFit | None, confidence: float, features: Sequence[str] = ()) -> tuple[Coefficient, ...]:
    """Return the coefficients with their intervals, the intercept first and then the features; none without a fit.

    Features are called by their names, or by their numbers where they have none, or one is "intercept".
    """
    if fit is None:
        return ()
    axes = fit.axes
    error, status = _error(fit, axes.rank)
    weights = (axes.axes / axes.lengths[:, None]) / axes.scale
    at_zero = 1 / fit.n + _distance(np.zeros((1, len(axes.center))), axes)
    spread = np.concatenate([np.sqrt(at_zero), column_lengths(weights)])
    if axes.rank < len(axes.center):
        idle = 1 - (axes.axes**2).sum(axis=0) > IN_SPAN
        spread[1:][idle] = np.nan
    errors = error * spread
    half = _quantile(fit, axes.rank, confidence) * errors
    missing = Reason.NO_STANDARD_ERROR(Reason.NOT_DETERMINED()) if status.is_ok else status
    statuses = [missing if np.isnan(one) else OK for one in errors]
    named = len(features) == len(axes.center) and "intercept" not in features
    names = ["intercept", *(features if named else map(str, range(len(axes.center))))]
    ends = fit.coefficients - half, fit.coefficients + half
    return tuple(map(Coefficient, names, fit.coefficients, errors, *ends, statuses))


def _blocks(design: Scores) -> Iterator[Floats]:
    for rows in row_blocks(*design.shape):
        block = np.asarray(design[rows], dtype=np.float64)
        check_finite("design", block, rows.start)
        yield block


def _distance(rows: Floats, axes: DesignAxes) -> Floats:
    """Squared length (m,) of centered rows in the axes of the training design; NaN of those that leave its span."""
    scaled = (rows - axes.center) / axes.scale
    inside = scaled @ axes.axes.T
    distance: Floats = ((inside / axes.lengths) ** 2).sum(axis=1)
    if axes.rank < len(axes.center):
        rest = np.linalg.norm(scaled - inside @ axes.axes, axis=1)
        eps = float(np.finfo(np.float64).eps)
        rounding = 8 * eps * np.linalg.norm((np.abs(rows) + np.abs(axes.center)) / axes.scale, axis=1)
        distance[rest > IN_SPAN * np.linalg.norm(scaled, axis=1) + rounding] = np.nan
    return distance


def _error(fit: LinearFit, rank: int) -> tuple[float, Status]:
    """Residual standard deviation, and whether it makes intervals; NaN where not."""
    if fit.residual_sd is None:
        return np.nan, no_interval(Reason.NO_FREEDOM(rank + 1, fit.n))
    if not fit.least_squares:
        return np.nan, no_interval(Reason.NOT_LEAST_SQUARES())
    return fit.residual_sd, OK


def _quantile(fit: LinearFit, rank: int, confidence: float) -> float:
    return float(stdtrit(max(fit.n - rank - 1, 1), (1 + confidence) / 2))
