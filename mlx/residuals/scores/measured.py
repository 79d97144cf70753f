"""How well a score of failure ranks errors: the row of the table of scores."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mlx.core.array_types import Flags, Floats
from mlx.residuals.errors.error_detection import ErrorScore, detect_errors
from mlx.residuals.errors.ranking import Ranking
from mlx.residuals.predictions import Predictions
from mlx.residuals.settings import ResidualsSettings
from mlx.results.failure_scores import FailureScore
from mlx.results.tests import TestResult
from mlx.stats.auroc import auroc, placements
from mlx.stats.average_precision import average_precision
from mlx.stats.fixed_recall import fpr_at_95, fpr_interval
from mlx.stats.gates import LEAST_COMPARED
from mlx.stats.interval import Interval, share_interval
from mlx.stats.multiple_testing import benjamini_hochberg, holm
from mlx.stats.paired import PairedDifference, missing_difference, paired_influence, rarer_kind
from mlx.stats.status import Reason, Status

MIN_EXPECTED = {"aupr": 60, "fpr95": 60}
"""Fewest expected errors, and expected correct predictions, for an interval to hold."""

MIN_SHARED = 200
"""Fewest samples for a difference to a score that shares class means."""


def measure_score(
    score: ErrorScore,
    fitted_on: str,
    reference: Floats,
    predictions: Predictions,
    settings: ResidualsSettings,
    *,
    known: Sequence[TestResult] = (),
) -> FailureScore:
    """Measure one score of the test samples, and compare it with the reference.

    Parameters
    ----------
    score
        A sample for which it is undefined is left out.
    fitted_on
        As in the table.
    reference
        (n_samples,), the maximum probability as a score of failure.
    predictions
        Of the test samples.
    known
        The tests of the same score where they have been made.
    """
    error, groups, level = predictions.error, predictions.groups, settings.confidence
    values = score.values  # of no data frame
    rows = np.flatnonzero(~np.isnan(values))
    tests = known or detect_errors(error, score, settings=settings, validation=predictions.validation, groups=groups)
    row = FailureScore(
        score=str(score.score),
        layer=score.layer,
        fitted_on=fitted_on,
        n=rows.size,
        n_errors=int(error[rows].sum()),
        confidence=level,
        **{name: value for test in tests for name, value in _of_test(test).items()},
    )
    ranking = Ranking(error[rows], values[rows], rows, score.shared, None if groups is None else groups.take(rows))
    row = replace(row, **_further(ranking, predictions, level))
    return with_difference(row, compared(ranking, reference[rows], predictions, level))


def _of_test(test: TestResult) -> dict[str, Any]:
    name = str(test.statistic)
    why = test.status
    if why.reason is Reason.NO_TEST:  # its p-value stands in another table
        why = Reason.NO_INTERVAL(*why.values)
    return {name: test.estimate, f"{name}_low": test.low, f"{name}_high": test.high, f"{name}_status": why}


def _further(ranking: Ranking, predictions: Predictions, level: float) -> dict[str, Any]:
    """Average precision of errors, and the false positive rate where 95 % of them are found."""
    found: dict[str, Any] = {}
    n_errors, n_correct = ranking.sizes
    why_undefined = Reason.NO_ERRORS() if not n_errors else Reason.ALL_WRONG()
    for name in ("aupr", "fpr95"):
        if not (n_errors and n_correct):
            found |= {f"{name}_status": why_undefined}
            continue
        why = _why_no_interval(ranking, name, predictions)
        value, interval = (_aupr if name == "aupr" else _fpr95)(ranking, level, given=why.is_ok)
        interval = interval if why.is_ok else Interval.missing(why)
        ends = {f"{name}_low": interval.low, f"{name}_high": interval.high, f"{name}_status": interval.status}
        found |= {name: value} | ends
    return found


def _why_no_interval(ranking: Ranking, name: str, predictions: Predictions) -> Status:
    if ranking.shared is not None:
        return Reason.SHARED_CLASS_MEANS()
    if ranking.groups is not None:
        return Reason.NOT_BY_GROUP()
    return ranking.why_too_few(predictions.validation, MIN_EXPECTED[name])


def _aupr(ranking: Ranking, level: float, *, given: bool) -> tuple[float, Interval]:
    """Average precision with its jackknife interval on the logit scale, of as many degrees of freedom as errors."""
    found = average_precision(ranking.positive, ranking.values)
    if not given:
        return found.value, Interval.missing(Reason.NO_SPREAD())
    influence, n = found.influence, ranking.rows.size
    away = influence - influence.mean()
    error = float(np.sqrt(away @ away / (n * (n - 1))))
    unbiased = min(1.0, found.value + float(influence.mean()))
    return found.value, share_interval(unbiased, error, level, df=min(ranking.sizes) - 1.0)


def _fpr95(ranking: Ranking, level: float, *, given: bool) -> tuple[float, Interval]:
    value = fpr_at_95(ranking.positive, ranking.values)
    return value, fpr_interval(ranking.positive, ranking.values, level) if given else Interval.missing(
        Reason.NO_SPREAD()
    )


def compared(ranking: Ranking, reference: Floats, predictions: Predictions, level: float) -> PairedDifference:
    """Return the AUROC less that of a reference (n,) on the same samples, by the influence of every sample on both."""
    n_errors, n_correct = ranking.sizes
    if not n_errors or not n_correct:
        return missing_difference(Reason.ALL_WRONG() if n_errors else Reason.NO_ERRORS())
    (first, by_first), (second, by_second) = (
        influences(ranking.positive, values) for values in (reference, ranking.values)
    )
    why = ranking.why_too_few(predictions.validation, LEAST_COMPARED)
    if why.is_ok and ranking.shared is not None:
        by_second = by_second + ranking.area.influence - auroc(ranking.positive, ranking.values).influence
        why = why if ranking.rows.size >= MIN_SHARED else Reason.TOO_FEW(MIN_SHARED)
    if not why.is_ok:
        return missing_difference(why, second - first)
    carrying = rarer_kind(ranking.positive, ranking.groups)
    return paired_influence(second - first, by_second - by_first, level, ranking.groups, n_carrying=carrying)


def influences(positive: Flags, score: Floats) -> tuple[float, Floats]:
    """AUROC θ, and φ (n,): (V10 − θ)·n/m of the m positives, (V01 − θ)·n/k of the k others."""
    placed, found = placements(positive, score), np.empty(positive.size)
    for kind, place in ((positive, placed.above), (~positive, placed.below)):
        found[kind] = (place - placed.area) * positive.size / place.size
    return placed.area, found


def with_difference(row: FailureScore, found: PairedDifference) -> FailureScore:
    """Return a row with its difference to the reference."""
    interval = found.interval
    return replace(
        row,
        difference=found.difference,
        difference_low=interval.low,
        difference_high=interval.high,
        p=found.p,
        difference_status=found.status,
    )


def adjusted_rows(rows: Sequence[FailureScore], alone: str) -> tuple[FailureScore, ...]:
    """Adjust the p-values of all rows together but that of the score `alone`, which is declared beforehand."""
    places = [place for place, row in enumerate(rows) if row.score != alone]
    p = np.array([rows[place].p for place in places])
    found = [replace(row, p_holm=row.p, p_bh=row.p) for row in rows]
    for place, by_holm, by_bh in zip(places, holm(p), benjamini_hochberg(p), strict=True):
        found[place] = replace(rows[place], p_holm=float(by_holm), p_bh=float(by_bh))
    return tuple(found)
