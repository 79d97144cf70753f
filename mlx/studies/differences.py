"""Paired differences of a metric between cells: to the baseline, and between all."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np

from mlx.core import scale
from mlx.results.comparison import RANGES
from mlx.results.study import CellDifference, Question
from mlx.stats.interval import Interval
from mlx.stats.mean_intervals import MIN_SAMPLES
from mlx.stats.multiple_testing import holm, holm_level
from mlx.stats.paired import paired_influence, paired_mean, paired_proportions
from mlx.stats.resampled_t import corrected_resampled_t
from mlx.stats.seed_differences import difference_over_seeds
from mlx.stats.seeds_by_samples import MIN_SEEDS
from mlx.stats.status import OK, Reason, Status
from mlx.studies.values import MetricValues, Repeats, Varies

NAN = float("nan")

MIN_DIFFERENCES = 10
"""Fewest expected samples that one of two runs alone gets right, for accuracies over seeds to be compared."""

Found = tuple[Question, Interval, float, Status]
"""A question, the interval and the p-value of the difference, and what is missing or said of it."""


def compare_cells(
    cells: Mapping[str, MetricValues], baseline: str | None = None, repeats: Repeats | None = None, level: float = 0.95
) -> tuple[CellDifference, ...]:
    """Compare all pairs of cells by one metric, with p-values adjusted for all pairs, and for those of the baseline.

    Parameters
    ----------
    cells
        The same metric of each, by name, in the order of the study.
    baseline
        Name of the cell that comes first in its pairs, and whose pairs are a family of their own; None without one.
    repeats, level
        As for `difference_of`.
    """
    names = sorted(cells, key=lambda name: name != baseline)
    rows = [_row(pair, cells, baseline, repeats, level) for pair in combinations(names, 2)]
    every, own = (np.array([row.p if one or row.baseline else NAN for row in rows]) for one in (True, False))
    levels = {False: holm_level(every, level), True: holm_level(own, level)}
    adjusted = [
        replace(row, p_holm=float(p), p_holm_baseline=float(p_own))
        for row, p, p_own in zip(rows, holm(every), holm(own), strict=True)
    ]
    return tuple(_with_decision(row, cells, repeats, levels[row.baseline]) for row in adjusted)


def _with_decision(
    row: CellDifference, cells: Mapping[str, MetricValues], repeats: Repeats | None, level: float
) -> CellDifference:
    """Return a row with the interval at the level by which Holm's procedure decides."""
    interval = Interval(row.low, row.high, row.confidence)
    if level != row.confidence and row.low == row.low:
        interval = difference_of(cells[row.first], cells[row.second], repeats, level)[1]
    return replace(row, low_holm=interval.low, high_holm=interval.high, confidence_holm=interval.level)


def _row(
    pair: tuple[str, str],
    cells: Mapping[str, MetricValues],
    baseline: str | None,
    repeats: Repeats | None,
    level: float,
) -> CellDifference:
    first, second = (cells[name] for name in pair)
    question, interval, p, status = difference_of(first, second, repeats, level)
    return CellDifference(
        first=pair[0],
        second=pair[1],
        metric=first.metric,
        question=question,
        baseline=pair[0] == baseline,
        estimate_first=first.mean,
        estimate_second=second.mean,
        difference=scale.difference_of(second.mean, first.mean),
        low=interval.low,
        high=interval.high,
        confidence=interval.level,
        method=interval.method,
        p=p,
        n_seeds_first=first.n_runs,
        n_seeds_second=second.n_runs,
        n_samples=first.n_samples,
        status=status,
    )


def difference_of(
    first: MetricValues, second: MetricValues, repeats: Repeats | None = None, level: float = 0.95
) -> Found:
    """Return the interval and the p-value of second minus first.

    Parameters
    ----------
    first, second
        The same metric of two cells. Runs that share their test samples have the same in the same order; runs with
        splits or data of their own have the same seeds in the same order.
    repeats
        What differs between the runs of a cell; by default the training alone.
    level
        Of the interval, between 0 and 1.

    Raises
    ------
    ValueError
        The numbers of samples differ, or those of runs on splits or data of their own.
    """
    question, interval, p, status = _difference(first, second, repeats or Repeats(), level)
    least, greatest = RANGES[first.metric]
    return question, interval.within(least - greatest, greatest - least), p, status


def _difference(first: MetricValues, second: MetricValues, repeats: Repeats, level: float) -> Found:
    if repeats.varies is not Varies.TRAINING:
        return repeats.question, *_of_runs(first, second, repeats, level)
    question = Question.MODEL if first.is_one_model and second.is_one_model else Question.RECIPE
    if not (why := why_not_compared(first, second)).is_ok and not (first.is_proportion and question is Question.MODEL):
        return _missing(question, why)
    if first.samples != second.samples:
        return _missing(question, Reason.OTHER_TEST_SAMPLES())
    if first.n_samples != second.n_samples:
        raise ValueError(f"expected the same test samples, found {first.n_samples} and {second.n_samples}")
    if first.bias is not None or second.bias is not None:
        return _missing(question, Reason.BIASED_BY_BINNING())
    if first.n_samples < MIN_SAMPLES:
        return _missing(question, Reason.TOO_FEW(MIN_SAMPLES))
    if question is Question.MODEL:
        return question, *_of_models(first, second, level)
    if min(first.n_runs, second.n_runs) < 2:
        return _missing(question, Reason.SEEDS_NEEDED())
    found = difference_over_seeds(first.table, second.table, level)
    status = found.status if found.interval.why_missing.is_ok else Reason.NO_TEST(found.interval.why_missing)
    return question, found.interval, found.p, status


def why_not_compared(first: MetricValues, second: MetricValues) -> Status:
    """Say why two cells are not compared; for accuracies, samples count that one alone gets right, not errors."""
    if first.is_proportion and second.is_proportion:
        wrong, other = 1 - first.mean, 1 - second.mean
        expected = first.n_samples * (wrong * (1 - other) + other * (1 - wrong))
        return OK if expected >= MIN_DIFFERENCES else Reason.TOO_FEW_DIFFERENCES(MIN_DIFFERENCES)
    # What is undefined says more.
    found = sorted((first, second), key=lambda one: not np.isnan(one.mean))
    return next((values.why for values in found if not values.why.is_ok), OK)


def _missing(question: Question, why: Status) -> Found:
    return question, Interval.missing(why), NAN, Reason.NO_TEST(why)


def _of_runs(
    first: MetricValues, second: MetricValues, repeats: Repeats, level: float
) -> tuple[Interval, float, Status]:
    """Corrected resampled t of splits of the same data; where each seed has data of its own, the paired t."""
    differences = second.estimates - first.estimates
    why = Reason.SEEDS_NEEDED() if differences.size < MIN_SEEDS else OK
    for values in (first, second):
        why = values.why if np.isnan(values.mean) else why
    if not why.is_ok:
        return Interval.missing(why), NAN, Reason.NO_TEST(why)
    if repeats.varies is Varies.SPLIT:
        corrected = corrected_resampled_t(differences, repeats.ratio, level)
        return corrected.interval, corrected.p, corrected.status
    plain = paired_mean(differences, level)
    return plain.interval, plain.p, plain.status


def _of_models(first: MetricValues, second: MetricValues, level: float) -> tuple[Interval, float, Status]:
    """Other samples only, as `mlx compare` tests two runs."""
    if first.is_proportion:
        gap = second.influence[0] - first.influence[0] + second.estimates[0] - first.estimates[0]
        found = paired_proportions(int((gap > 0.5).sum()), int((gap < -0.5).sum()), first.n_samples, level)
    else:
        influence = second.influence[0] - first.influence[0]
        carrying = min(first.n_carrying, second.n_carrying)
        found = paired_influence(second.mean - first.mean, influence, level, n_carrying=carrying)
    return found.interval, found.p, found.status
