"""Metrics files: flat JSON for ``dvc metrics``, an interval being one list of its two ends.

``dvc metrics show`` makes a column of every number and leaves lists out, so that the table stays one
that a person can read, and the file still holds everything. JSON knows no NaN and no infinity: what is
undefined is null, and ``<name>_status`` says why.
"""

import math
from collections.abc import Mapping
from pathlib import Path

from mlx.core.artifacts import read_json, write_json

Metrics = Mapping[str, float | int | str | None]


def write_metrics(path: Path, metrics: Metrics) -> None:
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
    write_json(path, content)


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
        if key.endswith("_interval"):
            name = key.removesuffix("_interval")
            ends = value if isinstance(value, list) and len(value) == 2 else (None, None)
            metrics[f"{name}_low"], metrics[f"{name}_high"] = ends
        else:
            metrics[key] = value
    return metrics
