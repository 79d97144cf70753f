"""Recalibration of test predictions: fitted to validation samples alone, measured on test samples before and after."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from scipy.stats import ttest_rel

from mlx.core.errors import DataError
from mlx.evaluation import EvaluationSettings, evaluate_classification
from mlx.results.recalibration import RECALIBRATED_RELIABILITY, RECALIBRATION, RecalibratedMetric
from mlx.stats.calibrator_choice import fit_calibrators
from mlx.stats.calibrators import Calibrator
from mlx.stats.gates import ValidationErrors
from mlx.stats.status import Reason
from mlx.stats.validation_outputs import ValidationOutputs

NAMES = ("a", "b", "c")


def drawn(n, seed, sharpness=3.0):
    generator = np.random.default_rng(seed)
    z = 1.5 * generator.normal(size=(n, 3))
    return sharpness * z, (z + generator.gumbel(size=z.shape)).argmax(axis=1)


VALIDATION = ValidationOutputs(softmax(drawn(300, 1)[0], axis=1), *drawn(300, 1), np.arange(300))
ERRORS = ValidationErrors(300, int((VALIDATION.probabilities.argmax(axis=1) != VALIDATION.y_true).sum()))


def evaluated(z, y, *, validation=VALIDATION, logits=True, groups=None, **settings):
    p = softmax(z, axis=1)
    return evaluate_classification(
        y,
        p.argmax(axis=1),
        p,
        logits=z if logits else None,
        class_names=NAMES,
        settings=EvaluationSettings(n_bootstrap=100, **settings),
        validation=ERRORS,
        validation_outputs=validation,
        groups=groups,
    )


@pytest.fixture(scope="module")
def found():
    return evaluated(*drawn(400, 2))


def effect(result, calibrator, metric):
    wanted = (calibrator, metric)
    return next(one for one in result.recalibration.effects if (one.calibrator, one.metric) == wanted)


def test_effects_are_paired_differences_of_test_samples(found):
    z, y = drawn(400, 2)
    half = VALIDATION.fitting()
    expected = {one.fitted.calibrator: one for one in fit_calibrators(half, Calibrator)}
    assert found.recalibration.calibrators == tuple(Calibrator)
    for calibrator, one in expected.items():
        log_p = one.fitted.log_probabilities(softmax(z, axis=1), z)
        surprise, p = -log_p[np.arange(400), y], np.exp(log_p)
        brier = ((p - np.eye(3)[y]) ** 2).sum(axis=1)
        row = effect(found, calibrator, RecalibratedMetric.BRIER)
        assert row.after == pytest.approx(brier.mean(), rel=1e-12)
        assert (row.cv_brier, row.n_validation, row.n) == (pytest.approx(one.cv_brier), 150, 400)
        assert effect(found, calibrator, RecalibratedMetric.ACCURACY).after == (p.argmax(axis=1) == y).mean()
        if np.isfinite(surprise).all():
            assert effect(found, calibrator, RecalibratedMetric.LOG_LOSS).after == pytest.approx(surprise.mean())
    raw = -log_softmax(z, axis=1)[np.arange(400), y]
    scaled = -log_softmax(z / found.metrics.temperature, axis=1)[np.arange(400), y]
    row = effect(found, Calibrator.TEMPERATURE, RecalibratedMetric.LOG_LOSS)
    test = ttest_rel(scaled, raw)
    assert row.difference == pytest.approx((scaled - raw).mean())
    assert (row.low, row.high) == pytest.approx(tuple(test.confidence_interval()))
    assert row.p == pytest.approx(test.pvalue)
    assert row.before == pytest.approx(found.metrics.log_loss.value)


def test_the_model_as_it_is_keeps_its_numbers_and_its_bins(found):
    assert found.metrics.recalibration == "temperature"
    assert found.metrics.temperature == pytest.approx(3.0, rel=0.25)
    for metric in RecalibratedMetric:
        row = effect(found, Calibrator.NONE, metric)
        assert (row.before, row.difference, row.status) == (row.after, 0.0, Reason.UNCHANGED())
    bins = found.recalibration.reliability.of(Calibrator.NONE)
    np.testing.assert_array_equal(bins.count, found.reliability.count)
    assert found.recalibration.reliability.of(Calibrator.ISOTONIC).count.sum() == 400
    ece = effect(found, Calibrator.TEMPERATURE, RecalibratedMetric.ECE)
    assert ece.after < ece.before
    assert np.isnan([ece.low, ece.p]).all()
    assert ece.status == Reason.NO_TEST(Reason.BIASED_CALIBRATION())


def test_test_labels_change_nothing_that_is_fitted(found):
    z, y = drawn(400, 2)
    poisoned = evaluated(z, np.random.default_rng(9).permutation(y))
    for key in ("recalibration", "temperature"):
        assert getattr(poisoned.metrics, key) == getattr(found.metrics, key)
    for one, other in zip(found.recalibration.effects, poisoned.recalibration.effects, strict=True):
        for name in ("calibrator", "chosen", "cv_brier", "temperature", "n_validation"):
            np.testing.assert_equal(getattr(one, name), getattr(other, name))
    before, after = (one.recalibration.reliability for one in (found, poisoned))
    temperature = before.calibrator == "temperature"  # whose predictions follow from confidences alone
    np.testing.assert_array_equal(before.count[temperature], after.count[temperature])


def test_settings_name_the_calibrators():
    z, y = drawn(60, 3)
    assert evaluated(z, y, recalibration=["vector"]).recalibration.calibrators == (Calibrator.NONE, Calibrator.VECTOR)
    none = evaluated(z, y, recalibration=[])
    assert (none.recalibration, none.metrics.recalibration, none.metrics.temperature) == (None, None, None)
    assert "temperature" not in none.metrics.as_dict()
    assert none.frames()[RECALIBRATION.file].empty
    assert none.frames()[RECALIBRATED_RELIABILITY.file].empty
    for wrong in (["platt"], ["vector", "vector"], ["none"]):
        with pytest.raises(ValueError, match="recalibration"):
            EvaluationSettings(recalibration=wrong)


def test_what_is_missing_says_why():
    z, y = drawn(60, 4)
    rare = evaluated(z, y, validation=VALIDATION.take(np.arange(12)))
    assert effect(rare, Calibrator.TEMPERATURE, RecalibratedMetric.BRIER).status == Reason.FEW_VALIDATION(10)
    assert rare.metrics.as_dict()["temperature"] is None
    assert rare.metrics.as_dict()["temperature_status"] == "fewer than 10 validation samples to fit to"
    assert rare.recalibration.calibrators == (Calibrator.NONE,)
    sure = softmax(60.0 * z, axis=1).astype(np.float16)
    given = replace(VALIDATION, probabilities=softmax(60.0 * VALIDATION.logits, axis=1).round(3), logits=None)
    settings = EvaluationSettings(n_bootstrap=100)
    found = evaluate_classification(
        y, sure.argmax(axis=1), sure, class_names=NAMES, settings=settings, validation_outputs=given
    )
    reasons = {one.calibrator: one.status.reason for one in found.recalibration.effects if one.metric == "log_loss"}
    assert reasons[Calibrator.TEMPERATURE] is Reason.ZERO_PROBABILITIES
    assert reasons[Calibrator.ISOTONIC] is Reason.LOG_LOSS_IS
    with pytest.raises(DataError, match="validation: y_true: row 0: expected a class from 0 to 2, found 3"):
        evaluated(z, y, validation=replace(VALIDATION, y_true=np.full(300, 3)))


def test_by_group_intervals_are_wider():
    z, y = drawn(100, 5)
    z, y, groups = np.tile(z, (4, 1)), np.tile(y, 4), np.tile(np.arange(100), 4)
    alone, grouped = evaluated(z, y), evaluated(z, y, groups=groups)
    one, other = (effect(found, Calibrator.TEMPERATURE, RecalibratedMetric.BRIER) for found in (alone, grouped))
    assert other.difference == pytest.approx(one.difference)
    assert other.high - other.low == pytest.approx(2 * (one.high - one.low), rel=0.05)
    assert other.method == "Student's paired t by group"
