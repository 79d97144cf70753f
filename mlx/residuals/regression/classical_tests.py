"""Classical tests of a regression's residuals: constant variance, and no serial correlation."""

from typing import Any

import numpy as np
from scipy.special import chdtrc

from mlx.core.array_types import Floats
from mlx.core.scale import is_rounding

MIN_SAMPLES = 30
"""Fewest samples for p-values whose laws are those of large samples."""

MAX_LAGS = 10

Numbers = dict[str, Any]
"""Fields of a `mlx.results.regression_summary.RegressionSummary`."""


def spread_tests(residual: Floats, prediction: Floats) -> Numbers:
    """Breusch–Pagan and White tests of whether the squared residual depends on the prediction.

    Breusch–Pagan (1979) in Koenker's studentized form (1981), which needs no normality: n·R² of the squared
    residuals regressed on the prediction, χ² with 1 degree of freedom. White's (1980), in its short form: on
    the prediction and its square, with 2.

    Parameters
    ----------
    residual, prediction
        (n_samples,), neither constant.

    Returns
    -------
    dict
        ``breusch_pagan``, ``white`` and their p-values with ``_p``; None below 30 samples.
    """
    names = ("breusch_pagan", "white")
    if residual.size < MIN_SAMPLES:
        return dict.fromkeys(key for name in names for key in (name, f"{name}_p"))
    centered = prediction - prediction.mean()
    scaled = centered / np.abs(centered).max()
    squares = (residual / np.abs(residual).max()) ** 2
    found: Numbers = {}
    for name, columns in zip(names, ([scaled], [scaled, scaled**2]), strict=True):
        statistic, df = _explained(squares, np.stack(columns, axis=1))
        found |= {name: statistic, f"{name}_p": float(chdtrc(df, statistic)) if df else None}
    return found


def _explained(y: Floats, columns: Floats) -> tuple[float, int]:
    """n·R² of y regressed on columns and a constant, and the rank that the columns add."""
    total = y - y.mean()
    left, lengths, _ = np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)
    left = left[:, lengths > lengths[0] * len(y) * np.finfo(np.float64).eps]
    square = float(total @ total)
    if is_rounding(y):
        return 0.0, 0
    return y.size * float(((left.T @ total) ** 2).sum()) / square, left.shape[1]


def memory_tests(residual: Floats, order: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Numbers:
    """Test whether residuals remember those of the rows before, in the order of the data.

    Parameters
    ----------
    residual
        (n_samples,), not constant.
    order
        (n_samples,), what the rows are sorted by: their place in the raw data.

    Returns
    -------
    dict
        ``durbin_watson``, Σ(e_t − e_{t−1})²/Σe² in [0, 4], 2 without memory, below it with a positive one;
        ``ljung_box`` over ``ljung_box_lags`` lags (Ljung & Box 1978), up to 10 and a fifth of the samples,
        and its χ² p-value ``ljung_box_p``; the last three None below 30 samples.
    """
    e = residual[np.argsort(order, kind="stable")]
    e = e / np.abs(e).max()
    n, steps = e.size, np.diff(e)
    found: Numbers = {"durbin_watson": float(steps @ steps) / float(e @ e)}
    if n < MIN_SAMPLES:
        return found | dict.fromkeys(("ljung_box", "ljung_box_p", "ljung_box_lags"))
    centered = e - e.mean()
    n_lags = min(MAX_LAGS, n // 5)
    lags = np.arange(1, n_lags + 1)
    correlation = np.array([centered[lag:] @ centered[:-lag] for lag in lags]) / (centered @ centered)
    statistic = float(n * (n + 2) * (correlation**2 / (n - lags)).sum())
    return found | {"ljung_box": statistic, "ljung_box_p": float(chdtrc(n_lags, statistic)), "ljung_box_lags": n_lags}
