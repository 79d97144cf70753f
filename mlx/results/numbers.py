"""Numbers of results as JSON and tables have them: a missing one is null, not NaN."""

from typing import Any

SMALLEST_P = 1e-6
"""p-values below this are not shown in digits: no test here is that exact. JSON has them as computed."""


def or_none(value: Any) -> Any:
    """Return a value, None in place of NaN."""
    return None if value != value else value


def ends_text(low: float | None, high: float | None) -> str | None:
    """Return the ends of an interval as text; None where one is missing."""
    known = or_none(low) is not None and or_none(high) is not None
    return f"{low:.4g} to {high:.4g}" if known else None


def p_text(p: float, digits: int = 4) -> str | None:
    """Return a p-value as text; None where it is missing."""
    if or_none(p) is None:
        return None
    return f"{p:.{digits}g}" if p >= SMALLEST_P else "< 1e-6"
