"""A confidence interval, or why there is none; and intervals from a standard error on a scale with even sides."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from mlx.core.array_types import Floats
from mlx.stats.status import OK, Reason, Status

NAN = float("nan")

HELD = "; extended to the null value, which p does not reject"
REJECTED = "; ended at the null value, which p rejects"
"""What the method of an interval adds where its end was moved, so that it agrees with the p-value."""

CUT = "; ended at the bound of the range"
"""What it adds where an end was outside of the possible values."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval; its numbers are NaN where ``why_missing`` is not `OK`.

    Attributes
    ----------
    low, high
        The ends.
    level
        Confidence, such as 0.95.
    method
        How the interval was obtained.
    why_missing
        Why there is no interval.
    """

    low: float
    high: float
    level: float
    method: str = ""
    why_missing: Status = OK

    @classmethod
    def missing(cls, why: Status) -> "Interval":
        """Return the interval that is not given, for a reason."""
        return cls(NAN, NAN, NAN, why_missing=why)

    @property
    def status(self) -> Status:
        """Status of the estimate beside the interval."""
        return OK if self.why_missing.is_ok else Reason.NO_INTERVAL(self.why_missing)

    def agreeing_with(self, p: float, null: float, estimate: float) -> "Interval":
        """Return the interval that holds the null value if, and only if, `p` does not reject it at this level.

        The interval is the set of values that the data do not reject. The test of the null value itself is more
        exact there than that of the standard error behind the ends; where the two disagree, the end moves to the null
        value, or just beyond it.

        Parameters
        ----------
        p
            p-value of `null`; NaN where it was not tested.
        null
            Null value on the scale of the interval.
        estimate
            Says on which side of a rejected null value the interval stays.
        """
        if not self.why_missing.is_ok or np.isnan(p):
            return self
        low, high, method = self.low, self.high, self.method
        if p > round(1 - self.level, 12):
            low, high = min(low, null), max(high, null)
            method += HELD if (low, high) != (self.low, self.high) else ""
        elif low <= null <= high and estimate != null:
            beyond = float(np.nextafter(null, estimate))
            low, high = (beyond, max(high, beyond)) if estimate > null else (min(low, beyond), beyond)
            method += REJECTED
        return replace(self, low=low, high=high, method=method)

    def within(self, least: float, greatest: float) -> "Interval":
        """Return the part of the interval from the least to the greatest possible value, which covers as often."""
        low, high = max(self.low, least), min(self.high, greatest)  # NaN stays where there is no interval
        moved = self.why_missing.is_ok and (low, high) != (self.low, self.high)
        return replace(self, low=low, high=high, method=f"{self.method}{CUT if moved else ''}")

    def on_scale(self, scale: Callable[[float], float]) -> "Interval":
        """Return the interval with both ends on another scale, of either direction."""
        low, high = sorted((float(scale(self.low)), float(scale(self.high))))
        return replace(self, low=low, high=high)


def critical_value(level: float, df: float = np.inf) -> float:
    """How many standard errors the end of a two-sided interval lies off: Student's quantile, or the normal one."""
    share = 0.5 + level / 2
    return float(ndtri(share) if np.isinf(df) else stdtrit(df, share))


def degrees_of_freedom(influence: Floats) -> float:
    """Degrees of freedom of the variance Σ φ² of influences φ (n_samples,), at least 1, by their fourth moment.

    A variance that few samples carry has few (Satterthwaite 1946); of normal influences it has n.
    """
    squares = influence**2
    spread = float(squares @ squares) - float(squares.sum()) ** 2 / squares.size
    return max(1.0, 2 * float(squares.sum()) ** 2 / spread) if spread > 0 else float(squares.size)


def transformed_interval(
    estimate: float, error: float, level: float, scale: str, *, df: float = np.inf, method: str = ""
) -> Interval:
    """Interval estimate ± q·error, normal on the scale on which its sides are even.

    Parameters
    ----------
    estimate, error
        The statistic and its standard error.
    level
        Between 0.5 and 1.
    scale
        ``"atanh"`` for correlations in (−1, 1), ``"logit"`` for shares in (0, 1), ``"log"`` for what is
        above 0, ``"identity"`` for the rest.
    df
        Degrees of freedom of the standard error, where it is estimated from few samples.
    method
        How the standard error was obtained.
    """
    low, high = _ends(estimate, critical_value(level, df) * error, scale)
    return Interval(low, high, level, method)


def _ends(estimate: float, half: float, scale: str) -> tuple[float, float]:
    if scale == "atanh":
        center, half = np.arctanh(estimate), half / (1 - estimate**2)
        return float(np.tanh(center - half)), float(np.tanh(center + half))
    if scale == "logit":
        center, half = logit(estimate), half / (estimate * (1 - estimate))
        return float(expit(center - half)), float(expit(center + half))
    if scale == "log":
        return estimate * float(np.exp(-half / estimate)), estimate * float(np.exp(half / estimate))
    return estimate - half, estimate + half


def share_interval(estimate: float, error: float, level: float, *, df: float = np.inf) -> Interval:
    """Interval of an estimate in (0, 1) from its standard error, with even sides on the logit scale.

    ``df`` are the degrees of freedom of the standard error, where it is estimated from few samples.
    """
    if not 0 < estimate < 1:
        return Interval.missing(Reason.AT_END_OF_RANGE())
    if not np.isfinite(error) or error == 0:
        return Interval.missing(Reason.NO_SPREAD())
    return transformed_interval(estimate, error, level, "logit", df=df)
