"""Compares runs: differences of their configurations and metrics, and paired tests of their models."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlx.core.metrics import LEVELS
from mlx.evaluation.settings import EvaluationSettings
from mlx.results.comparison import Metric, PairedTest, SharedSamples
from mlx.results.numbers import ends_text
from mlx.runs.paired_tests import TestsAt, measured_tests
from mlx.runs.run import Run
from mlx.runs.shared_samples import SharedOutputs, shared_outputs
from mlx.runs.verdicts import Verdict, compared
from mlx.stats.multiple_testing import holm, holm_level

Row = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Comparison:
    """A comparison of runs: rows of a name and one value for each run.

    Attributes
    ----------
    runs
        Ids.
    configuration
        Keys whose values differ; None if a run has no such key.
    metrics
        Of all runs.
    samples
        The test samples that each further run shares with the first.
    tests
        Each further run against the first, by every metric of the task.
    """

    runs: tuple[str, ...]
    configuration: tuple[Row, ...]
    metrics: tuple[Row, ...]
    samples: tuple[SharedSamples, ...]
    tests: tuple[PairedTest, ...]

    def verdicts(self) -> list[Verdict]:
        """Return what the primary test of each further run says in words; none of a run without shared samples."""
        return [compared(test, len(self.samples)) for test in self.tests if test.primary]


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Compare two or more runs, as `compare_outputs`."""
    return compare_outputs(runs)[0]


def compare_outputs(runs: Sequence[Run]) -> tuple[Comparison, list[SharedOutputs]]:
    """Compare two or more runs; also return what each further one shares with the first.

    Intervals have the confidence level of the evaluation of the first run, and its bins the calibration errors.

    Raises
    ------
    ArtifactError
        The configuration of a run is missing or damaged, or what its model predicted is damaged.
    """
    configs = [_flat(run.config()) for run in runs]
    metrics = [_flat(run.summary.metrics) for run in runs]  # confidence levels that differ are in the configuration
    differing = [row for row in _rows(configs) if len({repr(value) for value in row[1]}) > 1]
    level = (EvaluationSettings().as_dict() | runs[0].config().get("evaluation", {}))["confidence"]
    shared = [shared_outputs(runs[0], run) for run in runs[1:]]
    pairs = [_tests_of(runs[0], run, outputs) for run, outputs in zip(runs[1:], shared, strict=True)]
    comparison = Comparison(
        tuple(run.id for run in runs),
        tuple(row for row in differing if row[0] not in {"name", "description"}),
        tuple(row for row in _rows(metrics) if row[0].rpartition(".")[2] not in LEVELS),
        tuple(outputs.samples for outputs in shared),
        tuple(_adjusted(pairs, level)),
    )
    return comparison, shared


def _tests_of(first: Run, second: Run, shared: SharedOutputs) -> TestsAt:
    if not shared.outputs:
        none = PairedTest(first=first.id, second=second.id, status=shared.samples.status)
        return lambda _: [none]
    n_bins = (EvaluationSettings().as_dict() | first.config().get("evaluation", {}))["n_bins"]
    return measured_tests(first, second, shared, n_bins=n_bins)


def _adjusted(pairs: Sequence[TestsAt], level: float) -> list[PairedTest]:
    """Return the tests of all pairs, those of each metric adjusted for the number of further runs."""
    at = {level: [test for tests_at in pairs for test in tests_at(level)]}
    found = list(at[level])
    for metric in Metric:
        places = [place for place, test in enumerate(found) if test.metric is metric]
        p_values = np.array([found[place].p for place in places])
        decided = holm_level(p_values, level)
        if decided not in at:
            at[decided] = [test for tests_at in pairs for test in tests_at(decided)]
        for place, p in zip(places, holm(p_values), strict=True):
            test = at[decided][place]
            found[place] = replace(
                found[place],
                p_holm=float(p),
                low_holm=test.low,
                high_holm=test.high,
                confidence_holm=test.confidence,
            )
    return found


def _flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{above}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return flat


def _rows(columns: Sequence[dict[str, Any]]) -> list[Row]:
    names = dict.fromkeys(name for column in columns for name in column)
    return [(name, tuple(column.get(name) for column in columns)) for name in names]


def with_intervals(rows: Sequence[Row]) -> list[Row]:
    """Append intervals to their values, and omit metrics that no run has."""
    values = dict(rows)
    joined = []
    for name, row in rows:
        if name.endswith(("_low", "_high")) or all(value is None for value in row):
            continue
        lows, highs = (values.get(f"{name}_{end}", (None,) * len(row)) for end in ("low", "high"))
        pairs = zip(row, map(ends_text, lows, highs), strict=True)
        joined.append((name, tuple(value if ends is None else f"{value:.4g} ({ends})" for value, ends in pairs)))
    return joined
