"""Numbers that a metrics file holds: with their intervals as types, and flat under the keys of the file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Self, get_args, get_origin, get_type_hints

import numpy as np

from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE
from mlx.results.numbers import or_none
from mlx.stats.interval import NAN, Interval
from mlx.stats.status import OK, Reason, Status

FlatMetrics = dict[str, float | int | str | None]

ROUNDING = 1e-9
"""How far beyond its range rounding may take a number."""


@dataclass(frozen=True)
class Range:
    """The numbers that a metric can be, both ends included; the annotation of a field of a `MetricSet`."""

    low: float
    high: float

    def __str__(self) -> str:
        if np.isinf(self.high):
            return f"a number of at least {self.low:g}"
        return (
            f"a number of at most {self.high:g}"
            if np.isinf(self.low)
            else f"a number from {self.low:g} to {self.high:g}"
        )

    def holds(self, value: float) -> bool:
        """Whether a number is in the range, or NaN."""
        return not (value < self.low - ROUNDING or value > self.high + ROUNDING)


SHARE = Range(0, 1)
CORRELATION = Range(-1, 1)
LOSS = Range(0, np.inf)


@dataclass(frozen=True)
class Estimate:
    """A metric with its interval; NaN where undefined, for the reason that the interval is missing."""

    value: float
    interval: Interval

    @classmethod
    def missing(cls, why: Status) -> "Estimate":
        """Return the estimate that is undefined, for a reason."""
        return cls(NAN, Interval.missing(why))

    @property
    def status(self) -> Status:
        """`OK`, or what is missing and why."""
        return self.interval.why_missing if np.isnan(self.value) else self.interval.status

    def flat(self, name: str) -> FlatMetrics:
        """Return the value and the ends of the interval; also its method where it has one, or why one is missing."""
        low, high = or_none(self.interval.low), or_none(self.interval.high)
        found: FlatMetrics = {name: or_none(self.value), f"{name}_low": low, f"{name}_high": high}
        if not self.status.is_ok:
            return found | {f"{name}_status": str(self.status)}
        return found | {f"{name}_method": self.interval.method} if self.interval.method else found

    @classmethod
    def from_flat(cls, name: str, metrics: Mapping[str, Any]) -> "Estimate":
        """Return the estimate that stands under these keys."""
        value, low, high = (_number(metrics[name + end]) for end in ("", "_low", "_high"))
        if not np.isnan(low + high):
            return cls(value, Interval(low, high, metrics["confidence"], str(metrics.get(f"{name}_method", ""))))
        status = _status(metrics[f"{name}_status"])
        why = status.values[0] if status.reason is Reason.NO_INTERVAL else status
        if not isinstance(why, Status):
            raise ValueError(str(status))
        return cls(value, Interval.missing(why))


@dataclass(frozen=True)
class CalibrationTest:
    """A sum of scores less what the predictions expect of it, over its standard deviation.

    Attributes
    ----------
    z
        Standard normal for a calibrated model (by group, Student's t); above 0 the model is worse than its
        probabilities say. NaN where the predictions are certain, and by group where there are too few.
    p
        Two-sided; NaN also where too few errors are expected for the normal distribution to hold.
    status
        `OK`, or why one of them is missing.
    """

    z: float
    p: float
    status: Status = OK

    def flat(self, name: str) -> FlatMetrics:
        """Return both numbers under their keys."""
        return {f"{name}_z": or_none(self.z), f"{name}_p": or_none(self.p)}

    def flat_status(self, name: str) -> FlatMetrics:
        """Return the status under the key of each number that is missing."""
        return {f"{key}_status": str(self.status) for key, value in self.flat(name).items() if value is None}

    @classmethod
    def from_flat(cls, name: str, metrics: Mapping[str, Any]) -> "CalibrationTest":
        """Return the test that stands under these keys."""
        status = _status(metrics[f"{name}_p_status"]) if metrics[f"{name}_p"] is None else OK
        return cls(_number(metrics[f"{name}_z"]), _number(metrics[f"{name}_p"]), status)


@dataclass(frozen=True)
class MetricSet(Mapping[str, float | int | str | None]):
    """Metrics as fields, each a number, a text, an `Estimate`, a `CalibrationTest`, or None for what does not apply.

    Also a mapping from each key of the metrics file to its value, as `as_dict` returns it.
    """

    def __getitem__(self, key: str) -> float | int | str | None:
        return self.as_dict()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.as_dict())

    def as_dict(self) -> FlatMetrics:
        """Return the metrics flat; the ends of the interval of ``x`` are ``x_low`` and ``x_high``, None without one."""
        found: FlatMetrics = {}
        statuses: FlatMetrics = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Estimate | CalibrationTest):
                found |= value.flat(field.name)
            elif value is not None:
                found[field.name] = value if isinstance(value, str) else or_none(value)
            if isinstance(value, CalibrationTest):
                statuses |= value.flat_status(field.name)
        return found | statuses

    @classmethod
    def from_dict(cls, path: Path, metrics: Mapping[str, Any]) -> Self:
        """Return the metrics that were read from a file.

        Raises
        ------
        ArtifactError
            A key is missing, a number is not one that the metric can be, or a status is not one of this version.
        """
        values = {}
        for name, annotated in get_type_hints(cls, include_extras=True).items():
            kind, *extras = get_args(annotated) if get_origin(annotated) is Annotated else (annotated,)
            try:
                values[name] = _read(kind, name, metrics)
            except KeyError as error:
                found = ", ".join(metrics)[:200]
                raise ArtifactError(f"{path}: expected a key {error}, found {found}{REMAKE}") from None
            except ValueError as error:
                wanted = "a number or null, with a status of this version"
                raise ArtifactError(f"{path}: {name}: expected {wanted}, found {error}{REMAKE}") from None
            for key, value in _numbers(name, values[name]):
                if wrong := [extra for extra in extras if not extra.holds(value)]:
                    raise ArtifactError(f"{path}: {key}: expected {wrong[0]}, found {value:g}{REMAKE}")
        return cls(**values)


def _numbers(name: str, value: Any) -> list[tuple[str, float]]:
    """Return the numbers of a metric that its range is about, each with its key in the file."""
    if isinstance(value, Estimate):
        ends = [(f"{name}_interval", end) for end in (value.interval.low, value.interval.high)]
        return [(name, value.value), *ends]
    if isinstance(value, CalibrationTest):
        return [(f"{name}_p", value.p)]
    return [] if value is None or isinstance(value, str) else [(name, value)]


def _read(kind: Any, name: str, metrics: Mapping[str, Any]) -> Any:
    if kind == Estimate | None:
        return Estimate.from_flat(name, metrics) if name in metrics else None
    if kind in {Estimate, CalibrationTest}:
        return kind.from_flat(name, metrics)
    if kind == float | None:
        return _number(metrics[name]) if name in metrics else None
    if kind in {str | None, int | None}:
        return _text_or_count(kind, metrics.get(name))
    if name in {"n", "confidence"} and metrics[name] is None:
        raise ValueError("null")
    return _number(metrics[name])


def _text_or_count(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(repr(value)[:60])
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"text '{value[:60]}'")
    return NAN if value is None else value


def _status(value: Any) -> Status:
    if not isinstance(value, str):
        raise ValueError(f"the status {'null' if value is None else value}")
    return Status.parse(value)
