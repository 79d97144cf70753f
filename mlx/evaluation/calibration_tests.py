"""Can the labels have been drawn from the predicted probabilities? Two tests of calibration as a whole."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from mlx.core.array_types import Floats
from mlx.core.log_scores import infinite_status
from mlx.stats.calibration_scores import CalibrationScores

MIN_EXPECTED_ERRORS = 10.0
"""Fewest errors that the probabilities foretell, for the sums below to be near enough to normal."""


@dataclass(frozen=True)
class CalibrationTest:
    """A sum of scores less what the predictions expect of it, over its standard deviation.

    Attributes
    ----------
    z
        Standard normal for a calibrated model; above 0 the model is worse than it believes. None where the
        predictions leave nothing to chance.
    p
        Two-sided; None also where too few errors are foretold for the normal law to hold.
    status
        ``"ok"``, or why one of them is None.
    """

    z: float | None
    p: float | None
    status: str = "ok"


def spiegelhalter_test(scores: CalibrationScores, expected_errors: float) -> CalibrationTest:
    """Test the Brier score against its expectation (Spiegelhalter 1986), here for any number of classes."""
    return _test(scores.brier - scores.brier_expected, scores.brier_variance, expected_errors)


def excess_surprise_test(scores: CalibrationScores, expected_errors: float) -> CalibrationTest:
    """Test the log loss against the mean entropy of the predictions, which is its expectation."""
    if infinite := infinite_status(scores.surprise):
        return CalibrationTest(None, None, f"log loss is {infinite}")
    return _test(scores.surprise - scores.entropy, scores.surprise_variance, expected_errors)


def _test(excess: Floats, variance: Floats, expected_errors: float) -> CalibrationTest:
    total = float(variance.sum())
    # Rounding of single precision leaves this much of a variance that is 0.
    if total <= 1e-12 * variance.size:
        return CalibrationTest(None, None, "predictions leave nothing to chance")
    z = float(excess.sum()) / float(np.sqrt(total))
    if expected_errors < MIN_EXPECTED_ERRORS:
        return CalibrationTest(z, None, f"fewer than {MIN_EXPECTED_ERRORS:.0f} expected errors")
    return CalibrationTest(z, float(2 * ndtr(-abs(z))))
