"""The metric of a cell with its intervals: one for each question that its runs answer."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mlx.core.scale import is_rounding
from mlx.results.comparison import RANGES
from mlx.results.study import CellEstimate, Question
from mlx.stats.interval import Interval, critical_value
from mlx.stats.mean_intervals import MIN_SAMPLES
from mlx.stats.paired import paired_influence
from mlx.stats.proportions import wilson_interval
from mlx.stats.resampled_t import corrected_resampled_t
from mlx.stats.seeds_by_samples import MIN_SEEDS, metric_over_seeds
from mlx.stats.status import OK, Reason, Status
from mlx.studies.values import MetricValues, Repeats, Varies

BETWEEN_RUNS = "Student's t of the runs"
FEW = "Wilson's for the effective number of samples, of seeds and samples"
FEW_ERRORS = 10
"""With fewer errors in the mean of the runs, an interval of accuracy with even sides is too short."""

WITH_BIAS = "conservative: extended by what noise adds; "


def estimate_cell(
    cell: str, values: MetricValues, repeats: Repeats | None = None, level: float = 0.95
) -> tuple[CellEstimate, ...]:
    """Return a row for each question about a metric of a cell.

    One run, or runs that all agree, answer for *this model, other samples*. More runs answer for *this test set, other
    seeds* and for *this recipe, other seeds and samples*; where each has its own split or data, for these alone.

    Parameters
    ----------
    cell
        Its name.
    values
        The metric of its runs, at least one.
    repeats
        What differs between the runs; by default the training alone.
    level
        Of the intervals, between 0 and 1.
    """
    repeats = repeats or Repeats()
    found = values.estimates
    spread = float("nan") if values.n_runs == 1 else 0.0 if is_rounding(found) else float(found.std(ddof=1))
    row = CellEstimate(
        cell=cell,
        metric=values.metric,
        question=repeats.question,
        estimate=values.mean,
        sd=spread,
        least=float(found.min()),
        greatest=float(found.max()),
        n_seeds=values.n_runs,
        n_samples=values.n_samples,
    )
    return tuple(
        replace(
            row,
            question=question,
            low=interval.low,
            high=interval.high,
            confidence=interval.level,
            method=interval.method,
            status=status if interval.why_missing.is_ok else interval.status,
        )
        for question, whole, status in _answers(values, repeats, level)
        for interval in [whole.within(*RANGES[values.metric])]
    )


def _answers(values: MetricValues, repeats: Repeats, level: float) -> Iterator[tuple[Question, Interval, Status]]:
    """Each question with its interval, and what is said of it."""
    undefined = bool(np.isnan(values.estimates).any())
    if repeats.varies is not Varies.TRAINING:
        why = values.why if undefined else OK
        found = Interval.missing(why) if undefined else _between(values, repeats.ratio, level)
        yield repeats.question, found, Reason.APPROXIMATE() if repeats.varies is Varies.SPLIT else OK
        return
    given = values.why.is_ok and values.n_samples > 1
    if values.is_one_model:
        yield Question.MODEL, _of_one_model(values, level), Reason.SEEDS_AGREE() if values.n_runs > 1 else OK
        return
    yield Question.TEST_SET, Interval.missing(values.why) if undefined else _between(values, 0.0, level), OK
    interval = _over_seeds(values, level) if given else Interval.missing(values.why)
    yield Question.RECIPE, _with_bias(interval, values), OK


def _over_seeds(values: MetricValues, level: float) -> Interval:
    """Interval for other seeds and samples; of an accuracy with few errors Wilson's.

    That is for as many samples as give a proportion an interval of this width.
    """
    found = metric_over_seeds(values.table, level).interval
    share, n = values.mean, values.n_samples
    if not (values.is_proportion and found.why_missing.is_ok and n * min(share, 1 - share) < FEW_ERRORS):
        return found
    error = (found.high - found.low) / 2 / critical_value(level)
    return replace(
        wilson_interval(share * share * (1 - share) / error**2, share * (1 - share) / error**2, level), method=FEW
    )


def _between(values: MetricValues, ratio: float, level: float) -> Interval:
    """Student's t of the runs; of those on splits of the same data, corrected for the samples that they share."""
    if values.n_runs < MIN_SEEDS:
        return Interval.missing(Reason.SEEDS_NEEDED())
    if ratio > 0:
        return corrected_resampled_t(values.estimates, ratio, level).interval
    error = float(values.estimates.std(ddof=1)) / values.n_runs**0.5
    if error == 0:
        return Interval.missing(Reason.ALL_THE_SAME())
    half = critical_value(level, values.n_runs - 1) * error
    return Interval(values.mean - half, values.mean + half, level, BETWEEN_RUNS)


def _of_one_model(values: MetricValues, level: float) -> Interval:
    if values.is_proportion and values.n_samples:
        return wilson_interval(float(values.estimates[0]) * values.n_samples, values.n_samples, level)
    if not values.why.is_ok or values.n_samples < MIN_SAMPLES:
        return Interval.missing(values.why if not values.why.is_ok else Reason.TOO_FEW(MIN_SAMPLES))
    found = paired_influence(values.mean, values.influence[0], level, n_carrying=values.n_carrying)
    return _with_bias(found.interval, values)


def _with_bias(interval: Interval, values: MetricValues) -> Interval:
    """Return an interval whose lower end is moved by what noise adds to the estimates."""
    if values.bias is None or not interval.why_missing.is_ok:
        return interval
    low = interval.low - float(values.bias.mean())
    return replace(interval, low=low, method=f"{WITH_BIAS}{interval.method.removeprefix(WITH_BIAS)}")
