"""Does it predict errors? How well a score, such as entropy or low similarity, tells wrong from right."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.core.scale import unit_sized
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence, standard_error
from mlx.residuals.errors.risk_coverage import CurveAreas, curve_areas
from mlx.residuals.findings import NAN, Finding, missing
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.stats.auroc import auroc, degrees_of_freedom
from mlx.stats.correlation import midranks
from mlx.stats.influence import EstimateWithInfluence
from mlx.stats.interval import transformed_interval
from mlx.stats.permutation import permutation_p_value, permuted_products

STATISTICS = ("auroc", "aurc", "eaurc", "augrc")

MIN_EACH = {"auroc": 10, "aurc": 20, "eaurc": 20, "augrc": 20}
"""Fewest errors, and fewest correct predictions, for an interval to hold."""

MIN_SHARED = 200
"""Fewest samples for an interval of a score that shares class means: at 150, some hold the value in 97.5 %."""

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
    name
        What it is, such as ``"entropy"``, ``"low similarity"`` or ``"low margin"``.
    values
        (n_samples,), NaN where undefined.
    shared
        Where the values are differences of mean similarities: what they share.
    """

    name: str
    values: Floats
    shared: ClassMeanDependence | None = None


def detect_errors(error: Flags, scores: Sequence[ErrorScore], *, settings: ResidualsSettings) -> list[Finding]:
    """Measure how well each score tells errors from correct predictions, and all of them together.

    AUROC (0.5 is chance, 1 perfect), AURC, E-AURC and AUGRC (lower is better) of every score; the AUROC's p
    tests that errors don't depend on the score. The combination is a logistic model of all scores,
    cross-validated.

    Parameters
    ----------
    error
        (n_samples,), whether the prediction was wrong.
    scores
        At least one.
    settings
        Seed, permutations and confidence.

    Returns
    -------
    list of Finding
        Four a score, and one for the combination where there is more than one score.
    """
    found = [finding for score in scores for finding in _of_score(error, score, settings)]
    return [*found, combined_detection(error, scores, settings=settings)] if len(scores) > 1 else found


def _of_score(error: Flags, score: ErrorScore, settings: ResidualsSettings) -> list[Finding]:
    name = f"error by {score.name}"
    rows = np.flatnonzero(~np.isnan(score.values))
    wrong, values = error[rows], score.values[rows]
    if rows.size < 2:
        return [missing(name, statistic, rows.size, "too few samples (n < 2)") for statistic in STATISTICS]
    areas = curve_areas(wrong, values)
    why_undefined = _one_kind(wrong)
    if why_undefined:
        found = [missing(name, "auroc", rows.size, why_undefined)]
    else:
        found = [_area_under_roc(name, wrong, values, score.shared, rows, settings)]
    return found + [
        _area_of_curve(statistic, wrong, areas, score, rows, settings.confidence) for statistic in STATISTICS[1:]
    ]


def _area_of_curve(
    statistic: str, wrong: Flags, areas: CurveAreas, score: ErrorScore, rows: Integers, confidence: float
) -> Finding:
    name, shared = f"error by {score.name}", score.shared
    n, estimate, influence = wrong.size, getattr(areas, statistic), areas.influence[statistic]
    reason = _one_kind(wrong) or _too_few(wrong, statistic)
    if not reason and estimate <= 0:
        reason = "perfect order"
    if not reason and shared is not None and n < MIN_SHARED:
        reason = f"n < {MIN_SHARED}"
    if reason:
        return missing(name, statistic, n, f"no interval ({reason})", estimate)
    found = EstimateWithInfluence(estimate, influence - influence.mean(), partial(areas.gradient, statistic))
    error = standard_error(found, shared, rows)
    fewest = min(int(wrong.sum()), int((~wrong).sum()))
    df = np.inf if statistic == "augrc" else fewest - 1.0
    low, high = transformed_interval(estimate, error, confidence, SCALES[statistic], df=df)
    method = METHODS[statistic] + ("" if shared is None else SHARED_METHOD)
    return Finding(name, statistic, estimate, low, high, NAN, n, method, "", "ok")


def _one_kind(wrong: Flags) -> str:
    if not wrong.any():
        return "no errors"
    return "all wrong" if wrong.all() else ""


def _too_few(wrong: Flags, statistic: str) -> str:
    n_wrong, least = int(wrong.sum()), MIN_EACH[statistic]
    if n_wrong < least:
        return f"fewer than {least} errors"
    return f"fewer than {least} correct" if wrong.size - n_wrong < least else ""


def _area_under_roc(
    name: str,
    wrong: Flags,
    values: Floats,
    shared: ClassMeanDependence | None,
    rows: Integers,
    settings: ResidualsSettings,
) -> Finding:
    n = rows.size
    if np.ptp(values) == 0:
        return missing(name, "auroc", n, "constant score", 0.5)
    area = auroc(wrong, values)
    p = permutation_p(wrong, values, settings)
    reason = _too_few(wrong, "auroc")
    if not reason and area.estimate in (0.0, 1.0):
        reason = "perfect separation"
    if not reason and shared is not None and n < MIN_SHARED:
        reason = f"n < {MIN_SHARED}"
    if reason:
        status = f"no interval ({reason})"
        return Finding(name, "auroc", area.estimate, NAN, NAN, p, n, "", P_METHOD, status)
    error_of = standard_error(area, shared, rows)
    df = degrees_of_freedom(wrong, area)
    low, high = transformed_interval(area.estimate, error_of, settings.confidence, "logit", df=df)
    method = METHODS["auroc"] + ("" if shared is None else SHARED_METHOD)
    return Finding(name, "auroc", area.estimate, low, high, p, n, method, P_METHOD, "ok")


def permutation_p(wrong: Flags, values: Floats, settings: ResidualsSettings) -> float:
    """Two-sided p-value of AUROC = 0.5: how often errors dealt out at random are ranked as unevenly."""
    ranks, wrongs = midranks(values), wrong.astype(np.float64)
    x, y = (v - v.mean() for v in (ranks, wrongs))
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    generator = stream(settings.seed, Stream.ERROR_PERMUTATION)
    permuted = permuted_products(x[None], y[None], settings.n_permutations, generator)[0]
    return permutation_p_value(float(x @ y), permuted)


def combined_detection(error: Flags, scores: Sequence[ErrorScore], *, settings: ResidualsSettings) -> Finding:
    """Mean AUROC, over folds, of a logistic model of all scores that was fitted on the other folds.

    Folds are not pooled: scores of different models are not comparable. Neither interval nor p-value: the
    folds' models share their training data, and a permutation would need them fitted anew.

    Parameters
    ----------
    error
        (n_samples,), whether the prediction was wrong.
    scores
        At least one; a sample for which one of them is undefined is left out.
    settings
        Seed of the folds.
    """
    name = "error by " + " + ".join(score.name for score in scores)
    columns = np.stack([score.values for score in scores], axis=1)
    rows = np.flatnonzero(~np.isnan(columns).any(axis=1))
    wrong, columns = error[rows], columns[rows]
    n_wrong = int(wrong.sum())
    if min(n_wrong, rows.size - n_wrong) < N_FOLDS:
        reason = _one_kind(wrong) if rows.size else ""
        return missing(name, "auroc", rows.size, reason or f"fewer than {N_FOLDS} errors or correct")
    columns = np.stack([unit_sized(column) for column in columns.T], axis=1)
    spread = columns.std(axis=0)
    if not (spread > 0).any():
        return missing(name, "auroc", rows.size, "constant score", 0.5)
    columns = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    status = "no interval (folds share training data)"
    return missing(name, "auroc", rows.size, status, _cross_validated(wrong, columns, settings.seed))


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
