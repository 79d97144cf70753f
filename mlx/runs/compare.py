"""Compares runs: differences of their configurations and metrics, and paired tests of their models."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.metrics import LEVELS
from mlx.core.scale import exponent_of, in_unit
from mlx.pipeline.model_outputs import ModelOutputs, open_model_outputs
from mlx.runs.run import Run
from mlx.stats.multiple_testing import holm
from mlx.stats.paired import mcnemar_p_value, paired_mean_interval, paired_proportions_interval, sign_flip_p_value

Row = tuple[str, tuple[Any, ...]]

PERMUTATIONS = 9999
SEED = 0


@dataclass(frozen=True)
class PairedTest:
    """A paired test of two models on their common test samples.

    Attributes
    ----------
    first, second : ids of the runs.
    metric : accuracy, higher is better, or mean absolute error in units of y, lower is better.
    difference : of the metric, second minus first, over the common samples; None if `status` is not "ok".
    low, high : ends of its 95 % interval.
    p : two-sided; McNemar's exact test, or a permutation of signs for a regression.
    p_holm : adjusted for all comparisons with the first run.
    n : common samples.
    status : "ok", or the reason why there is no test.
    """

    first: str
    second: str
    metric: str = ""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    n: int = 0
    status: str = "ok"


@dataclass(frozen=True)
class Comparison:
    """A comparison of runs: rows of a name and one value for each run.

    Attributes
    ----------
    runs : ids.
    configuration : keys whose values differ; None if a run has no such key.
    metrics : of all runs.
    tests : each further run against the first.
    """

    runs: tuple[str, ...]
    configuration: tuple[Row, ...]
    metrics: tuple[Row, ...]
    tests: tuple[PairedTest, ...]


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Compare two or more runs.

    Raises
    ------
    ArtifactError
        The configuration of a run is missing or damaged, or what its model predicted is damaged.
    """
    configs = [_flat(run.config()) for run in runs]
    metrics = [_flat(run.summary.metrics) for run in runs]  # confidence levels that differ are in the configuration
    differing = [row for row in _rows(configs) if len({repr(value) for value in row[1]}) > 1]
    tests = [_paired_test(runs[0], run) for run in runs[1:]]
    adjusted = holm(np.array([np.nan if test.p is None else test.p for test in tests]))
    return Comparison(
        tuple(run.id for run in runs),
        tuple(row for row in differing if row[0] not in {"name", "description"}),
        tuple(row for row in _rows(metrics) if row[0].rpartition(".")[2] not in LEVELS),
        tuple(replace(test, p_holm=None if np.isnan(p) else float(p)) for test, p in zip(tests, adjusted, strict=True)),
    )


def _flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{above}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return flat


def _rows(columns: Sequence[dict[str, Any]]) -> list[Row]:
    names = dict.fromkeys(name for column in columns for name in column)
    return [(name, tuple(column.get(name) for column in columns)) for name in names]


def _paired_test(first: Run, second: Run) -> PairedTest:
    for run in (first, second):
        if not (run.workspace.representations / "representations.json").exists():
            return PairedTest(first.id, second.id, status=f"no recorded predictions of {run.id}")
    ours, theirs = (open_model_outputs(run.workspace.representations) for run in (first, second))
    if first.config()["dataset"] != second.config()["dataset"] or ours.task != theirs.task:
        return PairedTest(first.id, second.id, status="different datasets share no test samples")
    _, mine, other = np.intersect1d(ours.index, theirs.index, return_indices=True)
    if not len(mine) or not np.array_equal(ours.y_true[mine], theirs.y_true[other]):
        return PairedTest(first.id, second.id, status="no shared test samples")
    test = _classifiers if ours.task == "classification" else _regressions
    return test(PairedTest(first.id, second.id, n=len(mine)), (ours, mine), (theirs, other))


def _classifiers(pair: PairedTest, first: tuple[ModelOutputs, Array], second: tuple[ModelOutputs, Array]) -> PairedTest:
    """Test the accuracies by the samples that only one of the models gets right."""
    right, also = ((recorded.y_pred[rows] == recorded.y_true[rows]) for recorded, rows in (first, second))
    gained, lost = int((~right & also).sum()), int((right & ~also).sum())
    ends = paired_proportions_interval(gained, lost, pair.n)
    p = mcnemar_p_value(gained, lost)
    return replace(pair, metric="accuracy", difference=(gained - lost) / pair.n, low=ends.low, high=ends.high, p=p)


def _regressions(pair: PairedTest, first: tuple[ModelOutputs, Array], second: tuple[ModelOutputs, Array]) -> PairedTest:
    """Test the mean absolute errors by random signs of the differences of absolute errors."""
    before, after = (np.abs(recorded.y_true[rows] - recorded.y_pred[rows]) for recorded, rows in (first, second))
    change = after - before
    unit = exponent_of(change)
    found = replace(pair, metric="mae", difference=float(in_unit(in_unit(change, unit).mean(), -unit)))
    if change.size < 2:
        return replace(found, status="one shared test sample")
    ends = paired_mean_interval(change)
    p = sign_flip_p_value(change, PERMUTATIONS, np.random.default_rng(SEED))
    return replace(found, low=ends.low, high=ends.high, p=p)
