"""The interval of an error rate, of independent samples or by group."""

from dataclasses import replace

from mlx.core.array_types import Flags
from mlx.stats.groups import Groups, proportion_by_group
from mlx.stats.interval import Interval
from mlx.stats.proportions import wilson_interval

WILSON = "Wilson"
BY_GROUP = "Wilson, effective sample size by group"


def error_rate_interval(error: Flags, groups: Groups | None, level: float) -> Interval:
    """Wilson's interval of the share of errors among samples (n,), n at least 1; by group none where they are few."""
    if groups is None:
        return replace(wilson_interval(int(error.sum()), error.size, level), method=WILSON)
    if not (reason := groups.why_too_few).is_ok:
        return Interval.missing(reason)
    return replace(proportion_by_group(error, groups, level).interval, method=BY_GROUP)
