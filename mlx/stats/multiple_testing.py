"""p-values of tests that were made together, adjusted for how many they are."""

import numpy as np

from mlx.core.array_types import Floats


def holm(p_values: Floats) -> Floats:
    """Holm-adjusted p-values (n_tests,), each at most 1; NaN (a test not made) stays NaN and is not counted.

    Controls the chance of any false rejection in the family, whatever the dependence (Holm 1979).
    """
    made, order = _sorted_made(p_values)
    steps = np.arange(order.size, 0, -1)
    adjusted = np.maximum.accumulate(made[order] * steps)
    return _restored(p_values, order, adjusted)


def holm_level(p_values: Floats, level: float) -> float:
    """Return the level of intervals that exclude the null value exactly where Holm's procedure rejects it.

    Each p-value is that of a test whose interval at any level excludes the null value exactly where p is at most one
    less that level. Of m tests, k of them rejected at α = 1 − `level`, it is 1 − α/(m − k), or `level` where all are
    rejected: the p-values of those that are not are above α/(m − k), and the others below α/(m − k + 1).

    Parameters
    ----------
    p_values
        (n_tests,), unadjusted; NaN (a test not made) is not counted.
    level
        Of the family, between 0 and 1.
    """
    adjusted = holm(p_values)
    alpha = round(1 - level, 12)
    left = int((adjusted > alpha).sum())
    return 1 - alpha / left if left > 1 else level


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Benjamini–Hochberg adjusted p-values (n_tests,), each at most 1; NaN stays NaN and is not counted.

    Controls the expected share of false rejections, for independent or positively dependent tests
    (Benjamini & Hochberg 1995).
    """
    made, order = _sorted_made(p_values)
    ranks = np.arange(1, order.size + 1)
    adjusted = np.minimum.accumulate((made[order] * order.size / ranks)[::-1])[::-1]
    return _restored(p_values, order, adjusted)


def _sorted_made(p_values: Floats) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.intp]]]:
    made = p_values[~np.isnan(p_values)]
    return made, np.argsort(made, kind="stable")


def _restored(p_values: Floats, order: np.ndarray[tuple[int, ...], np.dtype[np.intp]], adjusted: Floats) -> Floats:
    made = np.empty(order.size)
    made[order] = np.minimum(adjusted, 1.0)
    result = np.full(p_values.shape, np.nan)
    result[~np.isnan(p_values)] = made
    return result
