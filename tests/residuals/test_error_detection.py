"""Do scores predict errors? AUROC and risk–coverage against oracles, edge cases, and intervals that hold."""

from itertools import permutations

import numpy as np
import pytest
from rates import rate_is_within
from scipy.stats import brunnermunzel, t
from sklearn.metrics import roc_auc_score

from mlx.residuals import ResidualsSettings
from mlx.residuals.errors.class_mean_dependence import (
    standard_error,
)
from mlx.residuals.errors.error_detection import STATISTICS, ErrorScore, combined_detection, detect_errors
from mlx.residuals.errors.ranking import Ranking
from mlx.residuals.errors.risk_coverage import curve_areas, risk_coverage, thin
from mlx.results.questions import Question, Score
from mlx.results.tests import TestResult
from mlx.stats.auroc import auroc
from mlx.stats.gates import ValidationErrors

FAST = ResidualsSettings(n_permutations=99)


def scores(n=400, seed=0, levels=None):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=n)
    if levels:
        x = np.round(x * levels) / levels
    return generator.random(n) < 1 / (1 + np.exp(1.5 - x)), x


def brute_force_aurc(error, uncertainty):
    """Mean over all orders of the ties."""
    areas = []
    for shuffled in permutations(range(len(error))):
        rows = np.array(shuffled)
        order = rows[np.argsort(uncertainty[rows], kind="stable")]
        areas.append((np.cumsum(error[order]) / np.arange(1, len(error) + 1)).mean())
    return np.mean(areas)


@pytest.mark.parametrize("statistic", ["aurc", "eaurc"])
@pytest.mark.parametrize(("n", "levels"), [(300, None), (300, 3), (350, 1)])
def test_the_interval_of_a_curves_area_is_the_jackknifes(statistic, n, levels):
    error, x = scores(n, seed=n, levels=levels)
    found = {test.statistic: test for test in detect_errors(error, ErrorScore(Score.ENTROPY, x), settings=FAST)}
    area, m = getattr(curve_areas(error, x), statistic), int(error.sum())
    without = [getattr(curve_areas(np.delete(error, i), np.delete(x, i)), statistic) for i in range(n)]
    half = t.ppf(0.975, m - 1) * np.sqrt((n - 1) * np.var(without)) / area
    assert found[statistic].low == pytest.approx(area * np.exp(-half), rel=1e-9)
    assert found[statistic].high == pytest.approx(min(1.0, area * np.exp(half)), rel=1e-9)


def test_the_toy_has_its_known_area():
    areas = curve_areas(np.array([True, True, False, False]), np.array([0.9, 0.8, 0.2, 0.1]))
    assert areas.aurc == pytest.approx(0.2083333, abs=1e-7)
    assert areas.eaurc == 0
    assert areas.augrc == pytest.approx(0.125)


@pytest.mark.parametrize("uncertainty", [[1, 1, 2, 2, 2, 3], [1, 1, 1, 1, 1, 1], [6, 5, 4, 3, 2, 1]])
def test_risks_of_ties_are_means_over_their_orders(uncertainty):
    error, values = np.array([True, False, True, False, False, True]), np.array(uncertainty, dtype=float)
    areas = curve_areas(error, values)
    assert areas.aurc == pytest.approx(brute_force_aurc(error, values), abs=1e-14)
    assert risk_coverage(error, values).risk.mean() == pytest.approx(areas.aurc, abs=1e-14)


@pytest.mark.parametrize("levels", [None, 2])
def test_areas_agree_with_scikit_learn_and_their_definition(levels):
    error, x = scores(levels=levels)
    found = {f.statistic: f.estimate for f in detect_errors(error, ErrorScore(Score.ENTROPY, x), settings=FAST)}
    area, rate = roc_auc_score(error, x), error.mean()
    assert found["auroc"] == pytest.approx(area, abs=1e-14)
    assert found["augrc"] == pytest.approx((1 - area) * rate * (1 - rate) + rate**2 / 2, abs=1e-14)
    best = (np.cumsum(np.sort(error)) / np.arange(1, error.size + 1)).mean()
    assert found["eaurc"] == pytest.approx(found["aurc"] - best, abs=1e-12)


@pytest.mark.parametrize("levels", [None, 2])
def test_delete_one_influences_are_what_deleting_one_does(levels):
    error, x = scores(40, levels=levels)
    areas = curve_areas(error, x)
    for name in ("aurc", "eaurc"):
        without = [getattr(curve_areas(np.delete(error, i), np.delete(x, i)), name) for i in range(error.size)]
        np.testing.assert_allclose(
            areas.influence[name], (error.size - 1) * (getattr(areas, name) - np.array(without)), atol=1e-12
        )


def test_the_order_of_the_rows_is_irrelevant():
    error, x = scores(levels=2)
    order = np.random.default_rng(1).permutation(error.size)
    one, other = curve_areas(error, x), curve_areas(error[order], x[order])
    assert (one.aurc, one.eaurc, one.augrc) == (other.aurc, other.eaurc, other.augrc)


def noisy(n, seed):
    error, x = scores(n, seed=seed)
    return error, ErrorScore(Score.ENTROPY, 0.2 * x + np.random.default_rng(1).normal(size=n))


def test_with_30_of_either_kind_p_is_that_of_scipy_and_below_that_of_permuted_labels():
    for n, drawn in ((250, False), (90, True)):
        error, score = noisy(n, seed=3)
        found = detect_errors(error, score, settings=ResidualsSettings(n_permutations=9999))[0]
        expected = brunnermunzel(score.values[~error], score.values[error]).pvalue
        assert found.p == pytest.approx(expected, abs=0.05 * drawn, rel=1e-10)
        assert (found.n_permutations > 0, "labels permuted" in found.p_method) == (drawn, drawn)
        assert found.null.startswith("AUROC = 0.5: ")


@pytest.mark.slow
def test_p_and_interval_never_contradict_each_other():
    outside = 0
    for seed in range(2000):
        generator = np.random.default_rng([3, seed])
        n = int(generator.integers(25, 150))
        error = generator.permutation(n) < generator.integers(10, n - 10)
        x = generator.normal(size=n) * np.where(error, 1, generator.choice([0.3, 1, 3])) + 0.5 * error
        x = x if seed % 3 else x.round()
        ranking, asked = (
            Ranking(error, x, np.arange(n)),
            TestResult(question=Question.ERROR_BY_ENTROPY, statistic="auroc"),
        )
        found = ranking.tested(asked, 199, generator).with_interval(ranking.interval(0.95))
        assert (found.p <= 0.05) == (not found.low <= 0.5 <= found.high), (seed, found)
        outside += found.p <= 0.05
    assert 300 < outside < 1700


def auroc_of(error, x, settings, validation=None):
    return detect_errors(error, ErrorScore(Score.ENTROPY, x), settings=settings, validation=validation)[0]


def test_what_is_given_follows_from_validation_and_not_from_the_errors_seen():
    error, x = scores(200, seed=5)
    few, enough = ValidationErrors(1000, 49), ValidationErrors(1000, 60)
    found = auroc_of(error, x, FAST, few)
    assert str(found.status) == "no p and no interval (fewer than 10 expected errors)"
    assert found.estimate == pytest.approx(roc_auc_score(error, x))
    assert np.isnan([found.p, found.low]).all()
    error = np.arange(200) < 4
    by_statistic = {
        f.statistic: str(f.status)
        for f in detect_errors(error, ErrorScore(Score.ENTROPY, x), settings=FAST, validation=enough)
    }
    assert by_statistic == {
        "auroc": "ok",
        "augrc": "ok",
        "aurc": "no interval (fewer than 20 expected errors)",
        "eaurc": "no interval (fewer than 60 expected errors)",
    }
    assert str(auroc_of(~error, x, FAST, ValidationErrors(1000, 960)).status) == (
        "no p and no interval (fewer than 10 expected correct)"
    )
    assert str(auroc_of(error, x, FAST).status) == "no p and no interval (fewer than 10 errors)"
    assert str(auroc_of(np.arange(200) < 1, x, FAST, enough).status) == "no p and no interval (fewer than 2 errors)"


def test_perfect_separation_is_certain_within_limits():
    error = np.arange(200) < 40
    found = auroc_of(error, error * 1.0, ResidualsSettings(n_permutations=999))
    assert (found.estimate, found.p, found.n_permutations, str(found.status)) == (1, 1 / 1000, 999, "ok")
    assert 0.95 < found.low < found.high < 1


def test_delongs_standard_error_is_that_of_the_published_formula():
    error, x = scores(60)
    wins = (x[error][:, None] > x[~error][None]) + 0.5 * (x[error][:, None] == x[~error][None])
    variance = wins.mean(axis=1).var(ddof=1) / error.sum() + wins.mean(axis=0).var(ddof=1) / (~error).sum()
    assert standard_error(auroc(error, x)) == pytest.approx(np.sqrt(variance), rel=1e-12)


@pytest.mark.parametrize(
    ("error", "x", "status", "areas"),
    [
        ([False] * 30, np.arange(30.0), "no errors", (0, 0, 0)),
        ([True] * 30, np.arange(30.0), "all wrong", (1, 0, 0.5)),
        ([True, False] * 15, np.ones(30), "constant score", (0.5, None, 0.25)),
        ([False] * 15 + [True] * 15, np.arange(30.0), "ok", (None, 0, 0.125)),
        ([True, False], np.array([1.0, np.nan]), "too few samples (n < 2)", None),
    ],
)
def test_what_cannot_be_measured_says_why(error, x, status, areas):
    found = detect_errors(np.array(error), ErrorScore(Score.ENTROPY, x), settings=FAST)
    assert [f.statistic for f in found] == list(STATISTICS)
    assert str(found[0].status) == status
    for finding in found:
        assert str(finding.status) != "ok" or not np.isnan([finding.estimate, finding.low, finding.high]).any()
    if areas:
        for finding, expected in zip(found[1:], areas, strict=True):
            assert expected is None or finding.estimate == pytest.approx(expected, abs=1e-14)


def test_a_thinned_curve_keeps_both_ends():
    curve = thin(risk_coverage(*scores()), 11)
    assert curve.coverage.size == 11
    assert (curve.coverage[0], curve.coverage[-1]) == (1 / 400, 1)
    assert curve.risk[-1] == pytest.approx(scores()[0].mean())


def test_a_combination_of_two_halves_of_the_truth_is_better_than_either():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(2, 1000))
    error = generator.random(1000) < 1 / (1 + np.exp(2 - 1.5 * a - 1.5 * b))
    found = combined_detection(error, [ErrorScore(Score.ENTROPY, a), ErrorScore(Score.LOW_MARGIN, b)], settings=FAST)
    assert found.estimate > max(roc_auc_score(error, a), roc_auc_score(error, b)) + 0.05
    assert found.name == "error by entropy + low margin"
    noise = generator.normal(size=1000)
    assert abs(combined_detection(error, [ErrorScore(Score.ENTROPY, noise)], settings=FAST).estimate - 0.5) < 0.06


@pytest.mark.slow
def test_intervals_of_independent_scores_cover():
    error, x = scores(400_000, seed=1)
    true = {f.statistic: f.estimate for f in detect_errors(error, ErrorScore(Score.ENTROPY, x), settings=FAST)}
    covered, settings, validation = {}, ResidualsSettings(n_permutations=19), ValidationErrors(4000, 940)
    for run in range(500):
        for f in detect_errors(*_one_score(run), settings=settings, validation=validation):
            if not np.isnan(f.low):
                covered.setdefault(f.statistic, []).append(f.low <= true[f.statistic] <= f.high)
    assert {*covered} == {"auroc", "aurc", "augrc"}  # of the 60 errors that E-AURC needs, 35 are expected
    assert all(rate_is_within(sum(held), 0.93, 0.97, runs=500) for held in covered.values()), {
        k: np.mean(v) for k, v in covered.items()
    }


def _one_score(run):
    error, x = scores(150, seed=[9, run])
    return error, ErrorScore(Score.ENTROPY, x)


@pytest.mark.slow
def test_p_values_reject_a_true_null_as_often_as_promised():
    rejected, runs = 0, 500
    for run in range(runs):
        generator = np.random.default_rng([8, run])
        found = detect_errors(
            generator.random(40) < 0.3, ErrorScore(Score.ENTROPY, generator.gamma(1, size=40).round(1)), settings=FAST
        )
        rejected += found[0].p <= 0.05
    assert rate_is_within(rejected, 0.03, 0.07, runs=runs)
