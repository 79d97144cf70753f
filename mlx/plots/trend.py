"""The least-squares line through a scatter and the band around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mlx.core.array_types import Floats


@dataclass(frozen=True)
class Trend:
    """A fitted line and the 95 % band of its mean.

    Parameters
    ----------
    x, fit, low, high
        (m,), the line and the limits of the band over the range of the data.
    """

    slope: float
    intercept: float
    x: Floats
    fit: Floats
    low: Floats
    high: Floats


def fit_trend(x: ArrayLike, y: ArrayLike, *, level: float = 0.95, m: int = 60) -> Trend | None:
    """Fit ``y = a + b x`` by least squares, with the pointwise confidence band of the mean.

    The band is ``± t(n−2) s √(1/n + (x − x̄)²/Sxx)``, exact for independent normal errors. Similarities
    share their samples and are not independent: read the band as a description of the scatter.

    Parameters
    ----------
    x, y
        (n,), pairs with a NaN are left out.
    level
        Coverage of the band.
    m
        Points on the line.

    Returns
    -------
    Trend or None
        None with fewer than 3 pairs, or without spread in `x`.
    """
    from scipy.special import stdtrit

    xs, ys = np.asarray(x, float), np.asarray(y, float)
    known = np.isfinite(xs) & np.isfinite(ys)
    xs, ys = xs[known], ys[known]
    n = len(xs)
    if n < 3 or np.ptp(xs) <= 1e-12 * np.abs(xs).max():
        return None
    center, mean = xs.mean(), ys.mean()
    sxx = ((xs - center) ** 2).sum()
    slope = ((xs - center) * (ys - mean)).sum() / sxx
    residual = ys - mean - slope * (xs - center)
    s = np.sqrt((residual**2).sum() / (n - 2))
    at = np.linspace(xs.min(), xs.max(), m)
    fit = mean + slope * (at - center)
    half = stdtrit(n - 2, 0.5 + level / 2) * s * np.sqrt(1 / n + (at - center) ** 2 / sxx)
    return Trend(float(slope), float(mean - slope * center), at, fit, fit - half, fit + half)
