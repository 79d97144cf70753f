"""Metrics files: flat JSON for ``dvc metrics``, an interval being one list of its two ends.

``dvc metrics show`` makes a column of every number and leaves lists out, so that the table stays one
that a person can read, and the file still holds everything. JSON knows no NaN and no infinity: what is
undefined is null, and ``<name>_status`` says why.
"""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlx.core.artifacts import read_json, write_json
from mlx.core.documents import shown
from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE

Metrics = Mapping[str, float | int | str | None]

LEVELS = frozenset({"confidence"})
"""What a metrics file says of its intervals: their level, which is chosen and not measured."""


MADE_FROM = "made_from"
"""The key under which a metrics file has the identities of what it was made from, see `mlx.core.lineage`."""


def write_metrics(path: Path, metrics: Metrics, made_from: Mapping[str, str] | None = None) -> None:
    """Write `metrics`; ``x_low`` and ``x_high`` become ``x_interval``, null where there is none.

    A number that is not finite is null as well; where no status says why, one says what it was.
    """
    content: dict[str, object] = {}
    metrics = _finite(metrics)
    for key, value in metrics.items():
        if (name := key.removesuffix("_low")) != key and f"{name}_high" in metrics:
            ends = [value, metrics[f"{name}_high"]]
            content[f"{name}_interval"] = None if None in ends else ends
        elif not ((name := key.removesuffix("_high")) != key and f"{name}_low" in metrics):
            content[key] = value
    write_json(path, {**content, **({MADE_FROM: made_from} if made_from else {})})


def _finite(metrics: Metrics) -> dict[str, float | int | str | None]:
    found = dict(metrics)
    for key, value in metrics.items():
        if isinstance(value, float) and not math.isfinite(value):
            found[key] = None
            found.setdefault(f"{_name(key)}_status", f"not a finite number ({value})")
    return found


def _name(key: str) -> str:
    """Name of the metric that a key belongs to, which the ends of an interval share with it."""
    return key.removesuffix("_low").removesuffix("_high")


def read_metrics(path: Path) -> dict[str, float | int | str | None]:
    """Read what `write_metrics` wrote, the ends of intervals again under their own keys.

    Raises
    ------
    ArtifactError
        The file is missing or damaged.
    """
    metrics: dict[str, float | int | str | None] = {}
    for key, value in read_json(path).items():
        if key == MADE_FROM:
            continue
        if (name := key.removesuffix("_interval")) != key:
            metrics[f"{name}_low"], metrics[f"{name}_high"] = _ends(path, key, value)
        elif value is None or isinstance(value, str) or _is_number(value):
            metrics[key] = value
        else:
            raise ArtifactError(f"{path}: {key}: expected a number, text or null, found {shown(value)}{REMAKE}")
    return metrics


def _ends(path: Path, key: str, value: Any) -> tuple[float | None, float | None]:
    """Return the ends of an interval; both are None where there is none."""
    if value is None:
        return None, None
    if not (isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]):
        raise ArtifactError(
            f"{path}: {key}: expected the two ends of an interval or null, found {shown(value)}{REMAKE}"
        )
    return value[0], value[1]


def _is_number(value: Any) -> bool:
    """Whether `value` is a number that a float can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
