"""Paired tests of two models on the test samples that they share."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Floats
from mlx.pipeline.model_outputs import naming_model_outputs
from mlx.results.comparison import NULLS, PRIMARY, Metric, PairedTest
from mlx.runs.compared_model import MEASURES, ComparedModel, Measured
from mlx.runs.compared_regression import measure_regressions
from mlx.runs.shared_samples import Recorded, SharedOutputs
from mlx.stats.groups import Groups
from mlx.stats.paired import PairedDifference, missing_difference, paired_influence, paired_mean, paired_proportions
from mlx.stats.status import Reason

NAN = float("nan")

MIN_DIFFERENCES = 4
"""Fewest expected samples that one model alone gets right, for the score test to reach its level."""


def paired_tests(
    first: Recorded, second: Recorded, shared: SharedOutputs, *, level: float, n_bins: int
) -> list[PairedTest]:
    """Test every metric of the task of two runs on their shared samples.

    Parameters
    ----------
    first, second, shared
        The runs, and what `shared_outputs` returns of them, with at least one sample.
    level
        Of the intervals.
    n_bins
        Bins of the calibration error.
    """
    by = _By(level, shared.groups)
    if shared.outputs[0].task == "regression":
        true, *predicted = _targets(shared)
        found = _regressions(true, predicted[0], predicted[1], by)
    else:
        models = [ComparedModel(*one, n_bins, shared.groups) for one in zip(shared.outputs, shared.rows, strict=True)]
        found = _classifiers((first, second), (models[0], models[1]), by)
    n = shared.samples.n
    tests = [_test(first, second, metric, estimates, one, n) for metric, estimates, one in found]
    if shared.groups is not None or not shared.samples.n_duplicates:
        return tests
    counts = shared.samples.n_duplicates, n
    return [one if np.isnan(one.p) else replace(one, status=Reason.DUPLICATES(one.status, *counts)) for one in tests]


@dataclass(frozen=True)
class _By:
    """The level of intervals, and the groups that they go by."""

    level: float
    groups: Groups | None


Found = Iterator[tuple[Metric, tuple[float, float], PairedDifference]]


def _test(
    first: Recorded, second: Recorded, metric: Metric, estimates: tuple[float, float], found: PairedDifference, n: int
) -> PairedTest:
    return PairedTest(
        first=first.id,
        second=second.id,
        metric=metric,
        primary=metric in PRIMARY,
        estimate_first=estimates[0],
        estimate_second=estimates[1],
        difference=found.difference,
        low=found.interval.low,
        high=found.interval.high,
        confidence=found.interval.level,
        method=found.interval.method,
        p=found.p,
        null=NULLS[metric] if found.interval.why_missing.is_ok else "",
        n=n,
        status=found.status,
    )


def _classifiers(runs: tuple[Recorded, Recorded], models: tuple[ComparedModel, ComparedModel], by: _By) -> Found:
    right = [~model.error for model in models]
    yield Metric.ACCURACY, (float(right[0].mean()), float(right[1].mean())), _accuracies(*models, by)
    for metric in MEASURES:
        found = []
        for run, model in zip(runs, models, strict=True):
            with naming_model_outputs(run.workspace, model.recorded):
                measured = model.measure(metric)
            found.append(measured)
        yield metric, (found[0].estimate, found[1].estimate), _difference(found[0], found[1], by)


def _accuracies(first: ComparedModel, second: ComparedModel, by: _By) -> PairedDifference:
    """Test accuracies by the samples that one model alone gets right; the status says where they are few."""
    if by.groups is not None:
        return paired_mean(first.error.astype(np.float64) - second.error, by.level, by.groups)
    gained, lost = int((first.error & ~second.error).sum()), int((~first.error & second.error).sum())
    found = paired_proportions(gained, lost, first.n, by.level)
    expected = float(gained + lost)
    if first.recorded.validation and second.recorded.validation:
        rates = [model.expected_errors / model.n for model in (first, second)]
        expected = first.n * (rates[0] * (1 - rates[1]) + rates[1] * (1 - rates[0]))
    few = Reason.TOO_FEW_DIFFERENCES(MIN_DIFFERENCES)
    return found if expected >= MIN_DIFFERENCES else replace(found, status=few)


def _difference(first: Measured, second: Measured, by: _By) -> PairedDifference:
    difference = second.estimate - first.estimate
    for measured in sorted((first, second), key=lambda one: not np.isnan(one.estimate)):  # what is undefined says more
        if not measured.why.is_ok:
            return missing_difference(measured.why, difference)
    influence = second.influence - first.influence
    if first.is_mean:
        return paired_mean(influence, by.level, by.groups)
    carrying = min(first.n_carrying, second.n_carrying)
    return paired_influence(difference, influence, by.level, by.groups, n_carrying=carrying)


def _targets(shared: SharedOutputs) -> list[Floats]:
    """Targets (n,), and what each model predicts."""
    pairs = list(zip(shared.outputs, shared.rows, strict=True))
    values = [pairs[0][0].y_true[pairs[0][1]], *(recorded.y_pred[rows] for recorded, rows in pairs)]
    return [np.asarray(each, dtype=np.float64) for each in values]


def _regressions(true: Floats, first: Floats, second: Floats, by: _By) -> Found:
    measured = measure_regressions(true, (first, second))
    for metric, one in measured.models[0].items():
        other = measured.models[1][metric]
        test = _difference(one, other, by)
        numbers = [test.interval.low, test.interval.high, test.difference, one.estimate, other.estimate]
        numbers = measured.as_they_are(metric, numbers).tolist()
        low, high, difference, *estimates = (NAN if np.isinf(number) else number for number in numbers)
        test = replace(test, difference=difference, interval=replace(test.interval, low=low, high=high))
        if np.isinf(numbers).any():
            test = missing_difference(Reason.BEYOND_RANGE(), difference)
        yield metric, (estimates[0], estimates[1]), test
