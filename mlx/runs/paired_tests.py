"""Paired tests of two models on the test samples that they share."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.scale import exponent_of, in_unit, is_rounding
from mlx.pipeline.model_outputs import naming_model_outputs
from mlx.results.comparison import NULLS, PRIMARY, Metric, PairedTest
from mlx.runs.compared_model import MEASURES, NO_INFLUENCE, ComparedModel, Measured
from mlx.runs.run import Run
from mlx.runs.shared_samples import SharedOutputs
from mlx.stats.groups import Groups
from mlx.stats.paired import PairedDifference, missing_difference, paired_influence, paired_mean, paired_proportions
from mlx.stats.status import OK, Reason, Status

NAN = float("nan")

MIN_DIFFERENCES = 4
"""Fewest expected samples that one model alone gets right, for the score test to reach its level."""

MIN_SAMPLES = {Metric.RMSE: 30, Metric.R2: 200}
"""Fewest samples for a test of a root of a mean, or of a ratio of means, whose influence is only their linear part."""


def paired_tests(first: Run, second: Run, shared: SharedOutputs, *, level: float, n_bins: int) -> list[PairedTest]:
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
    first: Run, second: Run, metric: Metric, estimates: tuple[float, float], found: PairedDifference, n: int
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


def _classifiers(runs: tuple[Run, Run], models: tuple[ComparedModel, ComparedModel], by: _By) -> Found:
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
    return paired_influence(difference, influence, by.level, by.groups)


def _targets(shared: SharedOutputs) -> list[Floats]:
    """Targets (n,), and what each model predicts."""
    pairs = list(zip(shared.outputs, shared.rows, strict=True))
    values = [pairs[0][0].y_true[pairs[0][1]], *(recorded.y_pred[rows] for recorded, rows in pairs)]
    return [np.asarray(each, dtype=np.float64) for each in values]


def _regressions(true: Floats, first: Floats, second: Floats, by: _By) -> Found:
    """Test errors in units of the largest, so that no difference or square of them overflows."""
    unit = max(map(exponent_of, (true, first, second))) + 1
    target = in_unit(true, unit)
    errors = [target - in_unit(predicted, unit) for predicted in (first, second)]
    step = max(map(exponent_of, errors))
    sizes = [np.abs(in_unit(error, step)) for error in errors]
    measured = {
        Metric.MAE: [Measured(float(size.mean()), size, is_mean=True) for size in sizes],
        Metric.RMSE: [_rmse(size**2) for size in sizes],
        Metric.R2: [_r2(in_unit(true, unit), size**2, step) for size in sizes],
    }
    for metric, (one, other) in measured.items():
        test = _difference(one, other, by)
        numbers = np.array([test.interval.low, test.interval.high, test.difference, one.estimate, other.estimate])
        numbers = in_unit(numbers, 0 if metric is Metric.R2 else -(unit + step))
        low, high, difference, *estimates = np.where(np.isinf(numbers), NAN, numbers).tolist()
        test = replace(test, difference=difference, interval=replace(test.interval, low=low, high=high))
        if np.isinf(numbers).any():
            test = missing_difference(Reason.BEYOND_RANGE(), difference)
        yield metric, (estimates[0], estimates[1]), test


def _rmse(squares: Floats) -> Measured:
    """√m of the mean m of squared errors, with φ = (e² − m)/(2·√m)."""
    mean = float(squares.mean())
    root = float(np.sqrt(mean))
    return Measured(root, (squares - mean) / (2 * root or 1.0), _few(Metric.RMSE, squares))


def _r2(target: Floats, squares: Floats, step: int) -> Measured:
    """1 − m/v, v the mean of d² = (y − ȳ)², with φ = −(e² − m·d²/v)/v; squared errors in units of 2^(2·step)."""
    if is_rounding(target):
        return Measured(NAN, NO_INFLUENCE, Reason.CONSTANT("target"))
    deviations = target - target[0]  # without rounding, where all are near
    deviations -= deviations.mean()
    own = exponent_of(deviations)
    deviations = in_unit(deviations, own) ** 2
    ratio, variance = float(squares.mean() / deviations.mean()), float(deviations.mean())
    influence = in_unit((squares - ratio * deviations) / variance, 2 * (own - step))
    return Measured(1 - float(in_unit(ratio, 2 * (own - step))), -influence, _few(Metric.R2, squares))


def _few(metric: Metric, values: Floats) -> Status:
    return OK if values.size >= MIN_SAMPLES[metric] else Reason.TOO_FEW(MIN_SAMPLES[metric])
