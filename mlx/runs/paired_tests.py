"""Paired tests of two models on the test samples that they share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import isnan

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.scale import difference_of
from mlx.pipeline.model_outputs import naming_model_outputs
from mlx.results.comparison import NULLS, PRIMARY, Metric, PairedTest
from mlx.runs.compared_model import MEASURES, ComparedModel, Measured
from mlx.runs.compared_regression import MeasuredRegressions, measure_regressions
from mlx.runs.shared_samples import ComparedRun, SharedOutputs
from mlx.stats.groups import Groups
from mlx.stats.paired import PairedDifference, missing_difference, paired_influence, paired_mean, paired_proportions
from mlx.stats.status import Reason

NAN = float("nan")

MIN_DIFFERENCES = 4
"""Fewest expected samples that one model alone gets right, for the score test to reach its level."""


TestsAt = Callable[[float], list[PairedTest]]
"""Gives the tests of every metric with intervals of a level; what they have in common is measured once."""


def paired_tests(
    first: ComparedRun, second: ComparedRun, shared: SharedOutputs, *, level: float, n_bins: int
) -> list[PairedTest]:
    """Test every metric of the task of two runs on their shared samples, as `measured_tests` at one `level`."""
    return measured_tests(first, second, shared, n_bins=n_bins)(level)


def measured_tests(first: ComparedRun, second: ComparedRun, shared: SharedOutputs, *, n_bins: int) -> TestsAt:
    """Measure every metric of the task of two runs on their shared samples.

    Parameters
    ----------
    first, second, shared
        The runs, and what `shared_outputs` returns of them, with at least one sample.
    n_bins
        Bins of the calibration error.

    Returns
    -------
    function
        Of the level of the intervals; it returns a test for each metric, the primary one first.
    """
    if shared.outputs[0].task == "regression":
        true, *predicted = _targets(shared)
        found = list(_regressions(true, predicted[0], predicted[1]))
    else:
        models = [ComparedModel(*one, n_bins, shared.groups) for one in zip(shared.outputs, shared.rows, strict=True)]
        found = list(_classifiers((first, second), (models[0], models[1])))

    def at(level: float) -> list[PairedTest]:
        by = _By(level, shared.groups)
        tests = [_test(first, second, metric, *found_at(by), shared.samples.n) for metric, found_at in found]
        if shared.groups is not None or not shared.samples.n_duplicates:
            return tests
        counts = shared.samples.n_duplicates, shared.samples.n
        return [one if isnan(one.p) else replace(one, status=Reason.DUPLICATES(one.status, *counts)) for one in tests]

    return at


@dataclass(frozen=True)
class _By:
    """The level of intervals, and the groups that they go by."""

    level: float
    groups: Groups | None


FoundAt = Callable[[_By], tuple[tuple[float, float], PairedDifference]]
Found = Iterator[tuple[Metric, FoundAt]]
"""Of each metric, the estimates of both models and the test of their difference, by level and groups."""


def _test(
    first: ComparedRun,
    second: ComparedRun,
    metric: Metric,
    estimates: tuple[float, float],
    found: PairedDifference,
    n: int,
) -> PairedTest:
    return PairedTest(
        first=first.id,
        second=second.id,
        metric=metric,
        primary=metric in PRIMARY,
        estimate_first=estimates[0],
        estimate_second=estimates[1],
        difference=_unless_rounding(found.difference, estimates),
        low=found.interval.low,
        high=found.interval.high,
        confidence=found.interval.level,
        method=found.interval.method,
        p=found.p,
        null=NULLS[metric] if found.interval.why_missing.is_ok else "",
        n=n,
        status=found.status,
    )


def _unless_rounding(difference: float, estimates: tuple[float, float]) -> float:
    """Return a difference; exactly 0 where it is the rounding of equal estimates."""
    return 0.0 if difference_of(estimates[1], estimates[0]) == 0 else difference


def _classifiers(runs: tuple[ComparedRun, ComparedRun], models: tuple[ComparedModel, ComparedModel]) -> Found:
    right = float((~models[0].error).mean()), float((~models[1].error).mean())
    yield Metric.ACCURACY, lambda by: (right, _accuracies(*models, by))
    for metric in MEASURES:
        found = []
        for run, model in zip(runs, models, strict=True):
            with naming_model_outputs(run.workspace, model.recorded):
                measured = model.measure(metric)
            found.append(measured)
        yield metric, _found(found[0], found[1])


def _found(first: Measured, second: Measured) -> FoundAt:
    return lambda by: ((first.estimate, second.estimate), _difference(first, second, by))


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


def _regressions(true: Floats, first: Floats, second: Floats) -> Found:
    measured = measure_regressions(true, (first, second))
    for metric in measured.models[0]:
        yield metric, partial(_regression, measured, metric)


def _regression(measured: MeasuredRegressions, metric: Metric, by: _By) -> tuple[tuple[float, float], PairedDifference]:
    one, other = (model[metric] for model in measured.models)
    test = _difference(one, other, by)
    numbers = [test.interval.low, test.interval.high, test.difference, one.estimate, other.estimate]
    numbers = measured.as_they_are(metric, numbers).tolist()
    low, high, difference, *estimates = (NAN if np.isinf(number) else number for number in numbers)
    test = replace(test, difference=difference, interval=replace(test.interval, low=low, high=high))
    if np.isinf(numbers).any():
        test = missing_difference(Reason.BEYOND_RANGE(), difference)
    return (estimates[0], estimates[1]), test
