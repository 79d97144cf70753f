"""The interval of a proportion, which every table of rates gives."""

from scipy.special import ndtri


def wilson_interval(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
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
    return low, high
