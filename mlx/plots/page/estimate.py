"""A number with its interval, and how both are written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from mlx.plots.text import fixed, level_text, status_text, with_interval
from mlx.results import metrics
from mlx.results.tests import TestResult


@dataclass(frozen=True)
class Estimate:
    """A number with its interval at `level`; NaN where unknown, and then `status` says why."""

    value: float
    low: float
    high: float
    level: float
    status: str

    @classmethod
    def of_metric(cls, metric: metrics.Estimate, level: float) -> Estimate:
        """Return a metric of the evaluation; `level` is that of the evaluation, which a missing interval lacks."""
        return cls(metric.value, metric.interval.low, metric.interval.high, level, str(metric.status))

    @classmethod
    def of_test(cls, test: TestResult, level: float) -> Estimate:
        """Return the estimate of a test; `level` is that of the analysis, which a test without interval lacks."""
        return cls(test.estimate, test.low, test.high, level, str(test.status))

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def interval(self, write: Callable[[float], str] = fixed) -> str:
        """``95 % interval 0.87 to 0.95``, as `write` writes numbers; or why there is none, which may be empty."""
        if not self.has_interval:
            return status_text(self.status)
        return f"{level_text(self.level)} interval {write(self.low)} to {write(self.high)}"

    def __str__(self) -> str:
        return with_interval(self.value, self.low, self.high)
