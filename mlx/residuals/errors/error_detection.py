"""How well a score, such as entropy or low similarity, ranks wrong above correct predictions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.core.scale import unit_sized
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence, standard_error
from mlx.residuals.errors.risk_coverage import CurveAreas, curve_areas
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.tests import Question, Score, TestResult
from mlx.stats.auroc import auroc, degrees_of_freedom
from mlx.stats.correlation import midranks
from mlx.stats.influence import EstimateWithInfluence
from mlx.stats.interval import transformed_interval
from mlx.stats.permutation import permutation_p_value, permuted_products
from mlx.stats.status import OK, Reason, Status, no_interval

STATISTICS = ("auroc", "aurc", "eaurc", "augrc")

MIN_EACH = {"auroc": 10, "aurc": 20, "eaurc": 20, "augrc": 20}
"""Fewest errors, and fewest correct predictions, for an interval to hold."""

MIN_SHARED = 200
"""Fewest samples for an interval of a score that shares class means: at 150, some hold the value in 97.5 %."""

MIN_SAMPLES = 2
CHANCE = 0.5
"""AUROC of a score that says nothing."""

N_FOLDS = 5

SCALES = {"auroc": "logit", "aurc": "logit", "eaurc": "log", "augrc": "logit"}
"""The scale on which an interval has even sides."""

METHODS = {
    "auroc": "DeLong on the logit scale, Brunner-Munzel degrees of freedom",
    "aurc": "delete-one jackknife on the logit scale, errors - 1 degrees of freedom",
    "eaurc": "delete-one jackknife on the log scale, errors - 1 degrees of freedom",
    "augrc": "influence function on the logit scale",
}
SHARED_METHOD = ", with the influence through shared class means"
P_METHOD = "permutation of errors"


@dataclass(frozen=True)
class ErrorScore:
    """A score that is meant to be high where the prediction is wrong.

    Attributes
    ----------
    score
        What it is.
    values
        (n_samples,), NaN where undefined.
    shared
        Where the values are differences of mean similarities: what they share.
    layer
        The layer that it is from; empty where it is from none.
    """

    score: Score
    values: Floats
    shared: ClassMeanDependence | None = None
    layer: str = ""


def detect_errors(error: Flags, score: ErrorScore, *, settings: ResidualsSettings) -> list[TestResult]:
    """Measure how well a score tells errors from correct predictions.

    AUROC (0.5 is chance, 1 perfect), AURC, E-AURC and AUGRC (lower is better); the AUROC's p tests that
    errors don't depend on the score.

    Parameters
    ----------
    error
        (n_samples,), whether the prediction was wrong.
    score
        A sample for which it is undefined is left out.
    settings
        Seed, permutations and confidence.
    """
    rows = np.flatnonzero(~np.isnan(score.values))
    wrong, question = error[rows], Question.of_score(score.score)
    asked = [
        TestResult(question=question, layer=score.layer, statistic=statistic, n=rows.size, seed=settings.seed)
        for statistic in STATISTICS
    ]
    if rows.size < MIN_SAMPLES:
        return [replace(test, status=Reason.TOO_FEW_SAMPLES(MIN_SAMPLES)) for test in asked]
    ranked = _Ranked(wrong, replace(score, values=score.values[rows]), rows)
    areas = curve_areas(wrong, ranked.score.values)
    found = [_area_under_roc(asked[0], ranked, settings)]
    return found + [_area_of_curve(test, ranked, areas, settings.confidence) for test in asked[1:]]


@dataclass(frozen=True)
class _Ranked:
    """Errors (n,) of the samples in ``rows`` of all that have a score, and their scores."""

    wrong: Flags
    score: ErrorScore
    rows: Integers

    def with_interval(
        self, test: TestResult, found: EstimateWithInfluence, confidence: float, df: float = np.inf
    ) -> TestResult:
        """Return the result with the interval of `found`, on the scale of its statistic."""
        shared, statistic = self.score.shared, test.statistic
        error = standard_error(found, shared, self.rows)
        scale, method = SCALES[statistic], METHODS[statistic] + ("" if shared is None else SHARED_METHOD)
        return test.with_interval(transformed_interval(found.estimate, error, confidence, scale, df=df, method=method))

    def why_no_interval(self, statistic: str, exact: Status | None) -> Status:
        """Say why a statistic has no interval, `OK` where it has one; `exact` says that the order is perfect."""
        if not (reason := _too_few(self.wrong, MIN_EACH[statistic])).is_ok:
            return reason
        if exact is not None:
            return exact
        too_few = self.score.shared is not None and self.rows.size < MIN_SHARED
        return Reason.TOO_FEW(MIN_SHARED) if too_few else OK


def _area_of_curve(test: TestResult, ranked: _Ranked, areas: CurveAreas, confidence: float) -> TestResult:
    statistic, wrong = test.statistic, ranked.wrong
    estimate, influence = getattr(areas, statistic), areas.influence[statistic]
    reason = _one_kind(wrong)
    if reason.is_ok:
        reason = ranked.why_no_interval(statistic, Reason.PERFECT_ORDER() if estimate <= 0 else None)
    if not reason.is_ok:
        return replace(test, estimate=estimate, status=no_interval(reason))
    found = EstimateWithInfluence(estimate, influence - influence.mean(), partial(areas.gradient, statistic))
    fewest = min(int(wrong.sum()), int((~wrong).sum()))
    df = np.inf if statistic == "augrc" else fewest - 1.0
    return ranked.with_interval(replace(test, estimate=estimate), found, confidence, df)


def _one_kind(wrong: Flags) -> Status:
    if not wrong.any():
        return Reason.NO_ERRORS()
    return Reason.ALL_WRONG() if wrong.all() else OK


def _too_few(wrong: Flags, least: int) -> Status:
    n_wrong = int(wrong.sum())
    if n_wrong < least:
        return Reason.FEW_ERRORS(least)
    return Reason.FEW_CORRECT(least) if wrong.size - n_wrong < least else OK


def _area_under_roc(test: TestResult, ranked: _Ranked, settings: ResidualsSettings) -> TestResult:
    wrong, values = ranked.wrong, ranked.score.values
    if not (reason := _one_kind(wrong)).is_ok:
        return replace(test, status=reason)
    if np.ptp(values) == 0:
        return replace(test, estimate=CHANCE, status=Reason.CONSTANT("score"))
    area = auroc(wrong, values)
    test = replace(test, estimate=area.estimate)
    test = test.with_p(permutation_p(wrong, values, settings), P_METHOD, settings.n_permutations)
    exact = Reason.PERFECT_SEPARATION() if area.estimate in (0.0, 1.0) else None
    if not (reason := ranked.why_no_interval(test.statistic, exact)).is_ok:
        return replace(test, status=no_interval(reason))
    return ranked.with_interval(test, area, settings.confidence, degrees_of_freedom(wrong, area))


def permutation_p(wrong: Flags, values: Floats, settings: ResidualsSettings) -> float:
    """Two-sided p-value of AUROC = 0.5: how often errors in random order are ranked as unevenly."""
    ranks, wrongs = midranks(values), wrong.astype(np.float64)
    x, y = (v - v.mean() for v in (ranks, wrongs))
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    generator = stream(settings.seed, Stream.ERROR_PERMUTATION)
    permuted = permuted_products(x[None], y[None], settings.n_permutations, generator)[0]
    return permutation_p_value(float(x @ y), permuted)


def combined_detection(
    error: Flags, scores: Sequence[ErrorScore], *, layer: str = "", settings: ResidualsSettings
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
    """
    columns = np.stack([score.values for score in scores], axis=1)
    rows = np.flatnonzero(~np.isnan(columns).any(axis=1))
    wrong, columns = error[rows], columns[rows]
    names = " + ".join(score.score for score in scores)
    asked = TestResult(
        question=Question.ERROR_BY_SCORES,
        subject=names,
        layer=layer,
        statistic="auroc",
        n=rows.size,
        seed=settings.seed,
    )
    if min(int(wrong.sum()), int((~wrong).sum())) < N_FOLDS:
        reason = _one_kind(wrong) if rows.size else OK
        return replace(asked, status=Reason.TOO_FEW_OF_A_KIND(N_FOLDS) if reason.is_ok else reason)
    columns = np.stack([unit_sized(column) for column in columns.T], axis=1)
    spread = columns.std(axis=0)
    if not (spread > 0).any():
        return replace(asked, estimate=CHANCE, status=Reason.CONSTANT("score"))
    columns = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    estimate = _cross_validated(wrong, columns, settings.seed)
    return replace(asked, estimate=estimate, status=no_interval(Reason.SHARED_TRAINING_DATA()))


def _cross_validated(wrong: Flags, columns: Floats, seed: int) -> float:
    from sklearn.linear_model import LogisticRegression

    fold = _folds(wrong, seed)
    areas = []
    for held_out in range(N_FOLDS):
        test = fold == held_out
        model = LogisticRegression(max_iter=1000).fit(columns[~test], wrong[~test])
        areas.append(auroc(wrong[test], model.decision_function(columns[test])).estimate)
    return float(np.mean(areas))


def _folds(wrong: Flags, seed: int) -> Integers:
    """Fold (n_samples,) of every sample, errors and correct predictions spread evenly."""
    generator = stream(seed, Stream.ERROR_FOLDS)
    fold = np.empty(wrong.size, dtype=np.intp)
    for kind in (False, True):
        of_kind = np.flatnonzero(wrong == kind)
        fold[of_kind] = generator.permutation(of_kind.size) % N_FOLDS
    return fold
