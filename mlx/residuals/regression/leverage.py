"""What the training design of a linear regression says of other samples: leverage, intervals, standard errors."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from mlx.core.array_types import Floats, Scores
from mlx.core.checks import check_finite, check_matrix, row_blocks
from mlx.core.linear_fit import DesignAxes, LinearFit

IN_SPAN = 1e-10
"""A row leaves the span of the training samples where more than this share of its length lies outside."""

COEFFICIENT_COLUMNS = ("feature", "coefficient", "standard_error", "low", "high", "status")

NO_FREEDOM = "no residual degrees of freedom ({p} coefficients for {n} training samples)"
NOT_LEAST_SQUARES = "the fitted coefficients are not those of least squares"
NOT_DETERMINED = "not determined: the features depend on each other in the training samples"


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
        ``"ok"``, or that the training features depend on each other, and how many leverages are missing for it.
    interval_status
        The same of the intervals.
    """

    leverage: Floats
    low: Floats
    high: Floats
    status: str
    interval_status: str


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
    status = "ok"
    if axes.rank < design.shape[1]:
        status = f"dependent features (rank {axes.rank} of {design.shape[1]} in the training samples)"
    if outside:
        status += f": no leverage of {outside} of {leverage.size} samples, which leave what those span"
    error, interval_status = _error(fit, axes.rank)
    half = _quantile(fit, axes.rank, confidence) * error * np.sqrt(1 + leverage)
    return Leverage(leverage, prediction - half, prediction + half, status, interval_status)


def no_leverage(n: int, why: str) -> Leverage:
    """Return the leverage of `n` samples that have none."""
    nothing = np.full(n, np.nan)
    return Leverage(nothing, nothing, nothing, f"no leverage ({why})", f"no prediction interval ({why})")


def coefficient_table(fit: LinearFit | None, confidence: float) -> pd.DataFrame:
    """Return a row a coefficient, the intercept first and then the features by number; no row without a fit.

    Returns
    -------
    DataFrame
        ``feature``, ``coefficient`` in units of y per unit of the model's input, its ``standard_error``, the ends
        ``low`` and ``high`` of its interval, and a ``status``.
    """
    if fit is None:
        return pd.DataFrame(columns=list(COEFFICIENT_COLUMNS))
    axes = fit.axes
    error, status = _error(fit, axes.rank)
    weights = (axes.axes / axes.lengths[:, None]) / axes.scale
    spread = np.sqrt(
        np.concatenate([1 / fit.n + _distance(np.zeros((1, len(axes.center))), axes), (weights**2).sum(0)])
    )
    if axes.rank < len(axes.center):
        idle = 1 - (axes.axes**2).sum(axis=0) > IN_SPAN
        spread[1:][idle] = np.nan
    errors = error * spread
    half = _quantile(fit, axes.rank, confidence) * errors
    missing = status if status != "ok" else f"no standard error ({NOT_DETERMINED})"
    return pd.DataFrame(
        {
            "feature": ["intercept", *map(str, range(len(axes.center)))],
            "coefficient": fit.coefficients,
            "standard_error": errors,
            "low": fit.coefficients - half,
            "high": fit.coefficients + half,
            "status": np.where(np.isnan(errors), missing, "ok"),
        }
    )


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


def _error(fit: LinearFit, rank: int) -> tuple[float, str]:
    """Residual standard deviation, and whether it makes intervals; NaN where not."""
    if fit.residual_sd is None:
        return np.nan, f"no interval ({NO_FREEDOM.format(p=rank + 1, n=fit.n)})"
    if not fit.least_squares:
        return np.nan, f"no interval ({NOT_LEAST_SQUARES})"
    return fit.residual_sd, "ok"


def _quantile(fit: LinearFit, rank: int, confidence: float) -> float:
    return float(stdtrit(max(fit.n - rank - 1, 1), (1 + confidence) / 2))
