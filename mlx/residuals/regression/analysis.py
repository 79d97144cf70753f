"""The residuals analysis of a regression: a row a sample, and what the residuals look like together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from mlx.core.array_types import Floats, Scores
from mlx.core.checks import check_finite
from mlx.core.errors import DataError
from mlx.core.linear_fit import LinearFit
from mlx.core.scale import exponent_of, in_unit, unit_sized
from mlx.residuals.regression.classical_tests import memory_tests, spread_tests
from mlx.residuals.regression.leverage import Leverage, coefficient_table, leverage_of, no_leverage
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.stats.bootstrap import row_replicates
from mlx.stats.correlation import is_constant, midranks
from mlx.stats.correlation_intervals import bootstrap_interval
from mlx.stats.interval import Interval
from mlx.stats.permutation import permutation_p_value, permuted_products
from mlx.stats.status import Reason

Summary = dict[str, float | int | str | None]

RELATIVE_TOLERANCE = 1e-12
"""Values closer than this, relative to the largest target or prediction, are equal up to rounding."""

MIN_SAMPLES = 4
"""Fewest samples of which skewness, kurtosis or a correlation is worth giving."""

MIN_NORMALITY = 30
"""Fewest samples for the normality p-value, whose law is one of large samples."""

NO_FIT = "not the predictions of a linear regression"
"""Why there is no training design, where nothing else is said."""

MIN_INTERVAL = 20
"""Fewest samples for an interval of the rank correlation."""


@dataclass(frozen=True)
class RegressionResiduals:
    """The residuals analysis of a regression.

    Attributes
    ----------
    samples
        One row a sample: ``index``, ``y_true``, ``y_pred``, ``residual`` (true − predicted, in units of y),
        ``abs_residual``, ``standardised`` ((residual − mean) / sd; NaN where the summary says
        ``constant residuals`` or there is one sample); ``normal_quantile``, where the residual's rank would
        stand in a normal sample (Blom 1958), for a QQ plot; ``leverage``, ``prediction_low`` and
        ``prediction_high`` (`mlx.residuals.regression.leverage`), NaN without the training design of a linear
        regression.
    coefficients
        One row a coefficient (`mlx.residuals.regression.leverage.coefficient_table`); none without a training design.
    summary
        JSON scalars; None where ``status`` says why. ``n``; ``confidence``, the level of intervals;
        ``residual_mean`` (0 is unbiased), ``residual_sd`` and ``rmse`` in units of y; ``skewness`` and
        ``excess_kurtosis`` (0 for a normal law); ``jarque_bera`` and ``normality_p``; ``spread_spearman`` with
        ``_low``, ``_high`` and ``_p``: rank
        correlation of absolute residual with the prediction, 0 where errors are equally large everywhere;
        ``breusch_pagan``, ``white``, ``durbin_watson`` and ``ljung_box`` (`mlx.residuals.regression.classical_tests`);
        ``leverage_mean``, ``leverage_max``, ``n_training``, ``n_coefficients`` (the rank of the training design) and
        ``leverage_status``; ``prediction_coverage``, the share of targets inside of their prediction intervals, which
        is the level of confidence for a model whose assumptions hold, and ``prediction_status``.
    """

    samples: pd.DataFrame
    coefficients: pd.DataFrame
    summary: Summary


def analyze_regression(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    index: npt.ArrayLike,
    settings: ResidualsSettings,
    design: Scores | None = None,
    fit: LinearFit | None = None,
    without_fit: str = NO_FIT,
) -> RegressionResiduals:
    """Describe the residuals of a regression: center, spread, shape, and whether the spread is constant.

    Parameters
    ----------
    y_true, y_pred
        (n_samples,), targets and predictions in one unit; (n_samples, 1) is flattened.
    index
        (n_samples,), what identifies each sample, in the order of the data.
    settings
        Seed, resamples and confidence, for the correlation of spread with prediction; confidence for the intervals.
    design
        (n_samples, n_features), the inputs of a linear regression; needed with `fit`.
    fit
        What the linear regression keeps of its training samples; None for another model.
    without_fit
        Why there is no `fit`, for the status.

    Raises
    ------
    DataError
        If there is no sample, the shapes differ, or a value is not finite (with its row).
    """
    true, pred = _column("y_true", y_true), _column("y_pred", y_pred)
    identity = np.asarray(index)
    if true.size == 0 or not true.shape == pred.shape == identity.shape:
        raise DataError(
            f"residuals: expected y_true, y_pred and index of one shape (n,), "
            f"found {true.shape}, {pred.shape} and {identity.shape}"
        )
    unit = max(exponent_of(true), exponent_of(pred)) + 1  # in which neither a difference nor its square overflows
    scaled, fitted = in_unit(true, unit), in_unit(pred, unit)
    error, tolerance = scaled - fitted, RELATIVE_TOLERANCE * float(max(np.abs(scaled).max(), np.abs(fitted).max()))
    constant = is_constant(error, tolerance)
    deviation = np.zeros_like(error) if constant else error - error.mean()
    sd = root_mean_square(deviation, error.size - 1) if error.size > 1 else None
    residual = in_unit(error, -unit)
    if fit is None or design is None:
        place = no_leverage(error.size, without_fit)
    else:
        place = leverage_of(design, pred, fit, settings.confidence)
    samples = pd.DataFrame(
        {
            "index": identity,
            "y_true": true,
            "y_pred": pred,
            "residual": residual,
            "abs_residual": np.abs(residual),
            "standardised": deviation / sd if sd else np.full(error.shape, np.nan),
            "normal_quantile": ndtri((midranks(error) - 0.375) / (error.size + 0.25)),
            "leverage": place.leverage,
            "prediction_low": place.low,
            "prediction_high": place.high,
        }
    )
    numbers = {"residual_mean": error.mean(), "residual_sd": sd, "rmse": root_mean_square(error, error.size)}
    summary: Summary = {"n": error.size, "confidence": settings.confidence}
    summary |= {name: None if value is None else float(in_unit(value, -unit)) for name, value in numbers.items()}
    shape, shape_status = _shape(unit_sized(deviation), constant=constant)
    spread, spread_status = _spread(np.abs(error), fitted, tolerance, settings)
    classical: Summary = dict.fromkeys(CLASSICAL)
    if error.size >= MIN_SAMPLES and not constant:
        classical |= memory_tests(error, identity)
        if not is_constant(fitted, tolerance):
            classical |= spread_tests(error, fitted)
    found = [shape_status, spread_status, "" if all(np.isfinite(v) for v in summary.values() if v) else BEYOND]
    statuses = dict.fromkeys(s for s in found if s not in ("", "ok"))
    summary |= shape | spread | classical | {"status": "; ".join(statuses) or "ok"} | _placed(place, true, fit)
    return RegressionResiduals(samples, coefficient_table(fit, settings.confidence), _finite(summary))


BEYOND = "residuals beyond the largest number"


def root_mean_square(values: Floats, n: int) -> float:
    """√(Σ v²/n) of values whose squares may underflow."""
    exponent = exponent_of(values)
    own = in_unit(values, exponent)
    return float(in_unit(np.sqrt(own @ own / n), -exponent))


def _finite(summary: Summary) -> Summary:
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in summary.items()}


CLASSICAL = (
    "breusch_pagan", "breusch_pagan_p", "white", "white_p", "durbin_watson", "ljung_box", "ljung_box_p",
    "ljung_box_lags",
)  # fmt: skip


def _placed(place: Leverage, true: Floats, fit: LinearFit | None) -> Summary:
    """Summarize where the samples lie in the training design."""
    known = place.leverage[np.isfinite(place.leverage)]
    bounded = np.isfinite(place.low) & np.isfinite(place.high)
    inside = (place.low <= true) & (true <= place.high)
    return {
        "n_training": fit.n if fit else None,
        "n_coefficients": fit.axes.rank + 1 if fit else None,
        "leverage_mean": float(known.mean()) if known.size else None,
        "leverage_max": float(known.max()) if known.size else None,
        "leverage_status": place.status,
        "prediction_coverage": float(inside[bounded].mean()) if bounded.any() else None,
        "prediction_status": place.interval_status,
    }


def _column(name: str, values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1 and array.size:
        check_finite(name, array, 0)
    return array


def _shape(deviation: Floats, *, constant: bool) -> tuple[Summary, str]:
    """Skewness, excess kurtosis (both of moments, biased) and the Jarque–Bera test they make up (1980)."""
    missing: Summary = dict.fromkeys(("skewness", "excess_kurtosis", "jarque_bera", "normality_p"))
    n = deviation.size
    if n < MIN_SAMPLES:
        return missing, f"too few samples (n < {MIN_SAMPLES})"
    if constant:
        return missing, "constant residuals"
    z = deviation / np.sqrt(deviation @ deviation / n)
    skewness, kurtosis = float((z**3).mean()), float((z**4).mean() - 3)
    moments: Summary = {"skewness": skewness, "excess_kurtosis": kurtosis}
    if n < MIN_NORMALITY:
        return missing | moments, f"no tests of normality, spread and memory (n < {MIN_NORMALITY})"
    statistic = n / 6 * (skewness**2 + kurtosis**2 / 4)
    # The upper tail of chi-squared with two degrees of freedom is an exponential.
    return moments | {"jarque_bera": statistic, "normality_p": float(np.exp(-statistic / 2))}, "ok"


def _spread(size: Floats, prediction: Floats, tolerance: float, settings: ResidualsSettings) -> tuple[Summary, str]:
    """Spearman correlation of absolute residual and prediction; rows are independent, and resampled so."""
    names = [f"spread_spearman{suffix}" for suffix in ("", "_low", "_high", "_p")]
    missing: Summary = dict.fromkeys(names)
    if size.size < MIN_SAMPLES:
        return missing, f"too few samples (n < {MIN_SAMPLES})"
    for name, values in (("absolute residuals", size), ("predictions", prediction)):
        if is_constant(values, tolerance):
            return missing, f"constant {name}"
    ranks = np.stack([midranks(size, tolerance), midranks(prediction, tolerance)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    # Equal up to rounding in a chain, each with the next, and not the first with the last.
    for name, values in (("absolute residuals", ranks[0]), ("predictions", ranks[1])):
        if not values.any():
            return missing, f"constant {name}"
    x, y = (ranks / np.linalg.norm(ranks, axis=1, keepdims=True))[:, None]
    generator = stream(settings.seed, Stream.REGRESSION_PERMUTATION)
    permuted = permuted_products(x, y, settings.n_permutations, generator)[0]
    estimate = float(x[0] @ y[0])
    generator = stream(settings.seed, Stream.REGRESSION_BOOTSTRAP)
    replicates = row_replicates(size, prediction, tolerance, settings.n_bootstrap, generator)
    interval = bootstrap_interval(estimate, replicates, settings.confidence)
    if size.size < MIN_INTERVAL:
        interval = Interval.missing(Reason.TOO_FEW(MIN_INTERVAL))
    low, high = (interval.low, interval.high) if interval.why_missing.is_ok else (None, None)
    numbers = (estimate, low, high, permutation_p_value(estimate, permuted))
    return dict(zip(names, numbers, strict=True)), str(interval.status)
