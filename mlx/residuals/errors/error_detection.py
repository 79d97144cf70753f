"""How well a score, such as entropy or low similarity, ranks wrong above correct predictions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.core.scale import unit_sized
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence
from mlx.residuals.errors.ranking import MIN_EXPECTED, MIN_SHARED, NEAR_GATE, Ranking
from mlx.residuals.errors.risk_coverage import CurveAreas, curve_areas
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.questions import Question, Score, Statistic
from mlx.results.tests import TestResult
from mlx.stats.auroc import auroc
from mlx.stats.brunner_munzel import CHANCE
from mlx.stats.gates import ValidationErrors
from mlx.stats.groups import Groups
from mlx.stats.influence import EstimateWithInfluence
from mlx.stats.interval import Interval
from mlx.stats.risk_intervals import augrc_interval, aurc_interval
from mlx.stats.status import OK, Reason, Status, no_interval

STATISTICS = (Statistic.AUROC, Statistic.AURC, Statistic.EAURC, Statistic.AUGRC)

MIN_FOR_INTERVAL = 200
"""Fewest samples for an interval of a score that shares class means: at 150, some hold the value in 97.5 %."""

MIN_SAMPLES = 2
N_FOLDS = 5


@dataclass(frozen=True)
class ErrorScore:
    """A score that is meant to be high where the prediction is wrong.

    Attributes
    ----------
    score
        What it is; one that has no question of its own by its name alone.
    values
        (n_samples,), NaN where undefined.
    shared
        Where the values are differences of mean similarities: what they share.
    layer
        The layer that it is from; empty where it is from none.
    """

    score: Score | str
    values: Floats
    shared: ClassMeanDependence | None = None
    layer: str = ""


def detect_errors(
    error: Flags,
    score: ErrorScore,
    *,
    settings: ResidualsSettings,
    validation: ValidationErrors | None = None,
    groups: Groups | None = None,
) -> list[TestResult]:
    """Measure how well a score tells errors from correct predictions.

    AUROC (0.5 is chance, 1 perfect), AURC, E-AURC and AUGRC (lower is better); the p-value is that of AUROC = 0.5.

    Parameters
    ----------
    error
        (n_samples,), whether the prediction was wrong.
    score
        A sample for which it is undefined is left out.
    settings
        Seed, permutations and confidence.
    validation
        How often the model is wrong on validation samples, if known: decides what is given.
    groups
        Of the samples, where they are not independent.
    """
    rows = np.flatnonzero(~np.isnan(score.values))
    wrong, subject = error[rows], "" if isinstance(score.score, Score) else score.score
    question = Question.ERROR_BY_SCORES if subject else Question.of_score(Score(score.score))
    shared: dict[str, Any] = {
        "question": question,
        "subject": subject,
        "layer": score.layer,
        "n": rows.size,
        "seed": settings.seed,
    }
    asked = [TestResult(statistic=statistic, **shared) for statistic in STATISTICS]
    if rows.size < MIN_SAMPLES:
        return [replace(test, status=Reason.TOO_FEW_SAMPLES(MIN_SAMPLES)) for test in asked]
    ranking = Ranking(wrong, score.values[rows], rows, score.shared, None if groups is None else groups.take(rows))
    areas = curve_areas(wrong, ranking.values)
    found = [_area_under_roc(asked[0], ranking, settings, validation)]
    return found + [_area_of_curve(test, ranking, areas, settings.confidence, validation) for test in asked[1:]]


def _area_of_curve(
    test: TestResult, ranking: Ranking, areas: CurveAreas, level: float, validation: ValidationErrors | None
) -> TestResult:
    statistic = test.statistic
    test = replace(test, estimate=getattr(areas, statistic))
    reason = _why_no_interval(ranking, statistic, validation)
    if reason.is_ok and test.estimate <= 0:
        reason = Reason.PERFECT_ORDER()
    if not reason.is_ok:
        return replace(test, status=no_interval(reason))
    n_errors, n_correct = ranking.worth
    if statistic == Statistic.AUGRC:
        interval = augrc_interval(ranking.smoothed, n_errors, n_correct, level, ranking.slope)
        return test.with_interval(_naming_gate(ranking, interval, statistic, validation))
    influence = areas.influence[statistic]
    found = EstimateWithInfluence(test.estimate, influence - influence.mean(), partial(areas.gradient, statistic))
    error, n = ranking.standard_error(found), ranking.rows.size
    if ranking.groups is None:  # as the jackknife has it; by group, it has G/(G - 1)
        error *= np.sqrt(n / (n - 1))
    interval = aurc_interval(test.estimate, error, min(n_errors, n_correct), level)
    return test.with_interval(_naming_gate(ranking, interval, statistic, validation))


def _naming_gate(
    ranking: Ranking, interval: Interval, statistic: Statistic, validation: ValidationErrors | None
) -> Interval:
    """Return the interval of an area that errors make larger, whose method names the gate that they are near."""
    near = ranking.near_gate(validation, MIN_EXPECTED[statistic])
    return ranking.naming_shared(replace(interval, method=interval.method + NEAR_GATE * near))


def _one_kind(wrong: Flags) -> Status:
    if not wrong.any():
        return Reason.NO_ERRORS()
    return Reason.ALL_WRONG() if wrong.all() else OK


def _why_no_interval(ranking: Ranking, statistic: Statistic, validation: ValidationErrors | None) -> Status:
    """Say why a statistic has no interval, by what the errors of the test set do not decide."""
    reason = _one_kind(ranking.positive)
    if reason.is_ok:
        reason = ranking.why_too_few(validation, MIN_EXPECTED[statistic])
    few = reason.is_ok and ranking.shared is not None and ranking.rows.size < MIN_FOR_INTERVAL
    return Reason.TOO_FEW(MIN_FOR_INTERVAL) if few else reason


def _area_under_roc(
    test: TestResult, ranking: Ranking, settings: ResidualsSettings, validation: ValidationErrors | None
) -> TestResult:
    if not (reason := _one_kind(ranking.positive)).is_ok:
        return replace(test, status=reason)
    if np.ptp(ranking.values) == 0:
        return replace(test, estimate=CHANCE, status=Reason.CONSTANT("score"))
    reason = ranking.why_too_few(validation, MIN_EXPECTED[Statistic.AUROC])
    if reason.is_ok and ranking.shared is not None and ranking.rows.size < MIN_SHARED:
        reason = Reason.TOO_FEW(MIN_SHARED)
    if not reason.is_ok:
        return replace(test, estimate=ranking.area.estimate, status=Reason.NO_TEST(reason))
    generator = stream(settings.seed, Stream.ERROR_PERMUTATION)
    test = ranking.tested(test, settings.n_permutations, generator)
    if not (reason := _why_no_interval(ranking, test.statistic, validation)).is_ok:
        return replace(test, status=no_interval(reason))
    return test.with_interval(ranking.interval(settings.confidence))


def combined_detection(
    error: Flags,
    scores: Sequence[ErrorScore],
    *,
    layer: str = "",
    settings: ResidualsSettings,
    groups: Groups | None = None,
) -> TestResult:
    """Mean AUROC, over folds, of a logistic model of all scores that was fitted on the other folds.

    Folds are not pooled: scores of different models are not comparable. Neither interval nor p-value: the
    folds' models share their training data, and a permutation would need them to be fitted again.

    Parameters
    ----------
    error
        (n_samples,), whether the prediction was wrong.
    scores
        At least one; a sample for which one of them is undefined is left out.
    layer
        The layer that the scores are from, for the result.
    settings
        Seed of the folds.
    groups
        Of the samples, where they are not independent: all of a group are in one fold.
    """
    columns = np.stack([score.values for score in scores], axis=1)
    rows = np.flatnonzero(~np.isnan(columns).any(axis=1))
    wrong, columns = error[rows], columns[rows]
    names = " + ".join(score.score for score in scores)
    asked = TestResult(
        question=Question.ERROR_BY_SCORES,
        subject=names,
        layer=layer,
        statistic=Statistic.AUROC,
        n=rows.size,
        seed=settings.seed,
    )
    units = Groups(np.arange(rows.size)) if groups is None else groups.take(rows)
    fold = _folds(wrong, units, settings.seed)
    if not all(0 < wrong[fold == one].sum() < (fold == one).sum() for one in range(N_FOLDS)):
        reason = _one_kind(wrong) if rows.size else OK
        return replace(asked, status=Reason.TOO_FEW_OF_A_KIND(N_FOLDS) if reason.is_ok else reason)
    columns = np.stack([unit_sized(column) for column in columns.T], axis=1)
    spread = columns.std(axis=0)
    if not (spread > 0).any():
        return replace(asked, estimate=CHANCE, status=Reason.CONSTANT("score"))
    columns = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    estimate = _cross_validated(wrong, columns, fold)
    return replace(asked, estimate=estimate, status=no_interval(Reason.SHARED_TRAINING_DATA()))


def _cross_validated(wrong: Flags, columns: Floats, fold: Integers) -> float:
    from sklearn.linear_model import LogisticRegression

    areas = []
    for held_out in range(N_FOLDS):
        test = fold == held_out
        model = LogisticRegression(max_iter=1000).fit(columns[~test], wrong[~test])
        areas.append(auroc(wrong[test], model.decision_function(columns[test])).estimate)
    return float(np.mean(areas))


def _folds(wrong: Flags, units: Groups, seed: int) -> Integers:
    """Fold (n_samples,) of every sample; groups with an error, and those without, are spread evenly."""
    generator, any_wrong = stream(seed, Stream.ERROR_FOLDS), units.sums(wrong) > 0
    fold = np.empty(units.count, dtype=np.intp)
    for kind in (False, True):
        of_kind = np.flatnonzero(any_wrong == kind)
        fold[of_kind] = generator.permutation(of_kind.size) % N_FOLDS
    return fold[units.codes]
