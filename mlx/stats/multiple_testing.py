"""p-values of tests that were made together, adjusted for how many they are."""

import numpy as np

from mlx.core.array_types import Floats


def holm(p_values: Floats) -> Floats:
    """Holm-adjusted p-values (n_tests,), each at most 1; NaN (a test not made) stays NaN and counts not.

    Controls the chance of any false rejection in the family, whatever the dependence (Holm 1979).
    """
    made, order = _sorted_made(p_values)
    steps = np.arange(order.size, 0, -1)
    adjusted = np.maximum.accumulate(made[order] * steps)
    return _restored(p_values, order, adjusted)


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Benjamini–Hochberg adjusted p-values (n_tests,), each at most 1; NaN stays NaN and counts not.

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
