"""What every statistic beyond the headline correlations comes back as."""

from dataclasses import dataclass

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
