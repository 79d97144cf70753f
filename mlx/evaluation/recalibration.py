"""What recalibration does: calibrators fitted to validation samples, measured on test samples before and after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers, Scores
from mlx.core.checks import check_labels, row_blocks
from mlx.evaluation.calibration import debiased_calibration_error, equal_width_bins, expected_calibration_error
from mlx.evaluation.checks import check_logits, check_probabilities
from mlx.evaluation.design import Design
from mlx.evaluation.settings import EvaluationSettings
from mlx.results.evaluation_tables import ReliabilityBins
from mlx.results.recalibration import RecalibratedMetric, RecalibratedReliability, Recalibration, RecalibrationEffect
from mlx.stats.calibrator_choice import Candidate, choose_calibrator, fit_calibrators
from mlx.stats.calibrators import Calibrator
from mlx.stats.gates import why_too_few
from mlx.stats.interval import NAN, Interval
from mlx.stats.multiple_testing import holm
from mlx.stats.paired import PairedDifference, missing_difference, paired_mean, paired_proportions
from mlx.stats.row_scores import brier, why_infinite
from mlx.stats.status import Reason, Status
from mlx.stats.validation_outputs import ValidationOutputs

MIN_EXPECTED = {RecalibratedMetric.LOG_LOSS: 20, RecalibratedMetric.BRIER: 10}
"""Fewest expected errors, and expected correct predictions, for the paired t of a metric to hold its level."""

MIN_DIFFERENCES = 4
"""Fewest samples that are right before or after alone, for the score test of accuracies to reach its level."""


@dataclass(frozen=True)
class Scored:
    """Test samples by what is predicted for them: one number a sample, each (n,).

    Attributes
    ----------
    correct
        Whether the prediction is right.
    confidence
        Probability of the predicted class.
    surprise, brier
        −log p of the true class, and the Brier score.
    bins
        Confidence bins of equal width.
    """

    correct: Flags
    confidence: Floats
    surprise: Floats
    brier: Floats
    bins: ReliabilityBins


def recalibrate(
    before: Scored,
    probabilities: Scores,
    logits: Scores | None,
    y_true: Integers,
    *,
    validation: ValidationOutputs,
    settings: EvaluationSettings,
    design: Design,
) -> tuple[Recalibration, dict[str, Any]]:
    """Fit the calibrators of the settings to one half of the validation samples, and measure them on the test samples.

    Return also what stands in ``evaluation.json``: the chosen calibrator, and the temperature if it is one of them.

    Parameters
    ----------
    before
        The test samples as they are predicted.
    probabilities, logits
        (n, n_classes) of the test samples, checked; the latter or None.
    y_true
        (n,), labels.
    validation
        Outputs for the validation samples.
    settings
        Calibrators, and bins of the calibration errors.
    design
        Which intervals are given, and their level.

    Raises
    ------
    DataError
        A row of validation outputs can't be used.
    """
    _check(validation, probabilities.shape[1])
    fitting = validation.fitting()
    candidates = fit_calibrators(fitting, map(Calibrator, settings.recalibration))
    chosen = choose_calibrator(candidates).fitted.calibrator
    bins: dict[Calibrator, ReliabilityBins] = {}
    rows: list[RecalibrationEffect] = []
    for one in candidates:
        after = None
        if one.fitted.calibrator is Calibrator.NONE:
            after = before
        elif one.fitted.log_probabilities is not None:
            after = scored(one.fitted.log_probabilities, probabilities, logits, y_true, settings.n_bins)
        if after is not None:
            bins[one.fitted.calibrator] = after.bins
        rows += _effects(
            one, before, after, design, chosen=one.fitted.calibrator is chosen, n_validation=len(fitting.index)
        )
    return Recalibration(_adjusted(rows), _joined(bins)), {"recalibration": str(chosen)} | _temperature(candidates)


def _temperature(candidates: Sequence[Candidate]) -> dict[str, Any]:
    for one in candidates:
        if one.fitted.calibrator is Calibrator.TEMPERATURE:
            status = None if one.fitted.status.is_ok else str(one.fitted.status)
            return {"temperature": one.fitted.temperature, "temperature_status": status}
    return {}


def _check(validation: ValidationOutputs, n_classes: int) -> None:
    shape = (len(validation.y_true), n_classes)
    check_labels("validation: y_true", validation.y_true, *shape)
    check_probabilities(validation.probabilities, shape)
    if validation.logits is not None:
        check_logits(validation.logits, shape)


def scored(
    log_probabilities: Callable[[Scores, Scores | None], Floats],
    probabilities: Scores,
    logits: Scores | None,
    y_true: Integers,
    n_bins: int,
) -> Scored:
    """Score recalibrated predictions, in blocks of rows."""
    n = len(y_true)
    predicted, confidence, surprise, gaps = np.empty(n, np.intp), np.empty(n), np.empty(n), np.empty(n)
    for rows in row_blocks(*probabilities.shape):
        log_p = log_probabilities(probabilities[rows], None if logits is None else logits[rows])
        p, own = np.exp(log_p), np.arange(len(log_p))
        predicted[rows] = p.argmax(axis=1)
        confidence[rows] = p[own, predicted[rows]]
        surprise[rows] = np.maximum(-log_p[own, y_true[rows]], 0.0)
        gaps[rows] = brier(p, y_true[rows])
    correct = predicted == y_true
    return Scored(correct, confidence, surprise, gaps, equal_width_bins(confidence, correct, n_bins=n_bins))


def _effects(
    candidate: Candidate, before: Scored, after: Scored | None, design: Design, *, chosen: bool, n_validation: int
) -> list[RecalibrationEffect]:
    fitted = candidate.fitted
    rows = []
    for metric in RecalibratedMetric:
        row = RecalibrationEffect(
            calibrator=fitted.calibrator,
            chosen=chosen,
            metric=metric,
            before=value_of(metric, before),
            cv_brier=candidate.cv_brier,
            temperature=fitted.temperature,
            n_validation=n_validation,
            n=before.correct.size,
            status=fitted.status,
        )
        if after is not None:
            found = difference_of(metric, before, after, design)
            row = replace(
                row,
                after=value_of(metric, after),
                difference=found.difference,
                low=found.interval.low,
                high=found.interval.high,
                method=found.interval.method,
                p=found.p,
                status=_joint(fitted.status, found.status),
            )
        rows.append(row)
    return rows


def _joint(of_fit: Status, of_difference: Status) -> Status:
    """Return the status of the fit, which says more, or that of the difference."""
    return of_difference if of_fit.is_ok else of_fit


def value_of(metric: RecalibratedMetric, scored: Scored) -> float:
    """Return a metric of the test samples; NaN where it is infinite."""
    if metric is RecalibratedMetric.ACCURACY:
        return float(scored.correct.mean())
    if metric is RecalibratedMetric.LOG_LOSS:
        return float(scored.surprise.mean()) if np.isfinite(scored.surprise).all() else NAN
    if metric is RecalibratedMetric.BRIER:
        return float(scored.brier.mean())
    error = expected_calibration_error if metric is RecalibratedMetric.ECE else debiased_calibration_error
    return error(scored.bins)


def difference_of(metric: RecalibratedMetric, before: Scored, after: Scored, design: Design) -> PairedDifference:
    """Return the paired difference of a metric, after less before; without a test where one would not hold."""
    if after is before:
        return PairedDifference(0.0, Interval.missing(Reason.UNCHANGED()), NAN, Reason.UNCHANGED())
    if metric in {RecalibratedMetric.ECE, RecalibratedMetric.RMSCE_DEBIASED}:
        return missing_difference(Reason.BIASED_CALIBRATION(), value_of(metric, after) - value_of(metric, before))
    if metric is RecalibratedMetric.ACCURACY:
        return _accuracies(before.correct, after.correct, design)
    if metric is RecalibratedMetric.BRIER:
        values = after.brier - before.brier
    else:
        for scored in (before, after):
            if not (why := why_infinite(scored.surprise)).is_ok:
                return missing_difference(Reason.LOG_LOSS_IS(why))
        values = after.surprise - before.surprise
    few = why_too_few(design.errors, design.n, design.validation, MIN_EXPECTED[metric], design.groups)
    return (
        paired_mean(values, design.confidence, design.groups)
        if few.is_ok
        else missing_difference(few, float(values.mean()))
    )


def _accuracies(before: Flags, after: Flags, design: Design) -> PairedDifference:
    if design.groups is not None:
        return paired_mean(after.astype(np.float64) - before, design.confidence, design.groups)
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    found = paired_proportions(gained, lost, before.size, design.confidence)
    few = 0 < gained + lost < MIN_DIFFERENCES
    return replace(found, status=Reason.TOO_FEW_DIFFERENCES(MIN_DIFFERENCES)) if few else found


def _adjusted(rows: Sequence[RecalibrationEffect]) -> tuple[RecalibrationEffect, ...]:
    """Adjust the p-values of each metric over the calibrators."""
    found = list(rows)
    for metric in RecalibratedMetric:
        places = [place for place, row in enumerate(rows) if row.metric is metric]
        for place, p in zip(places, holm(np.array([rows[place].p for place in places])), strict=True):
            found[place] = replace(rows[place], p_holm=float(p))
    return tuple(found)


def _joined(bins: dict[Calibrator, ReliabilityBins]) -> RecalibratedReliability:
    columns = {
        field.name: np.concatenate([getattr(one, field.name) for one in bins.values()])
        for field in fields(ReliabilityBins)
    }
    names = np.repeat(np.array([str(name) for name in bins], object), [one.bin.size for one in bins.values()])
    return RecalibratedReliability(**columns, calibrator=names)
