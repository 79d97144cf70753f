"""Prediction sets and intervals: sets by hand and of MAPIE, whom they cover, and what is missing and why."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from scipy.stats import betabinom

from mlx.residuals import ResidualsSettings
from mlx.residuals.predictions import check_predictions
from mlx.residuals.regression.analysis import analyze_regression
from mlx.residuals.sets.classification import prediction_sets
from mlx.residuals.sets.coverage import headline_of_sets
from mlx.residuals.sets.regression import RegressionOutputs
from mlx.results.prediction_sets import Looked, SetMethod
from mlx.results.regression_summary import RegressionSummary
from mlx.stats.conformal import summed_coverage, threshold, undercoverage_p_value
from mlx.stats.groups import Groups
from mlx.stats.multiple_testing import holm
from mlx.stats.proportions import wilson_interval
from mlx.stats.set_scores import aps_scores, own_scores, raps_scores, uniform_of
from mlx.stats.status import Reason
from mlx.stats.validation_outputs import ValidationOutputs, validation_halves

K, N = 4, 300
NAMES = ("a", "b", "c", "d")


def drawn(n, seed, sharpness=1.5):
    generator = np.random.default_rng(seed)
    z = generator.normal(size=(n, K))
    return sharpness * z, (z + 0.7 * generator.gumbel(size=z.shape)).argmax(axis=1)


Z, Y = drawn(N, 1)
P = softmax(Z, axis=1)
VALIDATION = ValidationOutputs(softmax(drawn(201, 2)[0], axis=1), *drawn(201, 2), np.arange(1000, 1201))


def predictions(y=Y):
    return check_predictions(P, Z, y, P.argmax(axis=1), NAMES, np.arange(N))


def settings(**conformal):
    return ResidualsSettings(conformal=conformal)


def made(*, looks=(), validation=VALIDATION, given=None, **conformal):
    return prediction_sets(given or predictions(), validation, looks, settings(**conformal))


def row(found, kind, subject="", alpha=0.1):
    return next(one for one in found.coverage if (one.kind, one.subject, one.alpha) == (kind, subject, alpha))


def scores_of(method, p, index):
    u = uniform_of(index, ResidualsSettings().seed)
    return {"lac": 1 - p, "aps": aps_scores(p, u), "raps": raps_scores(p, u)}[method]


@pytest.mark.parametrize("method", ["lac", "aps", "raps"])
def test_a_set_has_the_classes_whose_score_is_at_most_the_threshold(method):
    found = made(method=method, alpha=[0.1, 0.3])
    half = VALIDATION.calibrating()
    own = own_scores(scores_of(method, np.asarray(half.probabilities), half.index), half.y_true)
    for (suffix, sets), alpha in zip(found.samples, (0.1, 0.3), strict=True):
        limit = np.sort(own)[int(np.ceil((own.size + 1) * (1 - alpha) - 1e-9)) - 1]
        held = scores_of(method, P, np.arange(N)) <= limit + 1e-12
        np.testing.assert_array_equal(sets.set_size, held.sum(axis=1))
        np.testing.assert_array_equal(sets.set_holds, held[np.arange(N), Y])
        whole = row(found, Looked.ALL, alpha=alpha)
        assert (whole.n, whole.n_calibration, whole.n_covered) == (N, 101, held[np.arange(N), Y].sum())
        assert whole.threshold == pytest.approx(limit, rel=1e-9)
        assert whole.n_empty == (held.sum(axis=1) == 0).sum()
        law = betabinom(N, (k := int(np.ceil(102 * (1 - alpha) - 1e-9))), 102 - k)
        assert (whole.band_low, whole.band_high) == tuple(law.ppf([0.025, 0.975]).astype(int))
        assert whole.expected == pytest.approx(k / 102)
        assert suffix == ("" if alpha == 0.1 else ".0.3")
    assert (whole.low, whole.high) == pytest.approx(vars_of(wilson_interval(whole.n_covered, N)))


def vars_of(interval):
    return interval.low, interval.high


MAPIE = {
    "lac": (
        (0.7886837709881082, 0.905074782750178),
        (6, 15, 13, 5, 8, 5, 5, 3, 8, 8, 4, 9, 10, 10, 9, 8, 6, 8, 3, 4, 13),
        (6, 15, 13, 7, 15, 15, 13, 15, 13, 13, 5, 11, 15, 14, 9, 13, 14, 14, 3, 14, 15),
    ),
    "aps": (
        (0.7138600577534528, 0.9326504553793663),
        (2, 7, 12, 5, 10, 5, 5, 7, 12, 8, 4, 9, 10, 10, 8, 8, 2, 10, 1, 4, 13),
        (6, 15, 13, 7, 14, 15, 13, 15, 15, 12, 5, 11, 15, 14, 9, 12, 6, 14, 3, 14, 15),
    ),
    "raps": ((0.7238600577534529, 0.9526504553793663),),
}
"""Thresholds at alpha .2 and .1, and the sets as binary numbers, of MAPIE 1.6.0: `SplitConformalClassifier`, prefit,
``random_state=0``, APS with ``include_last_label="randomized"``. MAPIE's uniform number is one minus the one here. Its
RAPS chooses λ and k_reg by a part of the calibration samples; the thresholds are those of its regularized scores of all
39 with λ = .01 and k_reg = 1."""


@pytest.mark.parametrize("method", MAPIE)
def test_thresholds_and_sets_are_those_of_mapie(method):
    generator = np.random.default_rng(11)
    z = 1.5 * generator.normal(size=(60, K))
    y = (0.7 * z + generator.gumbel(size=z.shape)).argmax(axis=1)
    p, thresholds, *sets = softmax(z, axis=1), *MAPIE[method]
    u = np.concatenate([1 - np.random.RandomState(0).uniform(size=n) for n in (39, 21)])
    scores = {"lac": 1 - p, "aps": aps_scores(p, u), "raps": raps_scores(p, u, penalty=0.01, free_ranks=1)}[method]
    own = own_scores(scores[:39], y[:39])
    limits = [threshold(own, alpha).value for alpha in (0.2, 0.1)]
    assert limits == pytest.approx(thresholds, rel=1e-12)
    for limit, expected in zip(limits, sets, strict=False):
        held = scores[39:] <= limit + 1e-12
        assert tuple(held @ [8, 4, 2, 1]) == expected


def test_groups_are_compared_with_all_samples_and_adjusted_for_all_that_were_looked_at():
    looks = [(Looked.FACTOR, "size", "1 to 2", np.arange(40)), (Looked.SLICE, "size > 3", "", np.arange(200, 220))]
    found = made(looks=looks)
    groups = found.coverage[1:]
    assert [one.kind for one in groups] == [Looked.CLASS] * 4 + [Looked.PREDICTED] * 4 + [Looked.FACTOR, Looked.SLICE]
    for one in groups:
        assert one.p == pytest.approx(undercoverage_p_value(one.n_covered, one.n, 101, 0.1))
        assert (one.low, one.high) == pytest.approx(vars_of(wilson_interval(one.n_covered, one.n, 1 - 0.05 / 10)))
    np.testing.assert_allclose([one.p_holm for one in groups], holm(np.array([one.p for one in groups])))
    assert row(found, Looked.CLASS, "b").n == (Y == 1).sum()
    assert row(found, Looked.PREDICTED, "b").n == (P.argmax(axis=1) == 1).sum()
    assert groups[-1].n_covered == found.samples[0][1].set_holds[200:220].sum()


def test_the_worst_covered_group_is_named():
    wrong = Y.copy()
    wrong[:60] = P[:60].argmin(axis=1)
    found = made(looks=[(Looked.FACTOR, "camera", "old", np.arange(60))], given=predictions(wrong))
    headline = headline_of_sets(found.coverage, 0.95)
    assert headline["worst_covered"] == "factor camera old"
    assert headline["worst_covered_coverage"] == row(found, Looked.FACTOR, "camera").coverage
    calm = headline_of_sets(made().coverage, 0.95)
    assert calm["worst_covered"] is None
    assert calm["worst_covered_status"] == "no group is covered less than all samples by more than chance"


def test_test_labels_change_no_threshold_and_no_set():
    before = made(class_conditional=True)
    after = made(class_conditional=True, given=predictions(np.random.default_rng(0).permutation(Y)))
    np.testing.assert_array_equal(before.samples[0][1].set_size, after.samples[0][1].set_size)
    for name in ("threshold", "n_calibration"):
        np.testing.assert_array_equal(
            *([getattr(row(one, Looked.CLASS, c), name) for c in NAMES] for one in (before, after))
        )


def test_classes_may_have_thresholds_of_their_own():
    found = made(class_conditional=True)
    half, sizes = VALIDATION.calibrating(), np.zeros(N)
    own = own_scores(scores_of("lac", np.asarray(half.probabilities), half.index), half.y_true)
    parts = []
    for label, name in enumerate(NAMES):
        one, bound = row(found, Looked.CLASS, name), threshold(own[half.y_true == label], 0.1)
        assert (one.threshold, one.n_calibration) == (pytest.approx(bound.value), (half.y_true == label).sum())
        sizes += 1 - P[:, label] <= bound.value + 1e-12
        parts.append((bound, one.n))
    np.testing.assert_array_equal(found.samples[0][1].set_size, sizes)
    whole, law = row(found, Looked.ALL), summed_coverage(parts, 0.1)
    band = law.band()
    assert (whole.expected, whole.band_low, whole.band_high) == (pytest.approx(band.mean), band.low, band.high)
    assert np.isnan(whole.threshold)


def test_the_law_of_several_thresholds_is_that_of_the_sum():
    bounds = [(threshold(np.arange(float(n)), 0.2), m) for n, m in ((9, 30), (25, 12), (2, 5))]
    law = summed_coverage(bounds, 0.2)
    draws = sum(betabinom(m, one.k, one.n_calibration + 1 - one.k).rvs(200_000, random_state=k)
                for k, (one, m) in enumerate(bounds[:2])) + 5  # fmt: skip
    np.testing.assert_allclose(law.cdf, [(draws <= x).mean() for x in range(48)], atol=5e-3)
    assert law.mean == pytest.approx(draws.mean() / 47, rel=2e-3)
    single = summed_coverage(bounds[:1], 0.2)
    np.testing.assert_allclose(single.cdf, betabinom(30, 8, 2).cdf(np.arange(31)), atol=1e-12)
    assert single.p_value(20) == pytest.approx(undercoverage_p_value(20, 30, 9, 0.2))


def test_too_few_calibration_samples_give_no_sets():
    found = made(validation=VALIDATION.take(np.arange(17)), alpha=[0.1, 0.05])
    assert row(found, Looked.ALL).status.is_ok  # 9 of 17 calibrate
    none = row(found, Looked.ALL, alpha=0.05)
    assert none.status == Reason.FULL_SETS(19)
    assert np.isnan([none.coverage, none.size_mean, none.threshold, none.low]).all()
    assert np.isnan(found.samples[1][1].set_size).all()
    headline = headline_of_sets(found.coverage[len(found.coverage) // 2 :], 0.95)
    assert (headline["set_coverage"], headline["set_size_mean"], headline["worst_covered"]) == (None, None, None)
    assert headline["set_size_mean_status"] == headline["worst_covered_status"] == headline["set_coverage_status"]
    rare = VALIDATION.take(np.flatnonzero((VALIDATION.y_true != 3) | (np.arange(201) < 12)))
    own = made(validation=rare, class_conditional=True)
    assert row(own, Looked.CLASS, "d").status == Reason.FULL_SETS(9)
    assert row(own, Looked.CLASS, "a").status.is_ok
    assert (own.samples[0][1].set_holds[Y == 3] == 1).all()


def test_statuses_say_what_has_to_be_known():
    chosen = made(validation=replace(VALIDATION, chose_epoch=True))
    assert row(chosen, Looked.ALL).status == Reason.EPOCH_CHOSEN()
    assert row(chosen, Looked.CLASS, "a").status.is_ok
    groups = Groups(np.repeat(np.arange(N // 3), 3))
    by_group = made(given=replace(predictions(), groups=groups))
    whole = row(by_group, Looked.ALL)
    assert whole.status == Reason.NO_P(Reason.NOT_BY_GROUP())
    assert whole.band_low is None
    assert np.isnan(row(by_group, Looked.CLASS, "a").p)
    never = made(given=predictions(np.minimum(Y, 2)))
    assert row(never, Looked.CLASS, "d").status == Reason.NOT_TESTED()
    for wrong in ({"alpha": [0.0]}, {"alpha": [0.1, 0.1]}, {"method": "naive"}, {"levels": [0.9]}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            settings(**wrong)


def regression(n, seed, noise=1.0):
    generator = np.random.default_rng(seed)
    x = generator.uniform(-2, 2, size=(n, 2))
    spread = 0.2 + np.abs(x[:, 0])
    pred = x @ [1.0, 2.0]
    return RegressionOutputs(pred + noise * spread * generator.normal(size=n), pred, np.arange(n) + 10_000 * seed, x)


def intervals(test, **parts):
    return analyze_regression(
        test.y_true,
        test.y_pred,
        index=test.index,
        settings=ResidualsSettings(n_permutations=99, n_bootstrap=100),
        representation=test.representation,
        **parts,
    )


def test_a_regression_has_intervals_of_equal_and_of_scaled_width():
    test, validation, training = regression(400, 1), regression(200, 2), regression(800, 3)
    found = intervals(test, validation=validation, training=training)
    _, rows = validation_halves(validation.index)
    own = np.abs(validation.y_true - validation.y_pred)[rows]
    absolute, normalized = found.prediction_sets
    assert [absolute.method, normalized.method] == [SetMethod.ABSOLUTE, SetMethod.NORMALIZED]
    assert absolute.threshold == pytest.approx(np.sort(own)[90])
    assert absolute.size_mean == pytest.approx(2 * absolute.threshold)
    ((suffix, ends),) = found.sample_intervals
    held = (ends.interval_low <= test.y_true) & (test.y_true <= ends.interval_high)
    assert (suffix, absolute.n_covered) == ("", held.sum())
    for one in (absolute, normalized):
        assert one.band_low <= one.n_covered <= one.band_high
    width = ends.interval_high_normalized - ends.interval_low_normalized
    away = np.abs(test.representation[:, 0])
    assert width[away > 1.5].mean() > 2 * width[away < 0.5].mean()
    assert normalized.size_mean < absolute.size_mean
    frame = found.sample_frame()
    assert {"interval_low", "interval_high_normalized"} <= {*frame}
    metrics = found.summary.as_metrics()
    assert (metrics["set_coverage"], metrics["worst_covered"]) == (absolute.coverage, None)
    assert metrics["worst_covered_status"] == "no group is covered less than all samples by more than chance"
    assert RegressionSummary.from_metrics(Path("residuals.json"), metrics) == found.summary
    harder = pd.DataFrame({"camera": np.where(np.abs(test.y_true - test.y_pred) > absolute.threshold, "old", "new")})
    worst = intervals(test, validation=validation, training=training, factors=harder).summary.as_metrics()
    assert (worst["worst_covered"], worst["worst_covered_coverage"]) == ("factor camera old", 0)


def test_the_spread_is_that_of_training_samples_alone():
    test, validation, training = regression(100, 1), regression(200, 2), regression(400, 3)
    before = intervals(test, validation=validation, training=training).sample_intervals[0][1]
    poisoned = replace(test, y_true=test.y_true + 50)
    after = intervals(poisoned, validation=validation, training=training).sample_intervals[0][1]
    for name in ("interval_low", "interval_high", "interval_low_normalized", "interval_high_normalized"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    scale = training.representation.std(axis=0)
    away = (((training.representation - test.representation[0]) / scale) ** 2).sum(axis=1)
    near = np.argsort(away)[:20]
    size = np.abs(training.y_true - training.y_pred)
    spread = (size[near].sum() + size.mean()) / 21
    normalized = intervals(test, validation=validation, training=training).prediction_sets[1]
    width = before.interval_high_normalized[0] - before.interval_low_normalized[0]
    assert width == pytest.approx(2 * normalized.threshold * spread)


def test_intervals_that_are_missing_say_why():
    test, validation = regression(100, 1), regression(200, 2)
    alone = intervals(test, validation=validation).prediction_sets
    assert alone[0].status.is_ok
    assert alone[1].status == Reason.NO_TRAINING()
    perfect = regression(100, 3, noise=0.0)
    flat = intervals(test, validation=validation, training=perfect).prediction_sets[1]
    assert flat.status == Reason.CONSTANT("training residuals")
    few = intervals(test, validation=validation, training=regression(10, 3)).prediction_sets[1]
    assert few.status == Reason.TOO_FEW_TRAINING(20)
    short = intervals(test, validation=regression(10, 4)).prediction_sets[0]
    assert short.status == Reason.FULL_SETS(9)
    assert intervals(test).prediction_sets == ()
