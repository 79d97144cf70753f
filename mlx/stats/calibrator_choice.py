"""Which calibrator is best: fitted to validation samples, compared by their cross-validated Brier scores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Integers
from mlx.stats.calibrators import Calibrator, FittedCalibrator, fit_calibrator
from mlx.stats.interval import NAN
from mlx.stats.row_scores import brier
from mlx.stats.status import Reason
from mlx.stats.validation_outputs import ValidationOutputs, drawn_groups

FOLDS = 5

MIN_FITTING = 10
"""Fewest samples that a calibrator is fitted to."""

TOLERANCE = 1e-12
"""Brier scores closer than this are equal, and the simpler calibrator is chosen."""


@dataclass(frozen=True)
class Candidate:
    """A calibrator that was fitted to all samples, with its Brier score when fitted to the other folds; NaN if not."""

    fitted: FittedCalibrator
    cv_brier: float


def fit_calibrators(fitting: ValidationOutputs, calibrators: Iterable[Calibrator]) -> tuple[Candidate, ...]:
    """Fit each calibrator, and ``none``, which is first, to validation samples, the simplest first.

    Parameters
    ----------
    fitting
        The half that fits and selects, `ValidationOutputs.fitting`.
    calibrators
        Those that are wanted.
    """
    named = {Calibrator.NONE, *calibrators}
    wanted = [one for one in Calibrator if one in named]
    return tuple(_candidate(one, fitting) for one in wanted)


def choose_calibrator(candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the lowest cross-validated Brier score; of equal ones the simplest."""
    chosen = candidates[0]
    for one in candidates[1:]:
        if one.cv_brier < (np.inf if np.isnan(chosen.cv_brier) else chosen.cv_brier) - TOLERANCE:
            chosen = one
    return chosen


def _candidate(calibrator: Calibrator, fitting: ValidationOutputs) -> Candidate:
    n = len(fitting.y_true)
    if n < MIN_FITTING and calibrator is not Calibrator.NONE:
        return Candidate(FittedCalibrator(calibrator, None, status=Reason.FEW_VALIDATION(MIN_FITTING)), NAN)
    fitted = fit_calibrator(calibrator, fitting.probabilities, fitting.logits, fitting.y_true)
    if fitted.log_probabilities is None or not n:
        return Candidate(fitted, NAN)
    total, folds = 0.0, _folds(fitting)
    for fold in range(FOLDS):
        others, held = fitting.take(np.flatnonzero(folds != fold)), fitting.take(np.flatnonzero(folds == fold))
        again = fit_calibrator(calibrator, others.probabilities, others.logits, others.y_true)
        if again.log_probabilities is None:  # the class has a sample, but not outside of this fold
            status = Reason.FEW_VALIDATION_IN_CLASS(2)
            return Candidate(replace(fitted, log_probabilities=None, temperature=NAN, status=status), NAN)
        total += float(brier(np.exp(again.log_probabilities(held.probabilities, held.logits)), held.y_true).sum())
    return Candidate(fitted, total / n)


def _folds(fitting: ValidationOutputs) -> Integers:
    """Return the fold of each sample (n,), whatever their order: the classes in proportion, or groups undivided."""
    codes, drawn = drawn_groups(fitting.index, fitting.groups, FOLDS)
    folds = np.empty(len(drawn), np.intp)
    if fitting.groups is not None:
        folds[drawn] = np.arange(len(drawn)) % FOLDS
        return folds[codes]
    by_class = drawn[np.argsort(np.asarray(fitting.y_true)[drawn], kind="stable")]
    folds[by_class] = np.arange(len(drawn)) % FOLDS
    return folds
