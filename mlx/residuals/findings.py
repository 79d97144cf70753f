"""What every statistic beyond the headline correlations comes back as, and how its interval is formed."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

NAN = float("nan")


@dataclass(frozen=True)
class Finding:
    """One statistic; NaN where ``status`` says what is missing and why.

    Attributes
    ----------
    name
        What was asked, such as ``"error by entropy"``.
    statistic
        How it was measured, such as ``"auroc"``.
    estimate, low, high
        The value and its interval.
    p
        p-value of the statistic's null value.
    n
        Samples that entered.
    interval_method, p_method
        How the interval and the p-value were obtained; empty where there is none.
    status
        ``"ok"``, or what is missing and why.
    p_holm, p_bh
        p adjusted within its family.
    """

    name: str
    statistic: str
    estimate: float
    low: float
    high: float
    p: float
    n: int
    interval_method: str
    p_method: str
    status: str
    p_holm: float = NAN
    p_bh: float = NAN


def missing(name: str, statistic: str, n: int, status: str, estimate: float = NAN) -> Finding:
    """Return a finding that has no interval and no p-value, for the reason in ``status``."""
    return Finding(name, statistic, estimate, NAN, NAN, NAN, n, "", "", status)


def normal_ends(
    estimate: float, error: float, confidence: float, scale: str, *, df: float = np.inf
) -> tuple[float, float]:
    """Ends of the interval estimate ± q·error, normal on the scale on which its sides are even.

    Parameters
    ----------
    estimate, error
        The statistic and its standard error.
    confidence
        Level, between 0.5 and 1.
    scale
        ``"atanh"`` for correlations in (−1, 1), ``"logit"`` for shares in (0, 1), ``"log"`` for what is
        above 0, ``"identity"`` for the rest.
    df
        Degrees of freedom of the standard error, where few samples make it one: q is then Student's.
    """
    level = 0.5 + confidence / 2
    q = float(ndtri(level) if np.isinf(df) else stdtrit(df, level))
    if scale == "atanh":
        centre, half = np.arctanh(estimate), q * error / (1 - estimate**2)
        return float(np.tanh(centre - half)), float(np.tanh(centre + half))
    if scale == "logit":
        centre, half = logit(estimate), q * error / (estimate * (1 - estimate))
        return float(expit(centre - half)), float(expit(centre + half))
    if scale == "log":
        return estimate * float(np.exp(-q * error / estimate)), estimate * float(np.exp(q * error / estimate))
    return estimate - q * error, estimate + q * error
