"""The interval of a proportion, which every table of rates gives."""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from mlx.core.array_types import Floats
from mlx.stats.interval import Interval


def wilson_intervals(shares: Floats, n: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Lower and upper ends, (m,) each, of `wilson_interval` for shares (m,) of n (m,) each."""
    found = [wilson_interval(share * size, size, level) for share, size in zip(shares, n, strict=True)]
    return np.array([one.low for one in found]), np.array([one.high for one in found])


def wilson_interval(successes: float, n: float, level: float = 0.95) -> Interval:
    """Score interval of a proportion (Wilson 1927), which stays inside [0, 1] and keeps its level at 0 and n.

    Parameters
    ----------
    successes, n
        How many of how many; ``n`` at least 1.
    level
        Confidence, between 0 and 1.
    """
    z2 = float(ndtri(0.5 + level / 2)) ** 2
    center = (successes + z2 / 2) / (n + z2)
    half = (z2 * (successes * (n - successes) / n + z2 / 4)) ** 0.5 / (n + z2)
    low = 0.0 if successes == 0 else max(0.0, float(center - half))
    high = 1.0 if successes == n else min(1.0, float(center + half))
    return Interval(low, high, level)


def higher_share_p_values(successes: npt.ArrayLike, n: npt.ArrayLike, all_successes: int, n_all: int) -> Floats:
    """One-sided p-values of shares that are no higher in a part than in the rest: Fisher's test, mid-p.

    Half the probability of what was seen counts (Lancaster 1961): with few successes the exact test would reject a true
    null hypothesis far too rarely.

    Parameters
    ----------
    successes, n
        Of each part, of one shape, which the p-values have, too.
    all_successes, n_all
        Of the part and the rest together.

    Raises
    ------
    ValueError
        A part has more successes, or failures, than there are.
    """
    found = [_mid_p(int(k), int(size), all_successes, n_all) for k, size in np.broadcast(successes, n)]
    return np.array(found).reshape(np.broadcast_shapes(np.shape(successes), np.shape(n)))


def _mid_p(successes: int, n: int, all_successes: int, n_all: int) -> float:
    """Upper tail of the hypergeometric law, from the ratios of its neighboring probabilities.

    SciPy has it, in a module whose import takes longer than all that a report computes.
    """
    least, most = max(0, n + all_successes - n_all), min(n, all_successes)
    if not least <= successes <= most:
        raise ValueError(f"successes: expected {least} to {most}, found {successes}")
    k = np.arange(least, most, dtype=np.float64)
    rising = (all_successes - k) * (n - k) / ((k + 1) * (n_all - all_successes - n + k + 1))
    logs = np.concatenate([[0.0], np.cumsum(np.log(rising))])
    weights = np.exp(logs - logs.max())
    tail = weights[successes - least :]
    return float((tail[1:].sum() + tail[0] / 2) / weights.sum())
